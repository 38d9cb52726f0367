import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.clients.admin.QuorumInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;

/** Finds out why brokers cannot leave. */
final class Departure {
  /** Kafka stops a broker whose disk is full. */
  private static final int PERCENT_THAT_STAYS_FREE = 5;
  private static final long MIB = 1 << 20;

  private final Admin admin;
  private final ClusterState state;
  private final Set<Integer> leaving;
  private final Set<Integer> left;
  private final List<String> refusals = new ArrayList<>();

  private Departure(Admin admin, ClusterState state, Set<Integer> leaving) {
    this.admin = admin;
    this.state = state;
    this.leaving = leaving;
    left = new TreeSet<>(state.brokers().keySet());
    left.removeAll(leaving);
  }

  /** Returns the reasons, each with the remedy. */
  static List<String> refusals(Admin admin, ClusterState state, Set<Integer> leaving, SortedMap<TopicPartition, List<Integer>> plan)
      throws ExecutionException, InterruptedException {
    Departure departure = new Departure(admin, state, leaving);
    departure.checkControllers();
    departure.checkBrokers();
    departure.checkTopics();
    departure.checkReplicas();
    departure.refusals.addAll(spaceRefusals(state, plan));
    return departure.refusals;
  }

  private void checkControllers() throws ExecutionException, InterruptedException {
    for (QuorumInfo.ReplicaState voter : admin.describeMetadataQuorum().quorumInfo().get().voters()) {
      if (leaving.contains(voter.replicaId())) {
        refusals.add(name(voter.replicaId()) + " is a controller, and a running cluster cannot change its controllers: keep it");
      }
    }
  }

  private void checkBrokers() {
    left.stream().filter(id -> !state.brokers().get(id).serves()).forEach(id -> refusals.add(
        name(id) + " does not answer and would have to take replicas: start it, and run the same command again"));
  }

  private void checkTopics() throws ExecutionException, InterruptedException {
    Map<String, Integer> factors = new TreeMap<>();
    state.partitions().forEach((partition, found) -> factors.merge(partition.topic(), found.settled().size(), Math::max));
    Map<ConfigResource, String> topics = new HashMap<>();
    factors.keySet().forEach(topic -> topics.put(new ConfigResource(ConfigResource.Type.TOPIC, topic), topic));
    Map<String, Integer> leastInSync = new HashMap<>();
    ClusterState.existing(admin.describeConfigs(topics.keySet()).values()).forEach((resource, config) ->
        leastInSync.put(resource.name(), Integer.valueOf(config.get(TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG).value())));
    factors.keySet().retainAll(leastInSync.keySet());
    factors.forEach((topic, factor) -> {
      if (factor > left.size()) {
        refusals.add("topic " + topic + " has replication factor " + factor + ", and " + brokers(left.size()) + " would be left: give it "
            + left.size() + " or fewer replicas, or keep " + factor + " brokers");
      }
      if (leastInSync.get(topic) > left.size()) {
        refusals.add("topic " + topic + " has min.insync.replicas=" + leastInSync.get(topic) + ", and " + brokers(left.size())
            + " would be left, so that it would accept no records: set min.insync.replicas to " + Math.max(1, left.size() - 1) + " or less");
      }
    });
  }

  /** Replicas that are missing only with a leaving broker are no obstacle, if another one has all records. */
  private void checkReplicas() {
    Set<Integer> serving = state.serving();
    state.partitions().forEach((partition, found) -> {
      List<Integer> behind = found.former().stream().filter(id -> left.contains(id) && !found.inSync().contains(id)).toList();
      if (found.inSync().stream().noneMatch(serving::contains)) {
        refusals.add("partition " + partition + " has all records only on " + names(found.inSync()) + ", which does not answer: start it, and "
            + "run the same command again");
      } else if (!behind.isEmpty()) {
        refusals.add("partition " + partition + " is under-replicated: " + names(behind)
            + " does not have all records. Wait until it has them, and run the same command again");
      }
    });
  }

  /** Returns the disks that cannot take what a plan moves to them. */
  static List<String> spaceRefusals(ClusterState state, SortedMap<TopicPartition, List<Integer>> plan) {
    Map<Integer, Long> incoming = new TreeMap<>();
    plan.forEach((partition, replicas) -> {
      ClusterState.Partition found = state.partitions().get(partition);
      replicas.stream().filter(id -> !found.replicas().contains(id)).forEach(id -> incoming.merge(id, found.bytes(), Long::sum));
    });
    List<String> refusals = new ArrayList<>();
    // Disks of equal size in one rack are one: that of the machine.
    Map<String, Long> ofDisk = new HashMap<>();
    incoming.forEach((id, bytes) -> ofDisk.merge(diskOf(state, id), bytes, Long::sum));
    incoming.keySet().forEach(id -> state.brokers().get(id).disks().forEach((path, disk) -> {
      if (disk.error() != null) {
        refusals.add("the disk of " + name(id) + " (" + path + ") has an error: " + disk.error().getMessage());
        return;
      }
      long free = disk.usableBytes().orElse(Long.MAX_VALUE) - disk.totalBytes().orElse(0) / 100 * PERCENT_THAT_STAYS_FREE;
      long needed = ofDisk.get(diskOf(state, id));
      if (needed > free) {
        refusals.add("the disk of " + name(id) + " (" + path + ") cannot take " + needed / MIB + " MiB: it has "
            + disk.usableBytes().orElse(0) / MIB + " MiB free, and " + PERCENT_THAT_STAYS_FREE + " % of its "
            + disk.totalBytes().orElse(0) / MIB + " MiB have to stay free. Free space, or shorten the retention of topics");
      }
    }));
    return refusals;
  }

  private static String diskOf(ClusterState state, int id) {
    ClusterState.Broker broker = state.brokers().get(id);
    return broker.rack() + " " + broker.disks().values().stream().mapToLong((LogDirDescription disk) -> disk.totalBytes().orElse(id)).sum();
  }

  static String name(int id) {
    return "kafka-" + id;
  }

  static String names(Iterable<Integer> ids) {
    List<String> names = new ArrayList<>();
    ids.forEach(id -> names.add(name(id)));
    return names.stream().collect(Collectors.joining(" and "));
  }

  private static String brokers(int count) {
    return count + (count == 1 ? " broker" : " brokers");
  }
}
