import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiPredicate;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigsOptions;
import org.apache.kafka.clients.admin.AlterPartitionReassignmentsOptions;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreatePartitionsOptions;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Provisions the declared topics. Every step is one call for all its topics. */
final class Topics {
  private static final int CALL_TIMEOUT_MS = 30_000;
  private static final int MOVE_POLL_MS = 500;
  private static final int POLLS_PER_LINE = 60;

  /** Handles the result of a call for one topic. */
  private interface Outcome<T> {
    void take(Topic topic, T value) throws InterruptedException;
  }

  private interface Lookup<T> {
    Map<Topic, T> at(Collection<Topic> topics) throws Sidecar.NotYet, InterruptedException;
  }

  private final Sidecar sidecar;
  private final Admin admin;
  private final Applied memory;
  private final List<Topic> declared;
  private final Refusals refusals = new Refusals();
  /** What is remembered, by topic. */
  private Map<String, Topic.Memory> applied = new HashMap<>();
  /** The topics that are as declared. */
  private final Set<Topic> settled = new LinkedHashSet<>();

  Topics(Sidecar sidecar, Admin admin, Applied memory, List<Topic> declared) {
    this.sidecar = sidecar;
    this.admin = admin;
    this.memory = memory;
    this.declared = declared;
  }

  void provision() throws InterruptedException {
    if (declared.isEmpty()) {
      return;
    }
    applied = sidecar.retry("reading what was applied last", this::readMemory);
    Map<Topic, Topic.Live> live = sidecar.retry("describing the topics", () -> describe(declared));
    List<Topic> absent = new ArrayList<>();
    Map<Topic, Topic.Live> changed = new LinkedHashMap<>();
    Map<Topic, Topic.Live> drifted = new LinkedHashMap<>();
    live.forEach(this::logUndeclared);
    for (Topic topic : declared) {
      if (!live.containsKey(topic)) {
        absent.add(topic);
        continue;
      }
      List<Topic.Difference> differences = differences(topic, live.get(topic));
      if (differences.isEmpty()) {
        settle("unchanged", topic);
      } else if (differences.stream().anyMatch(Topic.Difference::drifted)) {
        drifted.put(topic, live.get(topic));
      } else {
        changed.put(topic, live.get(topic));
      }
    }
    create(absent);
    apply(changed);
    reconcile(drifted);
    rememberSettled();
    forgetDeleted();
    refusals.finish();
  }

  /** Reads what was applied last. A run without it must not replace it: a config that is no longer declared would stay for good. */
  private Map<String, Topic.Memory> readMemory() throws Sidecar.NotYet {
    try {
      return memory.read();
    } catch (KafkaException e) {
      Throwable error = Refusals.unwrap(e);
      Refusals.finishOn(error, "Read", "topic " + Applied.TOPIC, "topic " + Applied.TOPIC);
      throw new Sidecar.NotYet("cannot read topic " + Applied.TOPIC + ": " + Refusals.text(error));
    }
  }

  private List<Topic.Difference> differences(Topic topic, Topic.Live live) {
    return topic.differences(live, memoryOf(topic));
  }

  private boolean isAlterable(Topic topic, Topic.Live live) {
    return topic.isAlterable(live, memoryOf(topic));
  }

  private Topic.Memory memoryOf(Topic topic) {
    return applied.getOrDefault(topic.name(), Topic.Memory.NONE);
  }

  private void settle(String outcome, Topic topic) {
    sidecar.settle(outcome, topic.name());
    settled.add(topic);
  }

  /** Remembers what is about to be applied, so that a topic that this run leaves half-way has not drifted. */
  private void begin(Collection<Topic> topics) throws InterruptedException {
    Map<String, Topic.Memory> begun = new LinkedHashMap<>();
    topics.forEach(topic -> begun.put(topic.name(), memoryOf(topic).with(topic.state())));
    remember(begun, "cannot remember what is about to be applied, so a topic that this run leaves half-way is drift");
  }

  /** Remembers the topics that are as declared. */
  private void rememberSettled() throws InterruptedException {
    remember(settled.stream().collect(Collectors.toMap(Topic::name, topic -> Topic.Memory.of(topic.state()))),
        "cannot remember what was applied, so the next changed declaration is drift");
  }

  private void remember(Map<String, Topic.Memory> topics, String otherwise) throws InterruptedException {
    Map<String, Topic.Memory> changed = new LinkedHashMap<>(topics);
    changed.entrySet().removeIf(topic -> topic.getValue().equals(applied.get(topic.getKey())));
    try {
      memory.write(changed);
      applied.putAll(changed);
    } catch (ExecutionException | KafkaException e) {
      warn(otherwise, e);
    }
  }

