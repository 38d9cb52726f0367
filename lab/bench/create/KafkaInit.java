import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;

/** The lower bound for creating topics: one call, without checking the result. */
public final class KafkaInit {
  private KafkaInit() {}

  public static void main(String[] args) throws Exception {
    List<NewTopic> topics = Topic.read(Path.of(System.getenv("TOPICS_FILE"))).stream()
        .map(topic -> new NewTopic(topic.name(), topic.partitions(), topic.replicationFactor()).configs(topic.configs()))
        .toList();
    // Hides the warning of slf4j that it has no logger.
    PrintStream stderr = System.err;
    System.setErr(new PrintStream(OutputStream.nullOutputStream()));
    Admin admin = Admin.create(Map.of("bootstrap.servers", System.getenv("KAFKA_BOOTSTRAP_SERVERS")));
    System.setErr(stderr);
    admin.createTopics(topics).all().get();
    System.exit(0);
  }
}
