import java.io.OutputStream;
import java.io.PrintStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigsOptions;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreatePartitionsOptions;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialDeletion;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.ResourceNotFoundException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * KafkaAuthorization TOPIC GROUP FILE...: tries every operation as each principal, given by a file of client properties. Prints a line for
 * each: the file's name, the operation, and the outcome, with tabs between them. An outcome is "allowed", "empty" for a list without an
 * entry, "denied" for a principal without the permission, "unauthenticated", "no answer", or "no address" if the file names no controller.
 * What an operation changes it undoes. A file may have patience.seconds, for a principal that gets no answer.
 */
public final class KafkaAuthorization {
  /** Enough for an answer on a machine that has much else to do. */
  private static final String PATIENCE_SECONDS = "60";

  private KafkaAuthorization() {}

  public static void main(String[] args) throws Exception {
    PrintStream out = System.out;
    System.setErr(new PrintStream(OutputStream.nullOutputStream()));
    ExecutorService answered = Executors.newFixedThreadPool(8);
    ExecutorService waiting = Executors.newCachedThreadPool();
    List<Future<String>> lines = new ArrayList<>();
    for (String file : Arrays.asList(args).subList(2, args.length)) {
      Properties properties = new Properties();
      properties.load(new StringReader(Files.readString(Path.of(file), StandardCharsets.UTF_8)));
      ExecutorService pool = properties.containsKey("patience.seconds") ? waiting : answered;
      int patience = Integer.parseInt(properties.getProperty("patience.seconds", PATIENCE_SECONDS));
      String wholeMs = String.valueOf(patience * 1000);
      properties.putAll(
          Map.of("request.timeout.ms", String.valueOf(patience * 500), "default.api.timeout.ms", wholeMs, "delivery.timeout.ms", wholeMs,
              "max.block.ms", wholeMs, "linger.ms", "0", "reconnect.backoff.ms", "500"));
      String principal = Path.of(file).getFileName().toString();
      for (Map.Entry<String, Callable<Object>> operation : new Operations(properties, args[0], args[1], patience + 3).all()) {
        lines.add(pool.submit(() -> principal + "\t" + operation.getKey() + "\t" + outcome(operation.getValue())));
      }
    }
    for (Future<String> line : lines) {
      out.println(line.get());
    }
    System.exit(0);
  }

  private static String outcome(Callable<Object> operation) {
    try {
      Object answer = operation.call();
      return answer == null ? "allowed" : answer.toString();
    } catch (Exception error) {
      for (Throwable cause = error; cause != null; cause = cause.getCause()) {
        if (cause instanceof AuthorizationException) {
          return "denied";
        }
        if (cause instanceof AuthenticationException) {
          return "unauthenticated";
        }
        if (cause instanceof UnknownTopicOrPartitionException || cause instanceof ResourceNotFoundException) {
          return "allowed";
        }
        if (cause instanceof org.apache.kafka.common.errors.TimeoutException || cause instanceof java.util.concurrent.TimeoutException) {
          return "no answer";
        }
      }
      return error.toString();
    }
  }

