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
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.common.TopicPartition;

/**
 * Plans on which brokers replicas are, without a question to the cluster. The same cluster gives the same plan. A partition's first replica
 * is its preferred leader.
 */
final class Placement {
  static final Comparator<TopicPartition> ORDER = Comparator.comparing(TopicPartition::topic).thenComparing(TopicPartition::partition);

  /** The replicas of a partition, and the size of one of them. */
  record Replicas(List<Integer> brokers, long bytes) {}

  /** How well a move spreads the topic over the brokers, the best first. */
  private enum Spread { BETTER, SAME, WORSE }

  private record Move(TopicPartition partition, Spread spread, long missedBytes) {}

  /** The racks of the brokers that hold replicas in the end, by id. A broker without one is a rack of its own. */
  private final SortedMap<Integer, String> racks = new TreeMap<>();
  private final SortedMap<TopicPartition, Replicas> before = new TreeMap<>(ORDER);
  private final SortedMap<TopicPartition, List<Integer>> after = new TreeMap<>(ORDER);
  private final Map<Integer, TreeSet<TopicPartition>> held = new HashMap<>();
  private final Map<Integer, Map<String, Integer>> heldOfTopic = new HashMap<>();
  private final Map<Integer, Long> bytes = new HashMap<>();
  private final int replicasOfEach;
  private final long bytesOfEach;

  private Placement(Map<Integer, String> racks, Map<TopicPartition, Replicas> partitions) {
    racks.forEach((id, rack) -> this.racks.put(id, rack == null ? "broker " + id : rack));
    before.putAll(partitions);
    racks.keySet().forEach(id -> held.put(id, new TreeSet<>(ORDER)));
    before.forEach((partition, replicas) -> {
      after.put(partition, new ArrayList<>(replicas.brokers));
      replicas.brokers.forEach(id -> count(partition, id, 1));
    });
    replicasOfEach = before.values().stream().mapToInt(replicas -> replicas.brokers.size()).sum() / racks.size();
    bytesOfEach = before.values().stream().mapToLong(replicas -> replicas.bytes * replicas.brokers.size()).sum() / racks.size();
  }

  /**
   * Returns the new replicas of the partitions that change so that all brokers have equally many, except for one, and about equally many
   * bytes. Replicas move only from a broker with more to one with less, and stay on as many racks as they are.
   *
   * @param takers the brokers to which replicas may move
   */
  static SortedMap<TopicPartition, List<Integer>> spread(
      Map<Integer, String> racks, Set<Integer> takers, Map<TopicPartition, Replicas> partitions) {
    Placement placement = new Placement(racks, partitions);
    boolean moved = false;
    while (placement.moveOne(takers)) {
      moved = true;
    }
    if (moved) {
      placement.spreadLeaders();
    }
    return placement.changes();
  }

  /** Returns the new replicas of the partitions that have one on another broker than these. */
  static SortedMap<TopicPartition, List<Integer>> vacate(Map<Integer, String> racks, Map<TopicPartition, Replicas> partitions) {
    Placement placement = new Placement(racks, partitions);
    boolean moved = placement.vacate();
    if (moved) {
      placement.spreadLeaders();
    }
    return placement.changes();
  }

  private SortedMap<TopicPartition, List<Integer>> changes() {
    SortedMap<TopicPartition, List<Integer>> changes = new TreeMap<>(ORDER);
    after.forEach((partition, replicas) -> {
      if (!replicas.equals(before.get(partition).brokers)) {
        changes.put(partition, replicas);
      }
    });
    return changes;
  }

  /** Moves a replica between the brokers that differ most and have one that may move. Returns false if no two differ by more than one. */
  private boolean moveOne(Set<Integer> takers) {
    List<Integer> ascending = new ArrayList<>(racks.keySet());
    ascending.sort(Comparator.<Integer>comparingInt(id -> held.get(id).size()).thenComparing(this::bytesOn).thenComparing(id -> id));
    for (int to : ascending.stream().filter(takers::contains).toList()) {
      for (int i = ascending.size() - 1; i >= 0; i--) {
        int from = ascending.get(i);
        if (held.get(from).size() - held.get(to).size() < 2) {
          break;
        }
        Optional<Move> best = best(from, to);
        if (best.isPresent()) {
          move(best.get().partition, from, to);
          return true;
        }
      }
    }
    return false;
  }

  private Optional<Move> best(int from, int to) {
    // The size of each further replica with which the broker ends with its share of the bytes.
    long wanted = Math.max(0, bytesOfEach - bytesOn(to)) / Math.max(1, replicasOfEach - held.get(to).size());
    return held.get(from).stream()
        .filter(partition -> mayMove(partition, from, to))
        .map(partition -> new Move(partition, spreadOf(partition.topic(), from, to), Math.abs(before.get(partition).bytes - wanted)))
        .min(Comparator.comparing(Move::spread).thenComparing(Move::missedBytes).thenComparing(Move::partition, ORDER));
  }

  private boolean mayMove(TopicPartition partition, int from, int to) {
    List<Integer> replicas = after.get(partition);
    return !replicas.contains(to) && racksOf(replacing(replicas, from, to)) >= racksOf(replicas);
  }

