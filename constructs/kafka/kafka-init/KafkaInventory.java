import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.DescribeClientQuotasOptions;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.quota.ClientQuotaAlteration;

/**
 * Reports what a cluster has and how that differs from a declaration, as kafka-init compares them. Ends with its standard input. Writes a
 * JSON object a line, and an error in Kafka's words to standard error.
 *
 * <pre>
 * report          reads the declaration from standard input, a JSON object in one line: "topics" and, in a secured cluster,
 *                 "applications", as in the files of kafka-init. Changes nothing. Writes a line for each topic and user of the cluster or
 *                 the declaration: {"topic": NAME, ...} and {"user": NAME, ...}, and {"done": true} at the end
 * remove NAME...  deletes topics with their records, and forgets that kafka-init applied them
 *
 * KAFKA_BOOTSTRAP_SERVERS  the brokers, separated by commas
 * KAFKA_CLIENT_CONFIG      in a secured cluster, the client's properties: key pair and CA bundle
 * </pre>
 */
public final class KafkaInventory {
  private static final int FAILED = 1;

  private final Admin admin;
  private final Applied memory;
  private final PrintStream out;

  private KafkaInventory(Admin admin, Applied memory, PrintStream out) {
    this.admin = admin;
    this.memory = memory;
    this.out = out;
  }

  public static void main(String[] args) throws IOException {
    // The rest of standard input is only waited for.
    String declaration = args[0].equals("report") ? line(System.in) : "";
    Thread input = new Thread(() -> KafkaMembers.endWith(System.in));
    input.setDaemon(true);
    input.start();
    KafkaInit.silenceClientLog();
    KafkaInit.disableNegativeDnsCache();
    System.exit(run(List.of(args), declaration, System.getenv(), System.out, System.err));
  }

