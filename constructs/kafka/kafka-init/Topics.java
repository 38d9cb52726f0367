import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiPredicate;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigsOptions;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreatePartitionsOptions;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Brings the declared topics about. Every step is one call for all topics that it concerns. */
final class Topics {
  private static final int CALL_TIMEOUT_MS = 30_000;

  /** What becomes of one topic's part of a call. */
  private interface Outcome<T> {
    void take(Topic topic, T value) throws InterruptedException;
  }

  private interface Lookup<T> {
    Map<Topic, T> at(Collection<Topic> topics) throws Sidecar.NotYet, InterruptedException;
  }

  private final Sidecar sidecar;
  private final Admin admin;
  private final List<Topic> declared;
  private final Refusals refusals = new Refusals();

  Topics(Sidecar sidecar, Admin admin, List<Topic> declared) {
    this.sidecar = sidecar;
    this.admin = admin;
    this.declared = declared;
  }

  void provision() throws InterruptedException {
    Map<Topic, Topic.Live> live = sidecar.retry("describing the topics", () -> describe(declared));
    List<Topic> absent = new ArrayList<>();
    Map<Topic, Topic.Live> differing = new LinkedHashMap<>();
    live.forEach(this::tell);
    for (Topic topic : declared) {
      if (!live.containsKey(topic)) {
        absent.add(topic);
      } else if (topic.differences(live.get(topic)).isEmpty()) {
        sidecar.settle("unchanged", topic.name());
      } else {
        differing.put(topic, live.get(topic));
      }
    }
    create(absent);
    reconcile(differing);
    refusals.finish();
  }

  private void create(List<Topic> absent) throws InterruptedException {
    Set<Topic> created = new LinkedHashSet<>();
    // Others' topics, and own ones of which the answer does not say what is in effect.
    Set<Topic> unknown = new LinkedHashSet<>(absent);
    Map<Topic, CreateTopicsResult> results = new HashMap<>();
    write("creating topics", absent, "Create", TopicExistsException.class, topics -> {
      CreateTopicsResult result = admin.createTopics(
          topics.stream()
              .map(topic -> new NewTopic(topic.name(), topic.partitions(), topic.replicationFactor()).configs(topic.configs()))
              .toList(),
          new CreateTopicsOptions().timeoutMs(sidecar.callTimeoutMs(CALL_TIMEOUT_MS)));
      topics.forEach(topic -> results.put(topic, result));
      return topic -> result.values().get(topic.name());
    }, (topic, nothing) -> {
      created.add(topic);
      sidecar.settle("created", topic.name());
      Topic.Live live = liveOf(topic, results.get(topic));
      if (live != null) {
        unknown.remove(topic);
        conclude(topic, live, null);
      }
    });
    unknown.removeAll(refusals.topics());
    // The controller's answer to the create says what is in effect; a broker has to know it too before anyone can use it.
    verify(created, this::describeTopics, (topic, description) -> true);
    verify(unknown, this::describe, (topic, live) -> true)
        .forEach((topic, live) -> conclude(topic, live, created.contains(topic) ? null : "unchanged"));
  }

  /** Settles what is as declared with the outcome, unless it is settled already, and reports what differs. */
  private void conclude(Topic topic, Topic.Live live, String outcome) {
    tell(topic, live);
    if (report(topic, live)) {
      sidecar.conclude(topic.name(), topic.onDrift(), "another run created it in the meantime, and it differs");
    } else if (outcome != null) {
      sidecar.settle(outcome, topic.name());
    }
  }

  /** What holds although nobody declares it, which stays: another tool may need it. */
  private void tell(Topic topic, Topic.Live live) {
    live.undeclared().forEach(
        (key, value) -> sidecar.log("info", "undeclared", "resource", topic.name(), "field", key, "actual", value));
  }

  /** Whether it differs. */
  private boolean report(Topic topic, Topic.Live live) {
    List<Topic.Difference> differences = topic.differences(live);
    for (Topic.Difference difference : differences) {
      sidecar.drift(topic.name(), difference.field(), difference.declared(), difference.actual());
    }
    return !differences.isEmpty();
  }

  private void reconcile(Map<Topic, Topic.Live> differing) throws InterruptedException {
    Map<Topic, Topic.Live> live = new LinkedHashMap<>();
    differing.forEach((topic, actual) -> {
      report(topic, actual);
      if (topic.onDrift().equals("reconcile")) {
        live.put(topic, actual);
      } else {
        sidecar.conclude(topic.name(), topic.onDrift(), "it differs, and onDrift is " + topic.onDrift());
      }
    });
    repair(live);
    live.keySet().removeAll(refusals.topics());
    Set<Topic> repaired = live.keySet().stream().filter(topic -> topic.repairable(live.get(topic))).collect(Collectors.toSet());
    live.putAll(verify(repaired, this::describe, (topic, actual) -> !topic.repairable(actual)));
    live.forEach((topic, actual) -> {
      if (topic.differences(actual).isEmpty()) {
        sidecar.settle("reconciled", topic.name());
      } else {
        sidecar.conclude(topic.name(), "reconcile", "not repaired: partitions are never removed, nor replicas moved");
      }
    });
  }