  private Spread spreadOf(String topic, int from, int to) {
    int difference = ofTopic(from, topic) - ofTopic(to, topic);
    return difference > 1 ? Spread.BETTER : difference == 1 ? Spread.SAME : Spread.WORSE;
  }

  /** Moves the replicas of all other brokers, the largest first: the small ones then make up for the differences. */
  private boolean vacate() {
    List<TopicPartition> leaving = new ArrayList<>(after.keySet());
    leaving.removeIf(partition -> racks.keySet().containsAll(after.get(partition)));
    leaving.sort(Comparator.<TopicPartition>comparingLong(partition -> -before.get(partition).bytes).thenComparing(ORDER));
    boolean moved = false;
    for (TopicPartition partition : leaving) {
      for (int from : List.copyOf(after.get(partition))) {
        if (!racks.containsKey(from)) {
          Optional<Integer> to = racks.keySet().stream()
              .filter(id -> !after.get(partition).contains(id))
              .min(Comparator.<Integer>comparingInt(id -> -racksOf(replacing(after.get(partition), from, id)))
                  .thenComparing(id -> held.get(id).size())
                  .thenComparing(id -> ofTopic(id, partition.topic()))
                  .thenComparing(this::bytesOn)
                  .thenComparing(id -> id));
          to.ifPresent(id -> move(partition, from, id));
          moved |= to.isPresent();
        }
      }
    }
    return moved;
  }

  /** Changes the order of replicas, which moves no data, until all brokers are the preferred leader of equally many partitions, except for one. */
  private void spreadLeaders() {
    Map<Integer, TreeSet<TopicPartition>> led = new HashMap<>();
    racks.keySet().forEach(id -> led.put(id, new TreeSet<>(ORDER)));
    after.forEach((partition, replicas) -> led.computeIfAbsent(replicas.get(0), id -> new TreeSet<>(ORDER)).add(partition));
    while (racks.keySet().stream()
        .sorted(Comparator.<Integer>comparingInt(id -> -led.get(id).size()).thenComparing(id -> id))
        .anyMatch(id -> handOver(id, led))) {
      // Each hand-over makes the leaders more even.
    }
  }

  /** Hands a partition over to a broker that leads at least two fewer, along a shortest chain of brokers that each hand one over. */
  private boolean handOver(int most, Map<Integer, TreeSet<TopicPartition>> led) {
    Map<Integer, TopicPartition> takenOver = new LinkedHashMap<>();
    List<Integer> queue = new ArrayList<>(List.of(most));
    for (int i = 0; i < queue.size(); i++) {
      int giver = queue.get(i);
      for (TopicPartition partition : changedFirst(led.get(giver))) {
        for (int taker : after.get(partition)) {
          if (taker == most || !racks.containsKey(taker) || takenOver.containsKey(taker)) {
            continue;
          }
          takenOver.put(taker, partition);
          queue.add(taker);
          if (led.get(taker).size() <= led.get(most).size() - 2) {
            for (int to = taker; to != most; ) {
              to = lead(takenOver.get(to), to, led);
            }
            return true;
          }
        }
      }
    }
    return false;
  }

  /** Partitions that move anyway come first, so that few others change. */
  private List<TopicPartition> changedFirst(Collection<TopicPartition> partitions) {
    List<TopicPartition> sorted = new ArrayList<>(partitions);
    sorted.sort(Comparator.<TopicPartition, Boolean>comparing(partition -> after.get(partition).equals(before.get(partition).brokers)).thenComparing(ORDER));
    return sorted;
  }

  /** Makes a broker the preferred leader. Returns the former one. */
  private int lead(TopicPartition partition, int leader, Map<Integer, TreeSet<TopicPartition>> led) {
    List<Integer> replicas = after.get(partition);
    int former = replicas.set(0, leader);
    replicas.set(1 + replicas.subList(1, replicas.size()).indexOf(leader), former);
    led.get(former).remove(partition);
    led.get(leader).add(partition);
    return former;
  }

  private void move(TopicPartition partition, int from, int to) {
    after.put(partition, replacing(after.get(partition), from, to));
    count(partition, from, -1);
    count(partition, to, 1);
  }

  private static List<Integer> replacing(List<Integer> replicas, int from, int to) {
    List<Integer> replaced = new ArrayList<>(replicas);
    replaced.set(replaced.indexOf(from), to);
    return replaced;
  }

  private void count(TopicPartition partition, int broker, int change) {
    TreeSet<TopicPartition> partitions = held.computeIfAbsent(broker, id -> new TreeSet<>(ORDER));
    if (change > 0) {
      partitions.add(partition);
    } else {
      partitions.remove(partition);
    }
    heldOfTopic.computeIfAbsent(broker, id -> new HashMap<>()).merge(partition.topic(), change, Integer::sum);
    bytes.merge(broker, change * before.get(partition).bytes, Long::sum);
  }

  private int ofTopic(int broker, String topic) {
    return heldOfTopic.getOrDefault(broker, Map.of()).getOrDefault(topic, 0);
  }

  private long bytesOn(int broker) {
    return bytes.getOrDefault(broker, 0L);
  }

  private int racksOf(List<Integer> replicas) {
    Set<String> different = new HashSet<>();
    replicas.forEach(id -> different.add(racks.getOrDefault(id, "gone")));
    return different.size();
  }
}