  /** Forgets topics that are no longer declared and that somebody has deleted: a new one with such a name is not left over. */
  private void forgetDeleted() throws InterruptedException {
    Set<String> deleted = new LinkedHashSet<>(applied.keySet());
    names(declared).forEach(deleted::remove);
    if (deleted.isEmpty()) {
      return;
    }
    try {
      deleted.removeAll(admin.listTopics().names().get());
      memory.forget(deleted);
    } catch (ExecutionException | KafkaException e) {
      warn("cannot forget topics that do not exist any more", e);
    }
  }

  /** Forgets topics that were never as declared: they may be somebody else's, and what is remembered counts as left over. */
  private void forgetBegun(Collection<Topic> topics) throws InterruptedException {
    Set<String> begun = new LinkedHashSet<>(names(topics));
    begun.removeIf(name -> !applied.containsKey(name) || applied.get(name).applied() != null);
    try {
      memory.forget(begun);
      applied.keySet().removeAll(begun);
    } catch (ExecutionException | KafkaException e) {
      warn("cannot forget topics that may be somebody else's, so they count as left over once they are not declared: " + begun, e);
    }
  }

  private void warn(String what, Throwable error) {
    sidecar.log("warn", "memory", "resource", Applied.TOPIC, "reason", what + ": " + Refusals.text(Refusals.unwrap(error)));
  }

  private void create(List<Topic> absent) throws InterruptedException {
    begin(absent);
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
      settle("created", topic);
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
    Set<Topic> others = new LinkedHashSet<>(absent);
    others.removeAll(created);
    others.removeAll(settled);
    forgetBegun(others);
  }

  /** Reports drift, or settles a topic with the outcome unless it is already settled. */
  private void conclude(Topic topic, Topic.Live live, String outcome) {
    logUndeclared(topic, live);
    if (report(topic, live)) {
      settled.remove(topic);
      sidecar.conclude(topic.name(), topic.onDrift(), "another process created the topic during this run, and it differs");
    } else if (outcome != null) {
      settle(outcome, topic);
    }
  }

  /** Logs undeclared configs. They stay, since another tool may need them. */
  private void logUndeclared(Topic topic, Topic.Live live) {
    topic.undeclaredConfigs(live, memoryOf(topic)).forEach(
        key -> sidecar.log("info", "undeclared", "resource", topic.name(), "field", key, "actual", live.configs().get(key)));
  }

  /** Logs the differing fields and returns whether there are any. */
  private boolean report(Topic topic, Topic.Live live) {
    List<Topic.Difference> differences = differences(topic, live);
    for (Topic.Difference difference : differences) {
      sidecar.drift(topic.name(), difference.field(), difference.declared(), difference.actual());
    }
    return !differences.isEmpty();
  }

  /** Applies the declarations of topics that are as they were applied last. */
  private void apply(Map<Topic, Topic.Live> changed) throws InterruptedException {
    Map<Topic, Topic.Live> live = new LinkedHashMap<>();
    changed.forEach((topic, actual) -> {
      if (topic.partitions() < actual.partitions()) {
        report(topic, actual);
        sidecar.conclude(topic.name(), topic.onDrift(), "not applied: Kafka cannot remove partitions: declare " + actual.partitions()
            + " partitions again, or declare a topic with another name and move the records");
      } else {
        differences(topic, actual).forEach(
            difference -> sidecar.change(topic.name(), difference.field(), difference.declared(), difference.actual()));
        live.put(topic, actual);
      }
    });
    begin(live.keySet());
    // With a min.insync.replicas above its replicas, a topic would accept no records until the new ones are in sync.
    Map<Topic, Topic.Live> growing = new LinkedHashMap<>(live);
    Map<Topic, Topic.Live> copied = beingCopied(live);
    growing.entrySet().removeIf(entry -> !copied.containsKey(entry.getKey())
        && entry.getKey().replicationFactor() <= entry.getValue().replicationFactor());
    Map<Topic, Topic.Live> others = new LinkedHashMap<>(live);
    others.keySet().removeAll(growing.keySet());
    setConfigs(others);
    addPartitions(live);
    live.keySet().removeAll(refusals.topics());
    Set<Topic> moved = live.keySet().stream()
        .filter(topic -> topic.replicationFactor() != live.get(topic).replicationFactor()).collect(Collectors.toCollection(LinkedHashSet::new));
    Set<Topic> staying = new LinkedHashSet<>(live.keySet());
    staying.removeAll(moved);
    staying.removeAll(growing.keySet());
    settleApplied(staying);
    live.keySet().removeAll(staying);
    // Moves may take hours, in which this run may be interrupted.
    rememberSettled();
    moveReplicas(moved);
    growing.keySet().removeAll(refusals.topics());
    copied.keySet().removeAll(refusals.topics());
    if (!copied.isEmpty()) {
      awaitMoves(copied.keySet(), sidecar.retry("describing the brokers", this::brokers).size());
    }
    setConfigs(growing);
    live.keySet().removeAll(refusals.topics());
    settleApplied(live.keySet());
  }