  /** Repairs what can be repaired by adding. */
  private void repair(Map<Topic, Topic.Live> live) throws InterruptedException {
    List<Topic> configs = live.keySet().stream().filter(topic -> !topic.differingConfigs(live.get(topic)).isEmpty()).toList();
    write("setting configs of topics", configs, "AlterConfigs", null, topics -> {
      Map<ConfigResource, Collection<AlterConfigOp>> changes = new HashMap<>();
      for (Topic topic : topics) {
        changes.put(resource(topic), topic.differingConfigs(live.get(topic)).entrySet().stream()
            .map(config -> new AlterConfigOp(new ConfigEntry(config.getKey(), config.getValue()), AlterConfigOp.OpType.SET))
            .collect(Collectors.toList()));
      }
      Map<ConfigResource, KafkaFuture<Void>> results = admin.incrementalAlterConfigs(
          changes, new AlterConfigsOptions().timeoutMs(sidecar.callTimeoutMs(CALL_TIMEOUT_MS))).values();
      return topic -> results.get(resource(topic));
    }, (topic, nothing) -> { });
    List<Topic> partitions = live.keySet().stream().filter(topic -> topic.partitions() > live.get(topic).partitions()).toList();
    // Another sidecar may have added them by now, which is no increase any more.
    write("adding partitions to topics", partitions, "Alter", InvalidPartitionsException.class, topics -> {
      Map<String, KafkaFuture<Void>> results = admin.createPartitions(
          topics.stream().collect(Collectors.toMap(Topic::name, topic -> NewPartitions.increaseTo(topic.partitions()))),
          new CreatePartitionsOptions().timeoutMs(sidecar.callTimeoutMs(CALL_TIMEOUT_MS))).values();
      return topic -> results.get(topic.name());
    }, (topic, nothing) -> { });
  }

  /** Looks until what was written holds. */
  private <T> Map<Topic, T> verify(Collection<Topic> topics, Lookup<T> lookup, BiPredicate<Topic, T> holds) throws InterruptedException {
    Map<Topic, T> found = new LinkedHashMap<>();
    Set<Topic> pending = new LinkedHashSet<>(topics);
    sidecar.verify("verifying the topics", () -> {
      if (!pending.isEmpty()) {
        lookup.at(pending).forEach((topic, value) -> {
          if (holds.test(topic, value)) {
            found.put(topic, value);
          }
        });
        pending.removeAll(found.keySet());
      }
      return pending.isEmpty() ? null : Refusals.describe(pending);
    });
    return found;
  }

  /** The topics that are there. */
  private Map<Topic, Topic.Live> describe(Collection<Topic> topics) throws Sidecar.NotYet, InterruptedException {
    Map<Topic, TopicDescription> found = describeTopics(topics);
    Map<ConfigResource, KafkaFuture<Config>> configs = admin.describeConfigs(
        found.keySet().stream().map(Topics::resource).toList(),
        new DescribeConfigsOptions().timeoutMs(sidecar.callTimeoutMs(CALL_TIMEOUT_MS))).values();
    Map<Topic, Topic.Live> live = new LinkedHashMap<>();
    read(found.keySet(), "DescribeConfigs", topic -> configs.get(resource(topic)), (topic, config) -> {
      TopicDescription description = found.get(topic);
      live.put(topic, new Topic.Live(
          description.partitions().size(), description.partitions().get(0).replicas().size(), inEffect(topic, config),
          undeclared(topic, config)));
    });
    return live;
  }

  private Map<Topic, TopicDescription> describeTopics(Collection<Topic> topics) throws Sidecar.NotYet, InterruptedException {
    Map<String, KafkaFuture<TopicDescription>> descriptions = admin.describeTopics(
        names(topics), new DescribeTopicsOptions().timeoutMs(sidecar.callTimeoutMs(CALL_TIMEOUT_MS))).topicNameValues();
    Map<Topic, TopicDescription> found = new LinkedHashMap<>();
    read(topics, "Describe", topic -> descriptions.get(topic.name()), found::put);
    return found;
  }

  /** Waits for every topic's part of a call that reads; what is not there is left out. */
  private <T> void read(
      Collection<Topic> topics, String permission, Function<Topic, KafkaFuture<T>> call, Outcome<T> outcome)
      throws Sidecar.NotYet, InterruptedException {
    Refusals unreadable = new Refusals();
    Map<Topic, Throwable> failures = await(topics, call, outcome);
    failures.values().removeIf(error -> error instanceof UnknownTopicOrPartitionException);
    failures.entrySet().removeIf(failure -> unreadable.add(failure.getKey(), failure.getValue(), permission));
    unreadable.finish();
    later(failures);
  }

