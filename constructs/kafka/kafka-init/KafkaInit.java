import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.Reader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Security;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.apache.kafka.common.KafkaException;
import org.slf4j.LoggerFactory;

/**
 * Provisions topics and applications with one JVM and one client: creates what is missing, keeps what exists, reports drift.
 *
 * <pre>
 * KAFKA_BOOTSTRAP_SERVERS  the brokers, separated by commas
 * KAFKA_BROKERS            the number of brokers that must be registered
 * TOPICS_FILE              the topics, see Topic
 *
 * In a secured cluster:
 * KAFKA_CLIENT_CONFIG      the client's properties: key pair and CA bundle
 * APPLICATIONS_FILE        the applications, see Application
 * PASSWORDS_DIR            the passwords, in a file for each application that has one, named after it
 * </pre>
 */
public final class KafkaInit {
  private static final int CONNECT_TIMEOUT_MS = 3_000;
  private static final int REQUEST_TIMEOUT_MS = 30_000;
  private static final int QUORUM_TIMEOUT_MS = 10_000;

  /** Reads a file. */
  private interface Reading<T> {
    T of(Path file) throws IOException;
  }

  private final Sidecar sidecar;
  private final String bootstrapServers;
  private final int brokers;
  private Admin admin;

  private KafkaInit(Sidecar sidecar) {
    this.sidecar = sidecar;
    bootstrapServers = sidecar.variable("KAFKA_BOOTSTRAP_SERVERS");
    brokers = sidecar.number("KAFKA_BROKERS");
  }

  public static void main(String[] args) throws Exception {
    silenceClientLog();
    disableNegativeDnsCache();
    System.exit(run(System.getenv(), System.out, System::nanoTime));
  }

  /** Hides slf4j's complaint on stderr that there is no logger. The client's log is not needed. */
  static void silenceClientLog() {
    PrintStream stderr = System.err;
    System.setErr(new PrintStream(OutputStream.nullOutputStream()));
    LoggerFactory.getILoggerFactory();
    System.setErr(stderr);
  }

  /**
   * Disables the negative DNS cache, since an unknown broker may be known a moment later. The JRE's java.security sets ten seconds and
   * overrides the system property sun.net.inetaddr.negative.ttl.
   */
  static void disableNegativeDnsCache() {
    Security.setProperty("networkaddress.cache.negative.ttl", "0");
  }

  /** Returns the exit code. */
  static int run(Map<String, String> env, PrintStream out, LongSupplier nanoTime) throws IOException, InterruptedException {
    try (Sidecar sidecar = new Sidecar(env, out, nanoTime)) {
      try {
        KafkaInit init = new KafkaInit(sidecar);
        try {
          init.provision();
        } finally {
          init.close();
        }
        sidecar.record("reason done");
        return 0;
      } catch (Sidecar.Exit exit) {
        sidecar.record("reason " + exit.getMessage());
        return exit.code;
      }
    }
  }

  private void provision() throws InterruptedException {
    List<Topic> topics = read("TOPICS_FILE", Topic::read);
    Applications applications = sidecar.isSet("APPLICATIONS_FILE") ? readApplications() : null;
    sidecar.retry("Kafka with " + brokers + (brokers == 1 ? " broker" : " brokers"), this::quorum);
    sidecar.log("info", "ready", "brokers", brokers);
    Sidecar.Exit refused = null;
    try {
      new Topics(sidecar, admin, new Applied(admin, clientConfig()), topics).provision();
    } catch (Sidecar.Exit exit) {
      // Permissions are revoked even if Kafka rejects a topic.
      if (applications == null || exit.code == Sidecar.UNAVAILABLE) {
        throw exit;
      }
      refused = exit;
    }
    if (applications != null) {
      provision(applications, refused);
    }
    sidecar.finish();
  }

  /** Provisions the applications, then ends the sidecar if topics or applications were rejected. */
  private void provision(Applications applications, Sidecar.Exit refused) throws InterruptedException {
    try {
      applications.provision(admin);
    } catch (Sidecar.Exit exit) {
      throw refused == null ? exit
          : new Sidecar.Exit(Math.max(refused.code, exit.code), refused.getMessage() + "; " + exit.getMessage());
    }
    if (refused != null) {
      throw refused;
    }
  }

