import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.config.ConfigResource;

/** The lower bound for reading topics: one call that describes all topics, and one that describes their configs. */
public final class KafkaInit {
  private KafkaInit() {}

  public static void main(String[] args) throws Exception {
    List<String> topics = Topic.read(Path.of(System.getenv("TOPICS_FILE"))).stream().map(Topic::name).toList();
    // Hides the warning of slf4j that it has no logger.
    PrintStream stderr = System.err;
    System.setErr(new PrintStream(OutputStream.nullOutputStream()));
    Admin admin = Admin.create(Map.of("bootstrap.servers", System.getenv("KAFKA_BOOTSTRAP_SERVERS")));
    System.setErr(stderr);
    admin.describeTopics(topics).allTopicNames().get();
    admin.describeConfigs(topics.stream().map(topic -> new ConfigResource(ConfigResource.Type.TOPIC, topic)).toList()).all().get();
    System.exit(0);
  }
}
