import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.BrokerIdNotRegisteredException;
import org.apache.kafka.common.errors.ElectionNotNeededException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.NoReassignmentInProgressException;
import org.apache.kafka.common.errors.PreferredLeaderNotAvailableException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * The brokers of a cluster, which take over replicas when they join and hand them over before they leave. Kafka carries out a move by itself.
 * So each method may be called again after it ended in the middle: it then continues.
 */
final class Members {
  /** A failure with the words for the user. */
  @SuppressWarnings("serial")
  static final class Refused extends RuntimeException {
    Refused(String message) {
      super(message);
    }
  }

  /** What is moved, or left to move. */
  record Moves(long replicas, long bytes) {}

  /** The number of metadata.version 4.3-IV0, below which a cordon has no effect. */
  private static final int CORDONS_SINCE = 30;
  private static final long FIRST_POLL_MS = 200;
  private static final long LAST_POLL_MS = 2_000;
  private static final int CORDON_POLLS = 50;
  private static final int FENCE_POLLS = 300;
  private static final int STALE_POLLS = 15;
  private static final long SHORT_POLL_MS = 200;

  private final Admin admin;
  private final MoveSettings settings;
  /** From before a broker joins until it has its share: a topic that is created meanwhile gives it some replicas. */
  private final BrokerMarks unfilled;
  /** From before a drain until the broker is forgotten or kept. An operator may change the rates that `settings` marks. */
  private final BrokerMarks leaving;
  private final Consumer<Moves> onMove;

  Members(Admin admin, Supplier<Admin> controllers, Consumer<Moves> onMove) {
    this.admin = admin;
    this.onMove = onMove;
    settings = new MoveSettings(admin, controllers);
    unfilled = new BrokerMarks(admin, "unfilled");
    leaving = new BrokerMarks(admin, "leaving");
  }

  /** Returns what moves when brokers leave. Adds why they cannot to the refusals. */
  Moves describeDeparture(Set<Integer> leaving, List<String> refusals) throws ExecutionException, InterruptedException {
    ClusterState state = ClusterState.read(admin);
    SortedMap<TopicPartition, List<Integer>> plan = departure(state, leaving);
    refusals.addAll(Departure.refusals(admin, state, leaving, plan));
    long replicas = 0;
    long bytes = 0;
    for (TopicPartition partition : state.on(leaving)) {
      ClusterState.Partition found = state.partitions().get(partition);
      long moving = found.replicas().stream().filter(leaving::contains).count();
      replicas += moving;
      bytes += moving * found.bytes();
    }
    return new Moves(replicas, bytes);
  }

  private static SortedMap<TopicPartition, List<Integer>> departure(ClusterState state, Set<Integer> leaving) {
    Set<Integer> staying = state.serving();
    staying.removeAll(leaving);
    Map<Integer, String> racks = state.racks(staying);
    racks.keySet().removeAll(leaving);
    return Placement.vacate(racks, state.settled());
  }

  /** Moves all replicas off these brokers, and returns when none is left. */
  void drain(Set<Integer> drained, long bytesPerSecond) throws ExecutionException, InterruptedException {
    ClusterState state = ClusterState.read(admin);
    List<String> refusals = Departure.refusals(admin, state, drained, departure(state, drained));
    if (!refusals.isEmpty()) {
      throw new Refused(String.join("\n", refusals));
    }
    Set<Integer> registered = new TreeSet<>(drained);
    registered.retainAll(state.brokers().keySet());
    Set<Integer> serving = state.serving();
    Set<Integer> cordoned = new TreeSet<>(registered);
    cordoned.retainAll(canCordon() ? serving : Set.of());
    Set<Integer> marked = leaving.read();
    Set<Integer> all = new TreeSet<>(marked);
    all.addAll(registered);
    leaving.write(marked, all);
    settings.leave(registered, cordoned, bytesPerSecond);
    if (!cordoned.isEmpty()) {
      awaitCordon(serving.size() - cordoned.size() + 1);
    }
    // Again, for replicas that a new topic placed there meanwhile.
    while (!state.on(drained).isEmpty()) {
      SortedMap<TopicPartition, List<Integer>> plan = departure(state, drained);
      if (plan.isEmpty() && state.partitions().values().stream().noneMatch(ClusterState.Partition::isMoving)) {
        throw new Refused("no other broker can take partition " + state.on(drained).get(0) + ": run the same command again");
      }
      move(plan, state, bytesPerSecond);
      state = await(serving, partition -> partition.replicas().stream().anyMatch(drained::contains), removals(plan, state));
    }
    settle(state);
  }

