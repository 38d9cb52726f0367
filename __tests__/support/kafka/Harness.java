import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import javax.security.auth.x500.X500Principal;
import org.apache.kafka.common.security.ssl.SslPrincipalMapper;

/**
 * One JVM for all tests: fake clusters, told what to do by a JSON object a line on standard input, and the runs of kafka-init
 * that the stand-in for java hands over through a pipe.
 */
public final class Harness {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Map<Integer, FakeKafka> CLUSTERS = new ConcurrentHashMap<>();

  private Harness() {}

  public static void main(String[] args) throws Exception {
    KafkaInit.silenceClientLog();
    KafkaInit.disableNegativeDnsCache();
    new Thread(() -> takeRuns(args[0])).start();
    BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
    for (String line = commands.readLine(); line != null; line = commands.readLine()) {
      System.out.println(obey(JSON.readTree(line)));
    }
    System.exit(0);
  }

  private static ObjectNode obey(JsonNode command) throws IOException {
    ObjectNode answer = JSON.createObjectNode();
    if (command.get("do").asText().equals("start")) {
      FakeKafka started = new FakeKafka();
      command.get("topics").properties().forEach(topic -> started.topics.put(topic.getKey(), FakeKafka.topic(topic.getValue())));
      CLUSTERS.put(started.port(), started);
      return answer.put("port", started.port());
    }
    if (command.get("do").asText().equals("validate")) {
      ArrayNode refusals = answer.putArray("refusals");
      command.get("configs").forEach(config -> refusals.add(
          FakeKafka.refusalOf(Map.of(config.get(0).asText(), config.get(1).asText())).message()));
      return answer;
    }
    if (command.get("do").asText().equals("principals")) {
      SslPrincipalMapper mapper = SslPrincipalMapper.fromRules(command.get("rules").asText());
      ArrayNode principals = answer.putArray("principals");
      for (JsonNode subject : command.get("subjects")) {
        // As the broker's principal builder asks for it.
        principals.add(mapper.getName(new X500Principal(subject.asText()).getName()));
      }
      return answer;
    }
    if (command.get("do").asText().equals("place")) {
      answer.set("plan", Placements.plan(command));
      return answer;
    }
    if (command.get("do").asText().equals("move")) {
      return move(command);
    }
    if (command.get("do").asText().equals("read")) {
      ArrayNode files = answer.putArray("files");
      String as = command.get("as").asText();
      command.get("files").forEach(file -> files.add(
          as.equals("properties") ? ClientFiles.properties(file.asText()) : ClientFiles.pem(file.asText(), as)));
      return answer;
    }
    FakeKafka cluster = CLUSTERS.get(command.get("port").asInt());
    switch (command.get("do").asText()) {
      case "inject" -> command.get("faults").forEach(cluster::inject);
      case "brokers" -> cluster.setBrokers(command.get("count").asInt());
      case "acls" -> command.get("acls").forEach(acl -> cluster.acls.add(FakeKafka.Acl.parse(acl.asText())));
      case "user" -> cluster.users.put(command.get("name").asText(), new FakeKafka.LiveUser((byte) 2, 4096, new byte[0], new byte[0]));
      case "quota" -> cluster.quotas.computeIfAbsent(command.get("entity").asText(), key -> new TreeMap<>())
          .put(command.get("key").asText(), command.get("value").asDouble());
      case "remember" -> cluster.memory.put(command.get("topic").asText(), command.get("text").asText());
      case "topic" -> cluster.topics.put(command.get("name").asText(), FakeKafka.topic(command.get("topic")));
      case "moving" -> cluster.moving.put(command.get("name").asText(), command.get("looks").asInt());
      case "racks" -> cluster.setRacks(List.of(command.get("names").asText().split(",")));
      case "inventory" -> inventory(command, cluster, answer);
      case "pass" -> cluster.pass(command.get("seconds").asInt());
      case "refuse" -> cluster.refuse();
      case "listen" -> cluster.listen();
      case "look" -> {
        synchronized (cluster) {
          answer.set("topics", JSON.valueToTree(cluster.topics));
          answer.set("acls", JSON.valueToTree(cluster.acls.stream().map(FakeKafka.Acl::toString).toList()));
          answer.set("users", JSON.valueToTree(cluster.users));
          answer.set("quotas", JSON.valueToTree(cluster.quotas));
          answer.set("memory", JSON.valueToTree(cluster.memory.content()));
          answer.set("memoryConfigs", JSON.valueToTree(cluster.memory.configs));
          answer.set("calls", JSON.valueToTree(cluster.calls));
        }
      }
      default -> throw new IllegalArgumentException(command.toString());
    }
    return answer;
  }

  /** Runs the program that moves replicas in a new cluster. Answers with its output, and with the cluster afterwards. */
  private static ObjectNode move(JsonNode command) throws IOException {
    FakeBrokers brokers = new FakeBrokers(command.get("cluster"));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    List<String> args = new ArrayList<>();
    command.get("args").forEach(arg -> args.add(arg.asText()));
    int code = KafkaMembers.run(args, brokers.env(), new PrintStream(out), new PrintStream(err));
    ObjectNode answer = brokers.look();
    brokers.stop();
    return answer.put("code", code).put("output", out.toString().trim()).put("error", err.toString().trim());
  }

  /** Runs the program that reports what a cluster has. */
  private static void inventory(JsonNode command, FakeKafka cluster, ObjectNode answer) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    List<String> args = new ArrayList<>();
    command.get("args").forEach(arg -> args.add(arg.asText()));
    String others = command.path("otherServers").asText();
    Map<String, String> env = Map.of("KAFKA_BOOTSTRAP_SERVERS", others + "127.0.0.1:" + cluster.port());
    int code = KafkaInventory.run(args, command.path("declaration").asText(), env, new PrintStream(out), new PrintStream(err));
    answer.put("code", code).put("output", out.toString().trim()).put("error", err.toString().trim());
  }

  /** A line for each run: the process whose variables it has, and the pipe that its log goes to. */
  private static void takeRuns(String pipe) {
    // Open for writing too, so that it does not end with the first writer.
    try (RandomAccessFile runs = new RandomAccessFile(pipe, "rw")) {
      while (true) {
        String[] run = runs.readLine().split(" ");
        new Thread(() -> run(run[0], run[1])).start();
      }
    } catch (IOException e) {
      e.printStackTrace();
    }
  }

  /** Returns the clock of the cluster that a run asks. */
  private static LongSupplier clockOf(String servers) {
    return CLUSTERS.values().stream().filter(cluster -> servers.endsWith(":" + cluster.port())).findAny()
        .<LongSupplier>map(cluster -> cluster::nanoTime).orElse(System::nanoTime);
  }

  private static void run(String process, String answer) {
    try (PrintStream out = new PrintStream(new FileOutputStream(answer))) {
      Map<String, String> env = new HashMap<>();
      for (String variable : Files.readString(Path.of("/proc", process, "environ")).split("\0")) {
        String[] pair = variable.split("=", 2);
        env.put(pair[0], pair[1]);
      }
      int code = KafkaInit.run(env, out, clockOf(env.getOrDefault("KAFKA_BOOTSTRAP_SERVERS", "")));
      Files.writeString(Path.of(answer + ".code"), code + "\n");
    } catch (IOException | InterruptedException | RuntimeException e) {
      e.printStackTrace();
    }
  }
}