  private void settleApplied(Collection<Topic> topics) throws InterruptedException {
    verify(topics, this::describe, (topic, actual) -> differences(topic, actual).isEmpty())
        .keySet().forEach(topic -> settle("reconciled", topic));
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
    begin(live.keySet().stream().filter(topic -> isAlterable(topic, live.get(topic))).toList());
    setConfigs(live);
    addPartitions(live);
    live.keySet().removeAll(refusals.topics());
    Set<Topic> reconciled = live.keySet().stream().filter(topic -> isAlterable(topic, live.get(topic))).collect(Collectors.toSet());
    live.putAll(verify(reconciled, this::describe, (topic, actual) -> !isAlterable(topic, actual)));
    live.forEach((topic, actual) -> {
      if (differences(topic, actual).isEmpty()) {
        settle("reconciled", topic);
      } else {
        sidecar.conclude(topic.name(), "reconcile",
            "not reconciled: kafka-init never removes partitions, and moves replicas only if their declaration changed");
      }
    });
    forgetBegun(differing.keySet().stream().filter(topic -> topic.onDrift().equals("reconcile") && !settled.contains(topic)).toList());
  }

  /** Sets and resets configs. */
  private void setConfigs(Map<Topic, Topic.Live> live) throws InterruptedException {
    Map<Topic, List<AlterConfigOp>> changes = new LinkedHashMap<>();
    live.forEach((topic, actual) -> changes.put(topic, configChanges(topic, actual)));
    changes.values().removeIf(List::isEmpty);
    write("setting configs of topics", changes.keySet(), "AlterConfigs", null, topics -> {
      Map<ConfigResource, Collection<AlterConfigOp>> asked = new HashMap<>();
      topics.forEach(topic -> asked.put(resource(topic), changes.get(topic)));
      Map<ConfigResource, KafkaFuture<Void>> results = admin.incrementalAlterConfigs(
          asked, new AlterConfigsOptions().timeoutMs(sidecar.callTimeoutMs(CALL_TIMEOUT_MS))).values();
      return topic -> results.get(resource(topic));
    }, (topic, nothing) -> { });
  }

  private void addPartitions(Map<Topic, Topic.Live> live) throws InterruptedException {
    List<Topic> partitions = live.keySet().stream().filter(topic -> topic.partitions() > live.get(topic).partitions()).toList();
    // InvalidPartitions means that another sidecar has already added them.
    write("adding partitions to topics", partitions, "Alter", InvalidPartitionsException.class, topics -> {
      Map<String, KafkaFuture<Void>> results = admin.createPartitions(
          topics.stream().collect(Collectors.toMap(Topic::name, topic -> NewPartitions.increaseTo(topic.partitions()))),
          new CreatePartitionsOptions().timeoutMs(sidecar.callTimeoutMs(CALL_TIMEOUT_MS))).values();
      return topic -> results.get(topic.name());
    }, (topic, nothing) -> { });
  }