  private boolean canCordon() throws ExecutionException, InterruptedException {
    var version = admin.describeFeatures().featureMetadata().get().finalizedFeatures().get("metadata.version");
    return version != null && version.maxVersionLevel() >= CORDONS_SINCE;
  }

  /** Waits until the controller knows the cordons, which brokers tell it with a heartbeat: it then finds too few for a topic on one broker more. */
  private void awaitCordon(int brokers) throws ExecutionException, InterruptedException {
    NewTopic topic = new NewTopic("__groundwork_cordon", 1, (short) brokers);
    for (int poll = 0; poll < CORDON_POLLS; poll++) {
      try {
        admin.createTopics(List.of(topic), new CreateTopicsOptions().validateOnly(true)).all().get();
      } catch (ExecutionException e) {
        if (e.getCause() instanceof InvalidReplicationFactorException) {
          return;
        }
        throw e;
      }
      Thread.sleep(SHORT_POLL_MS);
    }
    throw new Refused("Kafka accepted cordoned.log.dirs of the leaving brokers, and still gives them replicas: run the same command again");
  }

  /** Submits all moves at once, so that Kafka carries them out even if this program ends. */
  private void move(SortedMap<TopicPartition, List<Integer>> plan, ClusterState state, long bytesPerSecond)
      throws ExecutionException, InterruptedException {
    if (plan.isEmpty()) {
      return;
    }
    settings.throttle(plan, state, bytesPerSecond);
    Map<TopicPartition, Optional<NewPartitionReassignment>> asked = new HashMap<>();
    plan.forEach((partition, replicas) -> asked.put(partition, Optional.of(new NewPartitionReassignment(replicas))));
    for (var answer : admin.alterPartitionReassignments(asked).values().entrySet()) {
      try {
        answer.getValue().get();
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
          throw new Refused("Kafka does not move partition " + answer.getKey() + ": " + e.getCause().getMessage());
        }
      }
    }
  }

  /** Returns the brokers that a plan takes each partition off. */
  private static Map<TopicPartition, Set<Integer>> removals(SortedMap<TopicPartition, List<Integer>> plan, ClusterState state) {
    Map<TopicPartition, Set<Integer>> removals = new HashMap<>();
    plan.forEach((partition, replicas) -> {
      Set<Integer> removed = new TreeSet<>(state.partitions().get(partition).replicas());
      replicas.forEach(removed::remove);
      removals.put(partition, removed);
    });
    return removals;
  }

  /**
   * Waits until these partitions have been moved. To copy takes as long as it takes while all brokers are there. The controller tells at once
   * that a move is done, and a broker describes the partition with the removed replicas until it has caught up with the controller.
   *
   * @param removals the brokers that the partitions leave, as far as that is known. Adds what the controller tells.
   */
  private ClusterState await(Set<Integer> expected, Predicate<ClusterState.Partition> isAwaited, Map<TopicPartition, Set<Integer>> removals)
      throws ExecutionException, InterruptedException {
    int stalePolls = 0;
    for (long pollMs = FIRST_POLL_MS; ; pollMs = Math.min(2 * pollMs, LAST_POLL_MS)) {
      ClusterState state = ClusterState.read(admin);
      state.partitions().forEach((partition, found) -> {
        if (found.isMoving()) {
          removals.put(partition, Set.copyOf(found.removing()));
        }
      });
      List<ClusterState.Partition> moving = state.partitions().values().stream()
          .filter(partition -> partition.isMoving() && isAwaited.test(partition)).toList();
      boolean isStale = state.partitions().entrySet().stream().anyMatch(entry -> isAwaited.test(entry.getValue())
          && entry.getValue().replicas().stream().anyMatch(removals.getOrDefault(entry.getKey(), Set.of())::contains));
      // Not for ever: somebody may have cancelled a move.
      if (moving.isEmpty() && (!isStale || stalePolls++ == STALE_POLLS)) {
        return state;
      }
      Set<Integer> missing = new TreeSet<>(expected);
      missing.removeAll(state.serving());
      if (!missing.isEmpty()) {
        throw new Refused(Departure.names(missing) + " does not answer any more. Kafka continues with the moves by itself once it is back: "
            + "start it, and run the same command again");
      }
      onMove.accept(left(moving));
      Thread.sleep(pollMs);
    }
  }

  private static Moves left(List<ClusterState.Partition> moving) {
    long replicas = 0;
    long bytes = 0;
    for (ClusterState.Partition partition : moving) {
      for (int id : partition.adding()) {
        if (!partition.inSync().contains(id)) {
          replicas++;
          bytes += Math.max(0, partition.bytes() - partition.sizes().getOrDefault(id, 0L));
        }
      }
    }
    return new Moves(replicas, bytes);
  }

  /** Gives each partition its preferred leader and removes the throttle, unless replicas still move. Returns whether there was a throttle. */
  private boolean settle(ClusterState state) throws ExecutionException, InterruptedException {
    if (state.partitions().values().stream().anyMatch(ClusterState.Partition::isMoving)) {
      return false;
    }
    Set<TopicPartition> others = new TreeSet<>(Placement.ORDER);
    state.partitions().forEach((partition, found) -> {
      if (found.leader() != found.replicas().get(0) && found.inSync().contains(found.replicas().get(0))) {
        others.add(partition);
      }
    });
    if (!others.isEmpty()) {
      for (var answer : admin.electLeaders(ElectionType.PREFERRED, others).partitions().get().entrySet()) {
        Throwable error = answer.getValue().orElse(null);
        // Kafka elects one by itself that becomes available later.
        if (error != null && !(error instanceof ElectionNotNeededException || error instanceof PreferredLeaderNotAvailableException
            || error instanceof UnknownTopicOrPartitionException)) {
          throw new Refused("Kafka does not elect the preferred leader of " + answer.getKey() + ": " + error.getMessage());
        }
      }
    }
    return settings.unthrottle(state);
  }

  /** Unregisters brokers that are drained and stopped, and removes what `drain` set for them. */
  void forget(Set<Integer> drained) throws ExecutionException, InterruptedException {
    ClusterState state = ClusterState.read(admin);
    for (int poll = 0; state.serving().stream().anyMatch(drained::contains); poll++) {
      if (poll == FENCE_POLLS) {
        throw new Refused(Departure.names(drained) + " still answers: stop it, and run the same command again");
      }
      Thread.sleep(SHORT_POLL_MS);
      state = ClusterState.read(admin);
    }
    // A broker may describe a move that is done as one that goes on.
    for (int poll = 0; poll < STALE_POLLS && !state.on(drained).isEmpty(); poll++) {
      Thread.sleep(SHORT_POLL_MS);
      state = ClusterState.read(admin);
    }
    List<TopicPartition> held = state.on(drained);
    if (!held.isEmpty()) {
      throw new Refused(Departure.names(drained) + " got replicas of " + held.size() + " partitions meanwhile, such as " + held.get(0)
          + ": run the same command again");
    }
    Set<Integer> registered = new TreeSet<>(drained);
    registered.retainAll(state.brokers().keySet());
    // First, since the controllers change nothing of a broker that they do not know.
    settings.forget(registered);
    for (int id : registered) {
      try {
        admin.unregisterBroker(id).all().get();
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof BrokerIdNotRegisteredException)) {
          throw e;
        }
      }
    }
    Set<Integer> marked = leaving.read();
    Set<Integer> left = new TreeSet<>(marked);
    left.removeAll(drained);
    leaving.write(marked, left);
  }

  /**
   * Returns what moves when brokers have joined. Adds why it cannot to the refusals.
   *
   * @param joining the racks of brokers that do not exist yet, by id
   */
  Moves describeArrival(Map<Integer, String> joining, List<String> refusals) throws ExecutionException, InterruptedException {
    ClusterState state = ClusterState.read(admin);
    Map<Integer, String> racks = new TreeMap<>(state.racks(state.serving()));
    Set<Integer> marked = unfilled.read();
    boolean isNew = joining.keySet().stream().anyMatch(id -> marked.contains(id) || state.on(Set.of(id)).isEmpty());
    racks.putAll(joining);
    if (!isNew) {
      return new Moves(0, 0);
    }
    SortedMap<TopicPartition, List<Integer>> plan = Placement.spread(racks, racks.keySet(), state.settled());
    refusals.addAll(Departure.spaceRefusals(state.joinedBy(joining), plan));
    return movesOf(plan, state);
  }

  private static Moves movesOf(SortedMap<TopicPartition, List<Integer>> plan, ClusterState state) {
    long replicas = 0;
    long bytes = 0;
    for (var move : plan.entrySet()) {
      ClusterState.Partition found = state.partitions().get(move.getKey());
      long added = move.getValue().stream().filter(id -> !found.settled().contains(id)).count();
      replicas += added;
      bytes += added * found.bytes();
    }
    return new Moves(replicas, bytes);
  }

  /** Gives brokers that are unfilled, or hold no replica, their share, and finishes what an earlier run began. */
  void fill(long bytesPerSecond) throws ExecutionException, InterruptedException {
    ClusterState state = ClusterState.read(admin);
    Set<Integer> marked = unfilled.read();
    if (!marked.isEmpty() || !settings.throttled(state.serving()).isEmpty()) {
      state = await(state.serving(), partition -> true, new HashMap<>());
      settle(state);
    }
    Set<Integer> takers = state.serving();
    takers.removeAll(settings.cordoned(takers));
    if (!arrival(state, takers, marked).isEmpty()) {
      // Those of somebody else.
      state = await(state.serving(), partition -> true, new HashMap<>());
      SortedMap<TopicPartition, List<Integer>> plan = arrival(state, takers, marked);
      List<String> refusals = Departure.spaceRefusals(state, plan);
      if (!refusals.isEmpty()) {
        throw new Refused(String.join("\n", refusals));
      }
      move(plan, state, bytesPerSecond);
      state = await(state.serving(), partition -> true, removals(plan, state));
      settle(state);
    }
    Set<Integer> left = new TreeSet<>(marked);
    left.removeAll(takers);
    unfilled.write(marked, left);
  }

  private static SortedMap<TopicPartition, List<Integer>> arrival(ClusterState state, Set<Integer> takers, Set<Integer> unfilled) {
    Set<Integer> filled = new TreeSet<>();
    state.partitions().values().forEach(partition -> filled.addAll(partition.settled()));
    filled.removeAll(unfilled);
    return filled.containsAll(takers) ? new TreeMap<>() : Placement.spread(state.racks(takers), takers, state.settled());
  }

  /**
   * Takes back a drain of brokers that stay, and a throttle without moves. Calls `onUndone` with what it took back. Marks those as unfilled that
   * do not exist yet, and those that were drained in part.
   */
  void keep(Set<Integer> staying, Consumer<String> onUndone) throws ExecutionException, InterruptedException {
    Set<Integer> marked = unfilled.read();
    Map<Integer, ClusterState.Broker> brokers = ClusterState.readBrokers(admin);
    Set<Integer> missing = new TreeSet<>(staying);
    missing.removeAll(brokers.keySet());
    Set<Integer> serving = new TreeSet<>(staying);
    serving.removeIf(id -> !brokers.containsKey(id) || !brokers.get(id).serves());
    Set<Integer> throttled = settings.throttled(serving);
    Set<Integer> formerlyLeaving = leaving.read();
    Set<Integer> kept = settings.leaving(throttled);
    serving.stream().filter(formerlyLeaving::contains).forEach(kept::add);
    Set<Integer> owed = new TreeSet<>(marked);
    owed.retainAll(staying);
    owed.addAll(missing);
    owed.addAll(kept);
    unfilled.write(marked, owed);
    if (throttled.isEmpty() && kept.isEmpty()) {
      return;
    }
    ClusterState state = ClusterState.read(admin);
    Map<TopicPartition, Optional<NewPartitionReassignment>> cancelled = new HashMap<>();
    state.partitions().forEach((partition, found) -> {
      if (found.removing().stream().anyMatch(kept::contains)) {
        cancelled.put(partition, Optional.empty());
      }
    });
    for (var answer : admin.alterPartitionReassignments(cancelled).values().entrySet()) {
      try {
        answer.getValue().get();
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof NoReassignmentInProgressException || e.getCause() instanceof UnknownTopicOrPartitionException)) {
          throw new Refused("Kafka does not cancel the move of partition " + answer.getKey() + ": " + e.getCause().getMessage());
        }
      }
    }
    if (!kept.isEmpty()) {
      // None if the drain was interrupted before it set one, or after it removed what it had set.
      Set<Integer> cordoned = settings.cordoned(kept);
      settings.stay(kept);
      Set<Integer> stillLeaving = new TreeSet<>(formerlyLeaving);
      stillLeaving.removeAll(kept);
      leaving.write(formerlyLeaving, stillLeaving);
      if (!cordoned.isEmpty()) {
        onUndone.accept("removed the cordon of " + Departure.names(cordoned));
      }
      if (!cancelled.isEmpty()) {
        onUndone.accept("cancelled the moves of " + cancelled.size() + (cancelled.size() == 1 ? " partition off " : " partitions off ")
            + Departure.names(kept));
      }
    }
    state = ClusterState.read(admin);
    boolean isMoving = state.partitions().values().stream().anyMatch(ClusterState.Partition::isMoving);
    boolean wasThrottled = settle(state) || !throttled.isEmpty();
    if (wasThrottled && !isMoving) {
      onUndone.accept("removed the replication throttle");
    }
  }
}