  private static String line(InputStream input) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int next = input.read(); next != '\n' && next != -1; next = input.read()) {
      bytes.write(next);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  /** Returns the exit code. */
  static int run(List<String> args, String declaration, Map<String, String> env, PrintStream out, PrintStream err) {
    Map<String, Object> config = KafkaMembers.config(env, "bootstrap.servers", "KAFKA_BOOTSTRAP_SERVERS");
    Admin admin = Admin.create(config);
    try {
      KafkaInventory inventory = new KafkaInventory(admin, new Applied(admin, config), out);
      if (args.get(0).equals("remove")) {
        inventory.remove(args.subList(1, args.size()));
      } else {
        inventory.report((Map<?, ?>) Json.parse(declaration));
      }
      return 0;
    } catch (ExecutionException e) {
      err.println(Refusals.text(Refusals.unwrap(e)));
    } catch (KafkaException e) {
      err.println(Refusals.text(e));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      admin.close(Duration.ZERO);
    }
    return FAILED;
  }

  private void remove(List<String> names) throws ExecutionException, InterruptedException {
    for (KafkaFuture<Void> deleted : admin.deleteTopics(names).topicNameValues().values()) {
      try {
        deleted.get();
      } catch (ExecutionException e) {
        // An interrupted run has deleted it.
        if (!(Refusals.unwrap(e) instanceof UnknownTopicOrPartitionException)) {
          throw e;
        }
      }
    }
    memory.forget(names);
  }

  private void report(Map<?, ?> declaration) throws ExecutionException, InterruptedException {
    Map<String, Topic> topics = new TreeMap<>();
    Topic.of((List<?>) declaration.get("topics")).forEach(topic -> topics.put(topic.name(), topic));
    boolean isSecured = declaration.containsKey("applications");
    List<Application> applications = isSecured ? Application.of((Map<?, ?>) declaration.get("applications")) : List.of();
    reportTopics(topics, applications);
    if (isSecured) {
      reportUsers(applications);
    }
    write(Map.of("done", true));
  }

  private void reportTopics(Map<String, Topic> declared, List<Application> applications) throws ExecutionException, InterruptedException {
    Map<String, Topic.Memory> applied = memory.read();
    Set<String> names = new TreeSet<>(admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get());
    names.addAll(declared.keySet());
    Map<String, KafkaFuture<TopicDescription>> descriptions = admin.describeTopics(names).topicNameValues();
    Map<String, KafkaFuture<Config>> configs = configsOf(declared.keySet(), descriptions);
    for (String name : names) {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("topic", name);
      line.put("isDeclared", declared.containsKey(name));
      line.put("isApplied", applied.containsKey(name));
      applications.stream().filter(application -> application.creates(name)).findFirst()
          .ifPresent(application -> line.put("createdBy", application.name()));
      TopicDescription description = existing(descriptions.get(name));
      line.put("exists", description != null);
      if (description != null) {
        line.put("isInternal", description.isInternal() || name.equals(Applied.TOPIC));
        line.put("partitions", description.partitions().size());
        line.put("replicationFactor", description.partitions().get(0).replicas().size());
      }
      Config config = configs.containsKey(name) ? existing(configs.get(name)) : null;
      if (description != null && config != null) {
        compare(declared.get(name), description, config, applied.getOrDefault(name, Topic.Memory.NONE), line);
      }
      // One that was deleted since it was listed is not there.
      if (description != null || declared.containsKey(name)) {
        write(line);
      }
    }
  }

  /** Describes the configs of declared topics that exist. */
  private Map<String, KafkaFuture<Config>> configsOf(Collection<String> declared, Map<String, KafkaFuture<TopicDescription>> descriptions)
      throws ExecutionException, InterruptedException {
    List<ConfigResource> resources = new ArrayList<>();
    for (String name : declared) {
      if (existing(descriptions.get(name)) != null) {
        resources.add(new ConfigResource(ConfigResource.Type.TOPIC, name));
      }
    }
    Map<String, KafkaFuture<Config>> configs = new LinkedHashMap<>();
    admin.describeConfigs(resources).values().forEach((resource, config) -> configs.put(resource.name(), config));
    return configs;
  }

  /** Returns null for a topic that does not exist. */
  private static <T> T existing(KafkaFuture<T> topic) throws ExecutionException, InterruptedException {
    try {
      return topic.get();
    } catch (ExecutionException e) {
      if (Refusals.unwrap(e) instanceof UnknownTopicOrPartitionException) {
        return null;
      }
      throw e;
    }
  }

  private static void compare(Topic topic, TopicDescription description, Config config, Topic.Memory applied, Map<String, Object> line) {
    Topic.Live live = topic.live(description, config);
    List<Object> differences = new ArrayList<>();
    for (Topic.Difference difference : topic.differences(live, applied)) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("field", difference.field());
      fields.put("declared", difference.declared());
      fields.put("actual", difference.actual());
      fields.put("drifted", difference.drifted());
      differences.add(fields);
    }
    line.put("differences", differences);
    List<Object> undeclared = new ArrayList<>();
    for (String key : topic.undeclaredConfigs(live, applied)) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("field", key);
      fields.put("actual", live.configs().getOrDefault(key, ""));
      undeclared.add(fields);
    }
    line.put("undeclared", undeclared);
  }

  private void reportUsers(List<Application> applications) throws ExecutionException, InterruptedException {
    Set<String> withPassword = admin.describeUserScramCredentials(List.of()).all().get().keySet();
    Map<String, Set<AclBinding>> granted = new TreeMap<>();
    for (AclBinding acl : admin.describeAcls(AclBindingFilter.ANY).values().get()) {
      granted.computeIfAbsent(acl.entry().principal(), key -> new LinkedHashSet<>()).add(acl);
    }
    Map<String, Map<String, Double>> limits = Quotas.describe(admin, new DescribeClientQuotasOptions()).get();
    Map<String, Application> declared = new TreeMap<>();
    applications.forEach(application -> declared.put(Application.principal(application.name()), application));
    Set<String> principals = new TreeSet<>(granted.keySet());
    principals.addAll(declared.keySet());
    withPassword.forEach(name -> principals.add(Application.principal(name)));
    for (String principal : principals) {
      Application application = declared.get(principal);
      Set<AclBinding> acls = granted.getOrDefault(principal, Set.of());
      String name = Application.nameOf(principal);
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("user", name);
      line.put("isDeclared", application != null);
      line.put("isMarked", acls.stream().anyMatch(Application::isMark));
      line.put("hasPassword", withPassword.contains(name));
      line.put("acls", described(acls, Set.of()));
      if (application != null) {
        line.put("needsPassword", application.hasPassword());
        line.put("missing", described(application.acls(), acls));
        line.put("surplus", described(acls, application.acls()));
        line.put("quotas", differences(application, limits));
      }
      write(line);
    }
  }

  /** Returns the quotas that are not as declared. */
  private static List<Object> differences(Application application, Map<String, Map<String, Double>> live) {
    String user = application.name();
    List<Object> differences = new ArrayList<>();
    for (ClientQuotaAlteration change : Quotas.changes(List.of(user), live, Map.of(user, application.quotas()))) {
      for (ClientQuotaAlteration.Op quota : change.ops()) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("field", quota.key());
        fields.put("declared", Quotas.text(quota.value()));
        fields.put("actual", Quotas.text(live.getOrDefault(user, Map.of()).get(quota.key())));
        differences.add(fields);
      }
    }
    return differences;
  }

  /** Describes ACLs except some. The mark, which grants nothing, counts as one if it is missing. */
  private static List<String> described(Collection<AclBinding> acls, Set<AclBinding> without) {
    return acls.stream().filter(acl -> !without.contains(acl)).map(acl -> Application.describe(List.of(acl))).sorted().toList();
  }

  private void write(Map<String, Object> line) {
    out.println(Json.text(line));
    out.flush();
  }
}