  private List<AlterConfigOp> configChanges(Topic topic, Topic.Live live) {
    List<AlterConfigOp> changes = new ArrayList<>();
    topic.differingConfigs(live).forEach((key, value) -> changes.add(new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET)));
    topic.removedConfigs(live, memoryOf(topic)).forEach(
        key -> changes.add(new AlterConfigOp(new ConfigEntry(key, null), AlterConfigOp.OpType.DELETE)));
    return changes;
  }

  /** Gives topics their declared replication factor, and waits until the replicas have all records. */
  private void moveReplicas(Collection<Topic> topics) throws InterruptedException {
    if (topics.isEmpty()) {
      return;
    }
    Set<Topic> planned = new LinkedHashSet<>(topics);
    // New partitions have to be visible, since they move too.
    Map<Topic, TopicDescription> found = verify(
        planned, this::describeTopics, (topic, description) -> description.partitions().size() == topic.partitions());
    Collection<Node> brokers = sidecar.retry("describing the brokers", this::brokers);
    Map<Topic, Map<TopicPartition, Optional<NewPartitionReassignment>>> plans = new LinkedHashMap<>();
    found.forEach((topic, description) -> plans.put(topic, Reassignment.plan(description, topic.replicationFactor(), brokers)));
    write("moving replicas of topics", planned, "Alter on the cluster, and Alter", null, pending -> {
      Map<TopicPartition, Optional<NewPartitionReassignment>> asked = new LinkedHashMap<>();
      pending.forEach(topic -> asked.putAll(plans.get(topic)));
      Map<TopicPartition, KafkaFuture<Void>> results = admin.alterPartitionReassignments(
          asked, new AlterPartitionReassignmentsOptions().timeoutMs(sidecar.callTimeoutMs(CALL_TIMEOUT_MS))).values();
      return topic -> KafkaFuture.allOf(plans.get(topic).keySet().stream().map(results::get).toArray(KafkaFuture[]::new));
    }, (topic, nothing) -> { });
    planned.removeAll(refusals.topics());
    awaitMoves(planned, brokers.size());
  }

  private void awaitMoves(Collection<Topic> topics, int expectedBrokers) throws InterruptedException {
    sidecar.retry("moving replicas of topics", () -> waitForMoves(topics, expectedBrokers));
  }

  /** Returns the topics with another min.insync.replicas whose replicas an earlier run still moves: Kafka counts those that have no records yet. */
  private Map<Topic, Topic.Live> beingCopied(Map<Topic, Topic.Live> changed) throws InterruptedException {
    Map<Topic, Topic.Live> copied = new LinkedHashMap<>(changed);
    copied.entrySet().removeIf(entry -> !entry.getKey().differingConfigs(entry.getValue()).containsKey(TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG));
    if (!copied.isEmpty()) {
      List<String> moving = sidecar.retry("looking for replicas that move", this::movingPartitions);
      copied.keySet().removeIf(topic -> !moving.contains(topic.name()));
    }
    return copied;
  }

  /** Returns the topics of all partitions that move, with a topic once for each. */
  private List<String> movingPartitions() throws Sidecar.NotYet, InterruptedException {
    try {
      return admin.listPartitionReassignments().reassignments().get().keySet().stream().map(TopicPartition::topic).toList();
    } catch (ExecutionException e) {
      throw later(e);
    }
  }

  /** Waits without a deadline while all brokers are there: to copy records takes as long as it takes. */
  private Void waitForMoves(Collection<Topic> topics, int expected) throws Sidecar.NotYet, InterruptedException {
    List<String> names = names(topics);
    for (int poll = 0; ; poll++) {
      long moving = movingPartitions().stream().filter(names::contains).count();
      if (moving == 0) {
        return null;
      }
      int registered = brokers().size();
      if (registered < expected) {
        throw new Sidecar.NotYet(registered + " of " + expected + " brokers registered and unfenced; Kafka goes on with them by itself");
      }
      sidecar.progress();
      if (poll % POLLS_PER_LINE == 0) {
        sidecar.log("info", "moving", "partitions", moving);
        sidecar.flush();
      }
      Thread.sleep(MOVE_POLL_MS);
    }
  }

  private Collection<Node> brokers() throws Sidecar.NotYet, InterruptedException {
    try {
      return admin.describeCluster().nodes().get();
    } catch (ExecutionException e) {
      throw later(e);
    }
  }

  /** Ends the sidecar if a question about the cluster failed permanently. */
  private static Sidecar.NotYet later(ExecutionException e) {
    Throwable error = Refusals.unwrap(e);
    Refusals.finishOn(error, "Describe", "the cluster");
    return new Sidecar.NotYet(Refusals.text(error));
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
      live.put(topic, topic.live(found.get(topic), config));
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
  private Topic.Live liveOf(Topic topic, CreateTopicsResult result) throws InterruptedException {
    try {
      String name = topic.name();
      return new Topic.Live(
          result.numPartitions(name).get(), result.replicationFactor(name).get(), topic.inEffect(result.config(name).get()), Set.of());
    } catch (ExecutionException e) {
      return null;
    }
  }

  private static ConfigResource resource(Topic topic) {
    return new ConfigResource(ConfigResource.Type.TOPIC, topic.name());
  }

  private static List<String> names(Collection<Topic> topics) {
    return topics.stream().map(Topic::name).toList();
  }
}
