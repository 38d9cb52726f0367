import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;

/** Plans another replication factor of a topic: leaders stay, as few replicas move as possible, and they spread over racks and brokers. */
final class Reassignment {
  private final Map<Integer, Node> brokers = new TreeMap<>();
  /** The number of replicas of the topic by broker. */
  private final Map<Integer, Integer> load = new HashMap<>();

  private Reassignment(Collection<Node> nodes) {
    nodes.forEach(node -> brokers.put(node.id(), node));
  }

  /** Returns the new replicas of every partition whose number changes. */
  static Map<TopicPartition, Optional<NewPartitionReassignment>> plan(
      TopicDescription topic, int replicationFactor, Collection<Node> nodes) {
    Reassignment reassignment = new Reassignment(nodes);
    topic.partitions().forEach(partition -> partition.replicas().forEach(replica -> reassignment.load.merge(replica.id(), 1, Integer::sum)));
    Map<TopicPartition, Optional<NewPartitionReassignment>> plan = new LinkedHashMap<>();
    for (TopicPartitionInfo partition : topic.partitions()) {
      List<Integer> replicas = reassignment.resize(partition, replicationFactor);
      if (replicas.size() != partition.replicas().size()) {
        plan.put(new TopicPartition(topic.name(), partition.partition()), Optional.of(new NewPartitionReassignment(replicas)));
      }
    }
    return plan;
  }

  private List<Integer> resize(TopicPartitionInfo partition, int replicationFactor) {
    List<Integer> replicas = new ArrayList<>(partition.replicas().stream().map(Node::id).toList());
    Set<Integer> inSync = new HashSet<>(partition.isr().stream().map(Node::id).toList());
    while (replicas.size() > replicationFactor) {
      // The first one leads. Of the others, one that is out of sync goes first.
      Integer removed = replicas.subList(1, replicas.size()).stream()
          .max(Comparator.<Integer, Boolean>comparing(id -> !inSync.contains(id)).thenComparing(this::loadOf).thenComparing(id -> id))
          .orElseThrow();
      replicas.remove(removed);
      load.merge(removed, -1, Integer::sum);
    }
    while (replicas.size() < replicationFactor) {
      Optional<Integer> added = brokers.keySet().stream()
          .filter(id -> !replicas.contains(id))
          .min(Comparator.<Integer, Boolean>comparing(id -> isRackUsed(id, replicas)).thenComparing(this::loadOf).thenComparing(id -> id));
      if (added.isEmpty()) {
        // Kafka's answer says how many brokers it lacks.
        break;
      }
      replicas.add(added.get());
      load.merge(added.get(), 1, Integer::sum);
    }
    return replicas;
  }

  private int loadOf(int broker) {
    return load.getOrDefault(broker, 0);
  }

  private boolean isRackUsed(int broker, List<Integer> replicas) {
    String rack = brokers.get(broker).rack();
    return rack != null && replicas.stream().anyMatch(id -> brokers.containsKey(id) && rack.equals(brokers.get(id).rack()));
  }
}