  private <T> T read(String variable, Reading<T> reading) {
    String file = sidecar.variable(variable);
    try {
      return reading.of(Path.of(file));
    } catch (IOException | RuntimeException e) {
      throw new Sidecar.Exit(Sidecar.MISCONFIGURED, "cannot read " + variable + " \"" + file + "\": " + e);
    }
  }

  private Applications readApplications() {
    return new Applications(sidecar, read("APPLICATIONS_FILE", Application::read), Path.of(sidecar.variable("PASSWORDS_DIR")));
  }

  /** Waits for all brokers. Kafka describes only brokers that are registered and unfenced, on which it can place replicas. */
  private Void quorum() throws Sidecar.NotYet, InterruptedException {
    reach();
    if (admin == null) {
      admin = connect();
    }
    int registered;
    try {
      DescribeClusterOptions options = new DescribeClusterOptions().timeoutMs(sidecar.callTimeoutMs(QUORUM_TIMEOUT_MS));
      registered = admin.describeCluster(options).nodes().get().size();
    } catch (ExecutionException e) {
      Throwable error = Refusals.unwrap(e);
      Refusals.finishOn(error, "Describe", "the cluster");
      throw new Sidecar.NotYet(Refusals.text(error));
    }
    if (registered < brokers) {
      throw new Sidecar.NotYet(registered + " of " + brokers + " brokers registered and unfenced");
    }
    return null;
  }

  /** Connects to a broker. If none is reachable, the client would wait until its timeout and give no cause. */
  private void reach() throws Sidecar.NotYet {
    List<String> failures = new ArrayList<>();
    for (String server : bootstrapServers.split(",")) {
      int colon = server.lastIndexOf(':');
      try (Socket socket = new Socket()) {
        InetSocketAddress address = new InetSocketAddress(server.substring(0, colon), Integer.parseInt(server.substring(colon + 1)));
        socket.connect(address, sidecar.callTimeoutMs(CONNECT_TIMEOUT_MS));
        return;
      } catch (UnknownHostException e) {
        failures.add(server + ": unknown host");
      } catch (IOException e) {
        failures.add(server + ": " + Refusals.text(e));
      } catch (RuntimeException e) {
        throw new Sidecar.Exit(Sidecar.MISCONFIGURED,
            "KAFKA_BOOTSTRAP_SERVERS contains \"" + server + "\": servers must be host:port, separated by commas");
      }
    }
    throw new Sidecar.NotYet("no broker is reachable: " + String.join(", ", failures));
  }

  private Admin connect() {
    try {
      Map<String, Object> config = clientConfig();
      config.putAll(Map.of(
          "request.timeout.ms", REQUEST_TIMEOUT_MS,
          "default.api.timeout.ms", REQUEST_TIMEOUT_MS,
          // The sidecar retries and logs it.
          "retries", 0));
      return Admin.create(config);
    } catch (KafkaException e) {
      throw new Sidecar.Exit(Sidecar.MISCONFIGURED, "cannot create the Kafka client: " + Refusals.text(e.getCause() == null ? e : e.getCause()));
    }
  }

  /** Returns the properties that all clients share, with those of KAFKA_CLIENT_CONFIG in a secured cluster. */
  private Map<String, Object> clientConfig() {
    Map<String, Object> config = new HashMap<>();
    if (sidecar.isSet("KAFKA_CLIENT_CONFIG")) {
      Properties properties = read("KAFKA_CLIENT_CONFIG", KafkaInit::readProperties);
      properties.stringPropertyNames().forEach(name -> config.put(name, properties.getProperty(name)));
    }
    config.putAll(Map.of(
        "bootstrap.servers", bootstrapServers,
        "socket.connection.setup.timeout.ms", CONNECT_TIMEOUT_MS,
        // JMX is not used.
        "metric.reporters", ""));
    return config;
  }

  static Properties readProperties(Path file) throws IOException {
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(file)) {
      properties.load(reader);
    }
    return properties;
  }

  private void close() {
    if (admin != null) {
      admin.close(Duration.ZERO);
    }
  }
}