  private record Operations(Properties properties, String topic, String group, int patienceSeconds) {
    List<Map.Entry<String, Callable<Object>>> all() {
      return List.of(
          Map.entry("list the topics", () -> asAdmin(admin -> admin.listTopics().names(), names -> names.isEmpty() ? "empty" : null)),
          Map.entry("describe the topic", () -> asAdmin(admin -> admin.describeTopics(Set.of(topic)).allTopicNames())),
          Map.entry("write to the topic", this::write),
          Map.entry("read the topic", this::read),
          Map.entry("read the offsets of the group", this::committed),
          Map.entry("commit an offset of the group", this::commit),
          Map.entry("create a topic", () -> asAdmin(admin -> admin.createTopics(Set.of(new NewTopic("authorization-" + UUID.randomUUID(), 1, (short) 1)),
              new CreateTopicsOptions().validateOnly(true)).all())),
          Map.entry("delete a topic", this::delete),
          Map.entry("add partitions", () -> asAdmin(admin -> admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(99)),
              new CreatePartitionsOptions().validateOnly(true)).all())),
          Map.entry("read the configs of the topic", () -> asAdmin(admin -> admin.describeConfigs(Set.of(resource())).all())),
          Map.entry("change the configs of the topic", () -> asAdmin(admin -> admin.incrementalAlterConfigs(
              Map.of(resource(), List.of(new AlterConfigOp(new ConfigEntry("retention.ms", "604800000"), AlterConfigOp.OpType.SET))),
              new AlterConfigsOptions().validateOnly(true)).all())),
          Map.entry("list the ACLs", () -> asAdmin(admin -> admin.describeAcls(AclBindingFilter.ANY).values())),
          Map.entry("create an ACL", this::makeAcl),
          Map.entry("delete ACLs", () -> asAdmin(admin -> admin.deleteAcls(Set.of(acl("User:authorization-nobody").toFilter())).all())),
          Map.entry("change a user", () -> asAdmin(admin -> admin.alterUserScramCredentials(
              List.of(new UserScramCredentialDeletion("authorization-nobody", ScramMechanism.SCRAM_SHA_512))).all())),
          Map.entry("describe the quorum", () -> asAdmin(admin -> admin.describeMetadataQuorum().quorumInfo())),
          Map.entry("ask a controller", this::askController));
    }

    /** Controllers are on one network alone: a file for another one has no address of theirs. */
    private Object askController() throws Exception {
      String controllers = properties.getProperty("controllers");
      if (controllers == null) {
        return "no address";
      }
      Properties own = new Properties();
      own.putAll(properties);
      own.remove("bootstrap.servers");
      own.put("bootstrap.controllers", controllers);
      try (Admin admin = Admin.create(own)) {
        admin.describeMetadataQuorum().quorumInfo().get(patienceSeconds, TimeUnit.SECONDS);
        return null;
      }
    }

    private interface Call<T> {
      Future<T> of(Admin admin);
    }

    private interface Reading<T> {
      String of(T answer);
    }

    private <T> Object asAdmin(Call<T> call) throws Exception {
      return asAdmin(call, answer -> null);
    }

    private <T> Object asAdmin(Call<T> call, Reading<T> reading) throws Exception {
      try (Admin admin = Admin.create(properties)) {
        return reading.of(call.of(admin).get(patienceSeconds, TimeUnit.SECONDS));
      }
    }

    private Object write() throws Exception {
      try (Producer<String, String> producer = new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer())) {
        producer.send(new ProducerRecord<>(topic, 0, null, "hello")).get(patienceSeconds, TimeUnit.SECONDS);
        return null;
      }
    }

    /** Reads what was written. A broker that is slow to deny has allowed nothing. */
    private Object read() throws java.util.concurrent.TimeoutException {
      try (Consumer<String, String> consumer = consumer()) {
        TopicPartition partition = new TopicPartition(topic, 0);
        consumer.assign(Set.of(partition));
        consumer.seekToBeginning(Set.of(partition));
        consumer.position(partition);
        if (consumer.poll(Duration.ofSeconds(patienceSeconds)).isEmpty()) {
          throw new java.util.concurrent.TimeoutException();
        }
        return null;
      }
    }

    private Object committed() {
      try (Consumer<String, String> consumer = consumer()) {
        consumer.committed(Set.of(new TopicPartition(topic, 0)));
        return null;
      }
    }

    /** Commits the beginning, from which the group reads afterwards. */
    private Object commit() {
      try (Consumer<String, String> consumer = consumer()) {
        TopicPartition partition = new TopicPartition(topic, 0);
        consumer.assign(Set.of(partition));
        consumer.commitSync(Map.of(partition, new OffsetAndMetadata(0)));
        return null;
      }
    }

    /** Deletes a topic of its own if it may create one, else the topic that is there. */
    private Object delete() throws Exception {
      String own = "authorization-" + UUID.randomUUID();
      try {
        asAdmin(admin -> admin.createTopics(Set.of(new NewTopic(own, 1, (short) 1))).all());
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof AuthorizationException)) {
          throw e;
        }
        return asAdmin(admin -> admin.deleteTopics(Set.of(topic)).all());
      }
      return asAdmin(admin -> admin.deleteTopics(Set.of(own)).all());
    }

    private Consumer<String, String> consumer() {
      Properties own = new Properties();
      own.putAll(properties);
      own.put("group.id", group);
      own.put("enable.auto.commit", "false");
      return new KafkaConsumer<>(own, new StringDeserializer(), new StringDeserializer());
    }

    private ConfigResource resource() {
      return new ConfigResource(ConfigResource.Type.TOPIC, topic);
    }

    private Object makeAcl() throws Exception {
      AclBinding acl = acl("User:authorization");
      asAdmin(admin -> admin.createAcls(Set.of(acl)).all());
      return asAdmin(admin -> admin.deleteAcls(Set.of(acl.toFilter())).all());
    }

    private static AclBinding acl(String principal) {
      return new AclBinding(
          new ResourcePattern(ResourceType.TOPIC, "authorization", PatternType.LITERAL),
          new AccessControlEntry(principal, "*", AclOperation.READ, AclPermissionType.ALLOW));
    }
  }
}
