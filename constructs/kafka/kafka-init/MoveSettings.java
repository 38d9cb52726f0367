import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.function.BiPredicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;

/**
 * What a move of replicas sets in the cluster and takes back: a throttle of what brokers copy, and the cordon of a leaving broker, which gets
 * no new replicas. Kafka keeps them until somebody removes them. A mark in their values tells them from those of an operator, which stay.
 */
final class MoveSettings {
  private static final String CORDON = "cordoned.log.dirs";
  private static final List<String> RATES = List.of("leader.replication.throttled.rate", "follower.replication.throttled.rate");
  private static final String OF_LEADERS = "leader.replication.throttled.replicas";
  private static final String OF_FOLLOWERS = "follower.replication.throttled.replicas";
  /** The last digits of a rate that this program set, in bytes a second, and of the rate of a leaving broker. Nobody types such a number. */
  private static final long MARK = 701;
  private static final long LEAVING_MARK = 702;
  private static final long MARK_DIGITS = 1000;
  /** The first entry of a list of replicas that this program set: partition 0 on broker 0. The ids of brokers start with 1. */
  private static final String LIST_MARK = "0:0";

  private final Admin admin;
  /** A client of the controllers, which also change what is set for registered brokers that do not answer. Only the broker itself tells it. */
  private final Supplier<Admin> controllers;

  MoveSettings(Admin admin, Supplier<Admin> controllers) {
    this.admin = admin;
    this.controllers = controllers;
  }

  /** Returns which of these brokers, which serve, this program throttled, and which it marked as leaving. */
  Set<Integer> throttled(Collection<Integer> brokers) throws ExecutionException, InterruptedException {
    return marked(brokers, Set.of(MARK, LEAVING_MARK));
  }

  Set<Integer> leaving(Collection<Integer> brokers) throws ExecutionException, InterruptedException {
    return marked(brokers, Set.of(LEAVING_MARK));
  }

  /** Returns which of these brokers, which serve, get no new replicas. Asks for the config, since clients before 4.3 do not know cordons. */
  Set<Integer> cordoned(Collection<Integer> brokers) throws ExecutionException, InterruptedException {
    Set<Integer> cordoned = new TreeSet<>();
    dynamic(brokers.stream().map(MoveSettings::broker).toList()).forEach((broker, configs) -> {
      if (configs.containsKey(CORDON)) {
        cordoned.add(Integer.valueOf(broker.name()));
      }
    });
    return cordoned;
  }

  private Set<Integer> marked(Collection<Integer> brokers, Set<Long> marks) throws ExecutionException, InterruptedException {
    Set<Integer> marked = new TreeSet<>();
    dynamic(brokers.stream().map(MoveSettings::broker).toList()).forEach((broker, configs) -> {
      if (RATES.stream().anyMatch(rate -> marks.contains(markOf(configs.get(rate))))) {
        marked.add(Integer.valueOf(broker.name()));
      }
    });
    return marked;
  }

  private static long markOf(String rate) {
    return rate == null ? 0 : Long.parseLong(rate) % MARK_DIGITS;
  }

  /** Marks brokers as leaving, and cordons those of them that serve if the cluster can. In this order, so that no cordon is without a mark. */
  void leave(Set<Integer> brokers, Set<Integer> cordoned, long bytesPerSecond) throws ExecutionException, InterruptedException {
    Map<ConfigResource, Collection<AlterConfigOp>> marks = new HashMap<>();
    brokers.forEach(id -> marks.put(broker(id), RATES.stream().map(rate -> set(rate, rate(bytesPerSecond, LEAVING_MARK))).toList()));
    alter(marks);
    Map<ConfigResource, Collection<AlterConfigOp>> cordons = new HashMap<>();
    cordoned.forEach(id -> cordons.put(broker(id), List.of(set(CORDON, "*"))));
    admin.incrementalAlterConfigs(cordons).all().get();
  }

  /** Removes the cordon, and the rates of this program, from brokers that serve and do not leave after all. */
  void stay(Set<Integer> brokers) throws ExecutionException, InterruptedException {
    alter(deletions(brokers, (key, value) -> key.equals(CORDON) || isOwnRate(key, value)));
  }

  private static boolean isOwnRate(String key, String value) {
    return RATES.contains(key) && Set.of(MARK, LEAVING_MARK).contains(markOf(value));
  }

  private Map<ConfigResource, Collection<AlterConfigOp>> deletions(Set<Integer> brokers, BiPredicate<String, String> isDeleted)
      throws ExecutionException, InterruptedException {
    Map<ConfigResource, Collection<AlterConfigOp>> changes = new HashMap<>();
    dynamic(brokers.stream().map(MoveSettings::broker).toList()).forEach((broker, configs) -> changes.put(broker, configs.entrySet().stream()
        .filter(config -> isDeleted.test(config.getKey(), config.getValue())).map(config -> delete(config.getKey())).toList()));
    changes.values().removeIf(Collection::isEmpty);
    return changes;
  }

  /** Removes the rates and the cordon of registered brokers that are drained and stopped, also those of an operator. */
  void forget(Set<Integer> brokers) throws ExecutionException, InterruptedException {
    Map<ConfigResource, Collection<AlterConfigOp>> changes = new HashMap<>();
    brokers.forEach(id -> changes.put(broker(id), Stream.concat(RATES.stream(), Stream.of(CORDON)).map(MoveSettings::delete).toList()));
    alter(changes);
  }

