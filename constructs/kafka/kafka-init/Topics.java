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

/** Provisions the declared topics. Every step is one call for all its topics. */
final class Topics {
  private static final int CALL_TIMEOUT_MS = 30_000;

  /** Handles the result of a call for one topic. */
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
    live.forEach(this::logUndeclared);
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
    // Topics that another process created, and own ones whose effective configs are not in the answer.
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
    // The controller's answer contains the effective configs. A topic is usable once a broker knows it too.
    verify(created, this::describeTopics, (topic, description) -> true);
    verify(unknown, this::describe, (topic, live) -> true)
        .forEach((topic, live) -> conclude(topic, live, created.contains(topic) ? null : "unchanged"));
  }

  /** Reports drift, or settles a topic with the outcome unless it is already settled. */
  private void conclude(Topic topic, Topic.Live live, String outcome) {
    logUndeclared(topic, live);
    if (report(topic, live)) {
      sidecar.conclude(topic.name(), topic.onDrift(), "another process created the topic during this run, and it differs");
    } else if (outcome != null) {
      sidecar.settle(outcome, topic.name());
    }
  }

  /** Logs undeclared configs. They stay, since another tool may need them. */
  private void logUndeclared(Topic topic, Topic.Live live) {
    live.undeclared().forEach(
        (key, value) -> sidecar.log("info", "undeclared", "resource", topic.name(), "field", key, "actual", value));
  }

  /** Logs the differing fields and returns whether there are any. */
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
    setConfigsAndPartitions(live);
    live.keySet().removeAll(refusals.topics());
    Set<Topic> reconciled = live.keySet().stream().filter(topic -> topic.reconcilable(live.get(topic))).collect(Collectors.toSet());
    live.putAll(verify(reconciled, this::describe, (topic, actual) -> !topic.reconcilable(actual)));
    live.forEach((topic, actual) -> {
      if (topic.differences(actual).isEmpty()) {
        sidecar.settle("reconciled", topic.name());
      } else {
        sidecar.conclude(topic.name(), "reconcile", "not reconciled: kafka-init never removes partitions or moves replicas");
      }
    });
  }

  /** Sets configs and adds partitions. */
  private void setConfigsAndPartitions(Map<Topic, Topic.Live> live) throws InterruptedException {
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
    // InvalidPartitions means that another sidecar has already added them.
    write("adding partitions to topics", partitions, "Alter", InvalidPartitionsException.class, topics -> {
      Map<String, KafkaFuture<Void>> results = admin.createPartitions(
          topics.stream().collect(Collectors.toMap(Topic::name, topic -> NewPartitions.increaseTo(topic.partitions()))),
          new CreatePartitionsOptions().timeoutMs(sidecar.callTimeoutMs(CALL_TIMEOUT_MS))).values();
      return topic -> results.get(topic.name());
    }, (topic, nothing) -> { });
  }

  /** Polls until the change is visible. */
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

  /** Describes the topics that exist. */
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

  /** Waits for the results of a read call. Topics that do not exist are left out. */
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
   * Retries a write until every topic has succeeded or failed permanently. Skips topics that another sidecar has written first.
   */
  private <T> void write(
      String what, Collection<Topic> topics, String permission, Class<?> quicker,
      Function<Collection<Topic>, Function<Topic, KafkaFuture<T>>> call, Outcome<T> outcome)
      throws InterruptedException {
    if (topics.isEmpty()) {
      return;
    }
    Set<Topic> pending = new LinkedHashSet<>(topics);
    // Final only if there were enough brokers before the call too: a broker may have come back since.
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

  /** Returns whether brokers have left since the quorum was complete. */
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

  /** Waits for the results of all topics, then handles them. Returns the failures with their causes. */
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

  /** Returns the topic from the answer to the create, or null if configs are hidden for lack of DescribeConfigs. */
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

  /** Returns the effective values of the declared configs. */
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

  /** Returns the configs that are set for the topic but not declared. */
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
