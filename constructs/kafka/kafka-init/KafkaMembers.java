import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;

/**
 * Changes which brokers hold the replicas of a cluster. Writes a JSON object a line, and an error in Kafka's words to standard error. Ends
 * with its standard input, so that it does not outlive the command that runs it.
 *
 * <pre>
 * departure IDS            what moves when these brokers leave: {"refusal": TEXT} ..., {"moves": {"replicas": N, "bytes": N}}
 * drain IDS RATE           moves all replicas off them, with a throttle in bytes a second: {"left": {"replicas": N, "bytes": N}} ...
 * forget IDS               unregisters them once they are drained and stopped
 * arrival ID=RACK,...      what moves when these brokers join: {"moves": ...}
 * fill RATE                gives brokers their share that are marked as unfilled or have no replicas: {"left": ...} ...
 * keep IDS                 takes back an interrupted drain of these brokers: {"undone": TEXT} ..., and marks new ones as unfilled
 *
 * KAFKA_BOOTSTRAP_SERVERS      the brokers, separated by commas
 * KAFKA_BOOTSTRAP_CONTROLLERS  the controllers
 * KAFKA_CLIENT_CONFIG          in a secured cluster, the client's properties: key pair and CA bundle
 * </pre>
 */
public final class KafkaMembers {
  private static final int TIMEOUT_MS = 30_000;
  private static final int CONNECT_TIMEOUT_MS = 3_000;
  private static final int FAILED = 1;

  private KafkaMembers() {}

  public static void main(String[] args) {
    Thread input = new Thread(() -> endWith(System.in));
    input.setDaemon(true);
    input.start();
    KafkaInit.silenceClientLog();
    KafkaInit.disableNegativeDnsCache();
    int code = run(List.of(args), System.getenv(), System.out, System.err);
    System.exit(code);
  }

  /** Ends this process with its standard input, and so with the command that runs it. */
  static void endWith(InputStream input) {
    try {
      input.transferTo(java.io.OutputStream.nullOutputStream());
    } catch (IOException e) {
      // It has ended too.
    }
    Runtime.getRuntime().halt(FAILED);
  }

  /** Returns the exit code. */
  static int run(List<String> args, Map<String, String> env, PrintStream out, PrintStream err) {
    List<Admin> clients = new ArrayList<>();
    try {
      clients.add(connect(env, "bootstrap.servers", "KAFKA_BOOTSTRAP_SERVERS"));
      // Most runs need none.
      Supplier<Admin> controllers = () -> {
        if (clients.size() == 1) {
          clients.add(connect(env, "bootstrap.controllers", "KAFKA_BOOTSTRAP_CONTROLLERS"));
        }
        return clients.get(1);
      };
      obey(args, new Members(clients.get(0), controllers, left -> write(out, "left", left)), out);
      return 0;
    } catch (ExecutionException e) {
      err.println(Refusals.text(Refusals.unwrap(e)));
    } catch (Members.Refused | KafkaException | UncheckedIOException e) {
      err.println(Refusals.text(e));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      clients.forEach(client -> client.close(Duration.ZERO));
    }
    return FAILED;
  }

  private static void obey(List<String> args, Members members, PrintStream out) throws ExecutionException, InterruptedException {
    switch (args.get(0)) {
      case "departure" -> {
        List<String> refusals = new ArrayList<>();
        write(out, "moves", members.describeDeparture(ids(args.get(1)), refusals));
        refusals.forEach(refusal -> write(out, "refusal", refusal));
      }
      case "drain" -> members.drain(ids(args.get(1)), Long.parseLong(args.get(2)));
      case "forget" -> members.forget(ids(args.get(1)));
      case "arrival" -> {
        List<String> refusals = new ArrayList<>();
        write(out, "moves", members.describeArrival(racks(args.get(1)), refusals));
        refusals.forEach(refusal -> write(out, "refusal", refusal));
      }
      case "fill" -> members.fill(Long.parseLong(args.get(1)));
      case "keep" -> members.keep(ids(args.get(1)), undone -> write(out, "undone", undone));
      default -> throw new Members.Refused("unknown command " + args.get(0));
    }
  }

  private static Set<Integer> ids(String list) {
    return new TreeSet<>(racks(list).keySet());
  }

  private static Map<Integer, String> racks(String list) {
    Map<Integer, String> racks = new TreeMap<>();
    for (String each : list.split(",")) {
      String[] pair = each.split("=", 2);
      racks.put(Integer.valueOf(pair[0]), pair.length == 2 ? pair[1] : null);
    }
    return racks;
  }

  private static Admin connect(Map<String, String> env, String property, String variable) {
    return Admin.create(config(env, property, variable));
  }

  /** Returns the properties of a client, with the servers of a variable. */
  static Map<String, Object> config(Map<String, String> env, String property, String variable) {
    Map<String, Object> config = new HashMap<>();
    if (!env.getOrDefault("KAFKA_CLIENT_CONFIG", "").isEmpty()) {
      try {
        KafkaInit.readProperties(Path.of(env.get("KAFKA_CLIENT_CONFIG"))).forEach((name, value) -> config.put((String) name, value));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    config.putAll(Map.of(
        property, env.get(variable),
        "default.api.timeout.ms", TIMEOUT_MS,
        "socket.connection.setup.timeout.ms", CONNECT_TIMEOUT_MS,
        // JMX is not used.
        "metric.reporters", ""));
    return config;
  }

  private static void write(PrintStream out, String key, Object value) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
      json.writeStartObject();
      if (value instanceof Members.Moves moves) {
        json.writeObjectFieldStart(key);
        json.writeNumberField("replicas", moves.replicas());
        json.writeNumberField("bytes", moves.bytes());
        json.writeEndObject();
      } else {
        json.writeStringField(key, value.toString());
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    out.println(text);
    out.flush();
  }
}
