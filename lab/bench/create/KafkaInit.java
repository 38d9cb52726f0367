import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;

/** The least that creating topics takes: one call, of which the answer is taken for granted. */
public final class KafkaInit {
  private KafkaInit() {}

  public static void main(String[] args) throws Exception {
    List<NewTopic> topics = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of(System.getenv("TOPICS_FILE")))) {
      String[] fields = line.split(" ");
      String[] config = fields[4].split("=");
      topics.add(
          new NewTopic(fields[0], Integer.parseInt(fields[1]), Short.parseShort(fields[2])).configs(Map.of(config[0], config[1])));
    }
    // slf4j complains that nobody reads the client's log.
    PrintStream stderr = System.err;
    System.setErr(new PrintStream(OutputStream.nullOutputStream()));
    Admin admin = Admin.create(Map.of("bootstrap.servers", System.getenv("KAFKA_BOOTSTRAP_SERVERS")));
    System.setErr(stderr);
    admin.createTopics(topics).all().get();
    System.exit(0);
  }
}