  /**
   * Writes again what may succeed later, until everything is written or refused for good. A topic for which another sidecar was
   * quicker is left alone.
   */
  private <T> void write(
      String what, Collection<Topic> topics, String permission, Class<?> quicker,
      Function<Collection<Topic>, Function<Topic, KafkaFuture<T>>> call, Outcome<T> outcome)
      throws InterruptedException {
    if (topics.isEmpty()) {
      return;
    }
    Set<Topic> pending = new LinkedHashSet<>(topics);
    // A broker may be back since the refusal: only one that comes when there were enough before is final.
    AtomicBoolean enoughBrokers = new AtomicBoolean(false);
    sidecar.retry(what, () -> {
      boolean enoughBefore = enoughBrokers.get();
      Map<Topic, Throwable> failures = await(pending, call.apply(pending), outcome);
      failures.values().removeIf(error -> error.getClass() == quicker);
      enoughBrokers.set(!tooFewBrokers(failures));
      failures.entrySet().removeIf(failure -> {
        boolean mayPlaceLater =
            !(enoughBefore && enoughBrokers.get()) && failure.getValue() instanceof InvalidReplicationFactorException;
        return !mayPlaceLater && refusals.add(failure.getKey(), failure.getValue(), permission);
      });
      if (failures.size() < pending.size()) {
        sidecar.progress();
      }
      pending.retainAll(new HashSet<>(failures.keySet()));
      later(failures);
      return null;
    });
  }

  /** Whether brokers of the quorum are gone again. */
  private boolean tooFewBrokers(Map<Topic, Throwable> failures) throws InterruptedException {
    int needed = failures.entrySet().stream()
        .filter(failure -> failure.getValue() instanceof InvalidReplicationFactorException)
        .mapToInt(failure -> failure.getKey().replicationFactor())
        .max().orElse(0);
    try {
      return needed > 0 && admin.describeCluster().nodes().get().size() < needed;
    } catch (ExecutionException e) {
      return true;
    }
  }

  private static void later(Map<Topic, Throwable> failures) throws Sidecar.NotYet {
    if (!failures.isEmpty()) {
      throw new Sidecar.NotYet(
          Refusals.describe(failures.keySet()) + ": " + Refusals.text(failures.values().iterator().next()));
    }
  }

  /** Every topic's part of a call, when all are there; what failed is returned with its cause. */
  private static <T> Map<Topic, Throwable> await(
      Collection<Topic> topics, Function<Topic, KafkaFuture<T>> call, Outcome<T> outcome) throws InterruptedException {
    Map<Topic, T> values = new LinkedHashMap<>();
    Map<Topic, Throwable> failures = new LinkedHashMap<>();
    for (Topic topic : topics) {
      try {
        values.put(topic, call.apply(topic).get());
      } catch (ExecutionException e) {
        failures.put(topic, Refusals.unwrap(e));
      }
    }
    for (Map.Entry<Topic, T> value : values.entrySet()) {
      outcome.take(value.getKey(), value.getValue());
    }
    return failures;
  }

  /** What the answer to the create says is in effect, or null when it does not: that needs DescribeConfigs. */
  private static Topic.Live liveOf(Topic topic, CreateTopicsResult result) throws InterruptedException {
    try {
      String name = topic.name();
      return new Topic.Live(
          result.numPartitions(name).get(), result.replicationFactor(name).get(), inEffect(topic, result.config(name).get()),
          Map.of());
    } catch (ExecutionException e) {
      return null;
    }
  }

  /** The values of what the topic declares. */
  private static Map<String, String> inEffect(Topic topic, Config config) {
    Map<String, String> values = new HashMap<>();
    for (String key : topic.configs().keySet()) {
      ConfigEntry entry = config.get(key);
      if (entry != null && entry.value() != null) {
        values.put(key, entry.value());
      }
    }
    return values;
  }

  /** What is set for the topic itself, beside what it declares. */
  private static Map<String, String> undeclared(Topic topic, Config config) {
    Map<String, String> values = new TreeMap<>();
    for (ConfigEntry entry : config.entries()) {
      if (entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG && !topic.configs().containsKey(entry.name())) {
        values.put(entry.name(), entry.value());
      }
    }
    return values;
  }

  private static ConfigResource resource(Topic topic) {
    return new ConfigResource(ConfigResource.Type.TOPIC, topic.name());
  }

  private static List<String> names(Collection<Topic> topics) {
    return topics.stream().map(Topic::name).toList();
  }
}
