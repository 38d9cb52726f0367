import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.clients.admin.PartitionReassignment;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** The brokers and partitions of a cluster at one moment. */
record ClusterState(SortedMap<Integer, Broker> brokers, SortedMap<TopicPartition, Partition> partitions) {
  /** @param disks the log directories by path; empty if the broker does not serve */
  record Broker(int id, String rack, boolean serves, Map<String, LogDirDescription> disks) {}

  /**
   * @param replicas also those that a reassignment adds or removes
   * @param sizes the bytes of its replicas on brokers that serve
   */
  record Partition(
      List<Integer> replicas, Set<Integer> inSync, int leader, List<Integer> adding, List<Integer> removing, Map<Integer, Long> sizes) {
    /** Returns the size of the largest replica. */
    long bytes() {
      return sizes.values().stream().mapToLong(bytes -> bytes).max().orElse(0);
    }

    /** Returns the replicas once a reassignment is done. */
    List<Integer> settled() {
      return replicas.stream().filter(id -> !removing.contains(id)).toList();
    }

    /** Returns the replicas that a reassignment does not add. */
    List<Integer> former() {
      return replicas.stream().filter(id -> !adding.contains(id)).toList();
    }

    boolean isMoving() {
      return !adding.isEmpty() || !removing.isEmpty();
    }
  }

  private static final int NO_LEADER = -1;

  static ClusterState read(Admin admin) throws ExecutionException, InterruptedException {
    SortedMap<Integer, Broker> brokers = readBrokers(admin);
    Map<TopicPartition, Map<Integer, Long>> sizes = new HashMap<>();
    brokers.values().forEach(broker -> broker.disks().values().forEach(disk -> disk.replicaInfos().forEach((partition, replica) ->
        sizes.computeIfAbsent(partition, key -> new HashMap<>()).merge(broker.id(), replica.size(), Math::max))));
    Map<TopicPartition, PartitionReassignment> moving = admin.listPartitionReassignments().reassignments().get();
    SortedMap<TopicPartition, Partition> partitions = new TreeMap<>(Placement.ORDER);
    for (TopicDescription topic : describeTopics(admin)) {
      for (TopicPartitionInfo info : topic.partitions()) {
        TopicPartition partition = new TopicPartition(topic.name(), info.partition());
        PartitionReassignment move = moving.get(partition);
        partitions.put(partition, new Partition(
            info.replicas().stream().map(Node::id).toList(),
            info.isr().stream().map(Node::id).collect(Collectors.toCollection(TreeSet::new)),
            info.leader() == null ? NO_LEADER : info.leader().id(),
            move == null ? List.of() : move.addingReplicas(),
            move == null ? List.of() : move.removingReplicas(),
            sizes.getOrDefault(partition, Map.of())));
      }
    }
    return new ClusterState(brokers, partitions);
  }

  /** Reads the registered brokers. Kafka takes one that was killed for serving until its session ends, so waits for that. */
  static SortedMap<Integer, Broker> readBrokers(Admin admin) throws ExecutionException, InterruptedException {
    var nodes = describeNodes(admin);
    var disks = admin.describeLogDirs(nodes.stream().filter(node -> !node.isFenced()).map(Node::id).toList()).descriptions();
    SortedMap<Integer, Broker> brokers = new TreeMap<>();
    for (Node node : nodes) {
      try {
        brokers.put(node.id(), new Broker(node.id(), node.rack(), !node.isFenced(), node.isFenced() ? Map.of() : disks.get(node.id()).get()));
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof TimeoutException) || describeNodes(admin).stream().anyMatch(now -> now.id() == node.id() && !now.isFenced())) {
          throw e;
        }
        return readBrokers(admin);
      }
    }
    return brokers;
  }

  private static Collection<Node> describeNodes(Admin admin) throws ExecutionException, InterruptedException {
    return admin.describeCluster(new DescribeClusterOptions().includeFencedBrokers(true)).nodes().get();
  }

  /** Describes all topics, internal ones too. */
  private static Collection<TopicDescription> describeTopics(Admin admin) throws ExecutionException, InterruptedException {
    Set<String> names = admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get();
    return existing(admin.describeTopics(names).topicNameValues()).values();
  }

  /** Waits for the answers about topics or brokers. Leaves out topics that somebody has deleted since they were listed. */
  static <K, V> Map<K, V> existing(Map<K, KafkaFuture<V>> answers) throws ExecutionException, InterruptedException {
    Map<K, V> found = new LinkedHashMap<>();
    for (Map.Entry<K, KafkaFuture<V>> answer : answers.entrySet()) {
      try {
        found.put(answer.getKey(), answer.getValue().get());
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
          throw e;
        }
      }
    }
    return found;
  }

  /** Returns the state with brokers that do not exist yet, by id with their racks. Each has the disk of a broker in its rack, if there is one. */
  ClusterState joinedBy(Map<Integer, String> joining) {
    SortedMap<Integer, Broker> joined = new TreeMap<>(brokers);
    joining.forEach((id, rack) -> joined.putIfAbsent(id, new Broker(id, rack, false, brokers.values().stream()
        .filter(broker -> broker.serves() && Objects.equals(broker.rack(), rack))
        .map(Broker::disks).findFirst().orElse(Map.of()))));
    return new ClusterState(joined, partitions);
  }

  Set<Integer> serving() {
    return brokers.values().stream().filter(Broker::serves).map(Broker::id).collect(Collectors.toCollection(TreeSet::new));
  }

  /** Returns the racks of these brokers, and of all that hold replicas. */
  Map<Integer, String> racks(Set<Integer> ids) {
    Set<Integer> all = new HashSet<>(ids);
    partitions.values().forEach(partition -> all.addAll(partition.settled()));
    Map<Integer, String> racks = new TreeMap<>();
    all.forEach(id -> racks.put(id, brokers.containsKey(id) ? brokers.get(id).rack : null));
    return racks;
  }

  /** Returns the partitions as they are once all reassignments are done. */
  Map<TopicPartition, Placement.Replicas> settled() {
    Map<TopicPartition, Placement.Replicas> settled = new TreeMap<>(Placement.ORDER);
    partitions.forEach((partition, state) -> settled.put(partition, new Placement.Replicas(state.settled(), state.bytes())));
    return settled;
  }

  /** Returns the partitions of which one of these brokers has a replica, or will have one. */
  List<TopicPartition> on(Set<Integer> ids) {
    return partitions.keySet().stream().filter(partition -> partitions.get(partition).replicas.stream().anyMatch(ids::contains)).toList();
  }
}