  /** Throttles planned moves: the brokers first, so that a throttled topic always has a marked broker. */
  void throttle(SortedMap<TopicPartition, List<Integer>> plan, ClusterState state, long bytesPerSecond)
      throws ExecutionException, InterruptedException {
    Map<ConfigResource, Collection<AlterConfigOp>> rates = new HashMap<>();
    dynamic(state.serving().stream().map(MoveSettings::broker).toList()).forEach((broker, configs) -> rates.put(
        broker, RATES.stream().filter(rate -> !configs.containsKey(rate)).map(rate -> set(rate, rate(bytesPerSecond, MARK))).toList()));
    rates.values().removeIf(Collection::isEmpty);
    alter(rates);
    Map<String, Set<String>> ofLeaders = new TreeMap<>();
    Map<String, Set<String>> ofFollowers = new TreeMap<>();
    plan.forEach((partition, replicas) -> {
      List<Integer> former = state.partitions().get(partition).former();
      former.forEach(id -> list(ofLeaders, partition, id));
      replicas.stream().filter(id -> !former.contains(id)).forEach(id -> list(ofFollowers, partition, id));
    });
    Map<ConfigResource, Collection<AlterConfigOp>> lists = new HashMap<>();
    dynamic(ofFollowers.keySet().stream().map(MoveSettings::topic).toList()).forEach((topic, configs) -> {
      List<AlterConfigOp> changes = new ArrayList<>();
      add(changes, OF_LEADERS, configs, ofLeaders.get(topic.name()));
      add(changes, OF_FOLLOWERS, configs, ofFollowers.get(topic.name()));
      lists.put(topic, changes);
    });
    lists.values().removeIf(Collection::isEmpty);
    ClusterState.existing(admin.incrementalAlterConfigs(lists).values());
  }

  private static void list(Map<String, Set<String>> lists, TopicPartition partition, int broker) {
    lists.computeIfAbsent(partition.topic(), topic -> new TreeSet<>()).add(partition.partition() + ":" + broker);
  }

  /** Adds replicas to the list of an earlier run, and leaves one of an operator alone. */
  private static void add(List<AlterConfigOp> changes, String key, Map<String, String> configs, Set<String> replicas) {
    Set<String> all = new TreeSet<>(replicas);
    if (isOwnList(configs.get(key))) {
      all.addAll(List.of(configs.get(key).split(",")));
    } else if (configs.containsKey(key)) {
      return;
    }
    all.remove(LIST_MARK);
    changes.add(set(key, LIST_MARK + "," + String.join(",", all)));
  }

  private static boolean isOwnList(String list) {
    return list != null && (list.equals(LIST_MARK) || list.startsWith(LIST_MARK + ","));
  }

  /** Removes the throttle from all topics, and then from the brokers except those that are leaving. Returns whether there was one. */
  boolean unthrottle(ClusterState state) throws ExecutionException, InterruptedException {
    List<ConfigResource> topics = state.partitions().keySet().stream().map(TopicPartition::topic).distinct().map(MoveSettings::topic).toList();
    Map<ConfigResource, Collection<AlterConfigOp>> lists = new HashMap<>();
    dynamic(topics).forEach((topic, configs) -> lists.put(topic, List.of(OF_LEADERS, OF_FOLLOWERS).stream()
        .filter(key -> isOwnList(configs.get(key))).map(MoveSettings::delete).toList()));
    lists.values().removeIf(Collection::isEmpty);
    ClusterState.existing(admin.incrementalAlterConfigs(lists).values());
    Set<Integer> others = throttled(state.serving());
    others.removeAll(leaving(others));
    alter(deletions(others, MoveSettings::isOwnRate));
    return !lists.isEmpty() || !others.isEmpty();
  }

  /** Returns the dynamic configs of brokers or topics. */
  private Map<ConfigResource, Map<String, String>> dynamic(Collection<ConfigResource> resources)
      throws ExecutionException, InterruptedException {
    Map<ConfigResource, Map<String, String>> found = new HashMap<>();
    if (resources.isEmpty()) {
      return found;
    }
    for (Map.Entry<ConfigResource, Config> answer : ClusterState.existing(admin.describeConfigs(resources).values()).entrySet()) {
      found.put(answer.getKey(), answer.getValue().entries().stream().filter(MoveSettings::isDynamic)
          .collect(Collectors.toMap(ConfigEntry::name, ConfigEntry::value)));
    }
    return found;
  }

  private void alter(Map<ConfigResource, Collection<AlterConfigOp>> changes) throws ExecutionException, InterruptedException {
    if (!changes.isEmpty()) {
      controllers.get().incrementalAlterConfigs(changes).all().get();
    }
  }

  private static boolean isDynamic(ConfigEntry entry) {
    return entry.value() != null && (entry.source() == ConfigEntry.ConfigSource.DYNAMIC_BROKER_CONFIG
        || entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG);
  }

  private static String rate(long bytesPerSecond, long mark) {
    return String.valueOf(bytesPerSecond / MARK_DIGITS * MARK_DIGITS + mark);
  }

  private static ConfigResource broker(int id) {
    return new ConfigResource(ConfigResource.Type.BROKER, String.valueOf(id));
  }

  private static ConfigResource topic(String name) {
    return new ConfigResource(ConfigResource.Type.TOPIC, name);
  }

  private static AlterConfigOp set(String key, String value) {
    return new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET);
  }

  private static AlterConfigOp delete(String key) {
    return new AlterConfigOp(new ConfigEntry(key, null), AlterConfigOp.OpType.DELETE);
  }
}
