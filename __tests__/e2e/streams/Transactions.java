import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Transactions FILE TOPIC TRANSACTIONAL_ID [commit|abort TEXT]...: writes each text in a transaction of its own. FILE has the client
 * properties. Prints "commit" or "abort" for each, or what it failed with.
 */
public final class Transactions {
  private Transactions() {}

  public static void main(String[] args) throws Exception {
    System.setErr(new PrintStream(OutputStream.nullOutputStream()));
    Properties properties = new Properties();
    try (var reader = Files.newBufferedReader(Path.of(args[0]))) {
      properties.load(reader);
    }
    properties.put("transactional.id", args[2]);
    try (Producer<String, String> producer = new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer())) {
      producer.initTransactions();
      for (int i = 3; i < args.length; i += 2) {
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(args[1], args[i + 1]));
        producer.flush();
        if (args[i].equals("commit")) {
          producer.commitTransaction();
        } else {
          producer.abortTransaction();
        }
        System.out.println(args[i]);
      }
    } catch (KafkaException error) {
      for (Throwable cause = error; cause != null; cause = cause.getCause()) {
        System.out.println("failed " + cause);
      }
    }
  }
}
