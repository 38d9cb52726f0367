import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigException;

/** A declared topic. */
record Topic(String name, int partitions, short replicationFactor, String onDrift, Map<String, String> configs) {

  /** A topic as it was applied, or as a run begins to apply it. */
  record State(int partitions, int replicationFactor, Map<String, String> configs) {}

  /**
   * What is remembered of a topic. A topic that is neither as applied last nor as a pending state has drifted.
   *
   * @param applied how it was applied last, null if that is not known
   * @param pending what runs began to apply since, and may have applied in part
   */
  record Memory(State applied, List<State> pending) {
    static final Memory NONE = new Memory(null, List.of());

    static Memory of(State applied) {
      return new Memory(applied, List.of());
    }

    /** Returns the memory of a run that is about to apply a state. */
    Memory with(State begun) {
      return begun.equals(applied) || pending.contains(begun) ? this
          : new Memory(applied, Stream.concat(pending.stream(), Stream.of(begun)).toList());
    }

    private Stream<State> states() {
      return Stream.concat(Stream.ofNullable(applied), pending.stream());
    }
  }

  /** A topic in the cluster: the effective values of configs, and the names of those that are set for the topic. */
  record Live(int partitions, int replicationFactor, Map<String, String> configs, Set<String> set) {}

  /** A field that is not as declared. It drifted if it is in no state that is remembered either. */
  record Difference(String field, String declared, String actual, boolean drifted) {}

  static final String UNSET = "unset";

  /** Reads TOPICS_FILE, which declared-topics.ts renders. */
  static List<Topic> read(Path file) throws IOException {
    return of((List<?>) Json.read(file));
  }

  /** Returns the topics of such a file. */
  static List<Topic> of(List<?> declared) {
    List<Topic> topics = new ArrayList<>();
    for (Object item : declared) {
      Map<?, ?> topic = (Map<?, ?>) item;
      topics.add(new Topic((String) topic.get("name"), (int) topic.get("partitions"), ((Integer) topic.get("replicationFactor")).shortValue(),
          (String) topic.get("onDrift"), texts((Map<?, ?>) topic.get("configs"))));
    }
    return topics;
  }

  static Map<String, String> texts(Map<?, ?> fields) {
    Map<String, String> texts = new LinkedHashMap<>();
    fields.forEach((key, value) -> texts.put((String) key, (String) value));
    return texts;
  }

  State state() {
    return new State(partitions, replicationFactor, configs);
  }

  /** Returns the topic as the cluster describes it. */
  Live live(TopicDescription description, Config config) {
    return new Live(description.partitions().size(), replicationFactor(description), inEffect(config), set(config));
  }

  /** Returns the replication factor of the first partition that has not the declared one, since a plan may have stopped half-way. */
  private int replicationFactor(TopicDescription description) {
    return description.partitions().stream()
        .map(partition -> partition.replicas().size())
        .filter(replicas -> replicas != replicationFactor)
        .findFirst().orElse((int) replicationFactor);
  }

  /** Returns the effective values of the configs that are declared or set. */
  Map<String, String> inEffect(Config config) {
    Set<String> keys = new TreeSet<>(configs.keySet());
    keys.addAll(set(config));
    Map<String, String> values = new HashMap<>();
    for (String key : keys) {
      ConfigEntry entry = config.get(key);
      if (entry != null && entry.value() != null) {
        values.put(key, entry.value());
      }
    }
    return values;
  }

  /** Returns the names of the configs that are set for the topic. */
  private static Set<String> set(Config config) {
    return config.entries().stream()
        .filter(entry -> entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG)
        .map(ConfigEntry::name)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Compares the topic with the declaration, and each field that differs with what is remembered. */
  List<Difference> differences(Live live, Memory memory) {
    List<Difference> found = new ArrayList<>();
    if (partitions != live.partitions) {
      found.add(new Difference("partitions", String.valueOf(partitions), String.valueOf(live.partitions),
          memory.states().noneMatch(state -> state.partitions == live.partitions)));
    }
    if (replicationFactor != live.replicationFactor) {
      found.add(new Difference("replicationFactor", String.valueOf(replicationFactor), String.valueOf(live.replicationFactor),
          memory.states().noneMatch(state -> state.replicationFactor == live.replicationFactor)));
    }
    differingConfigs(live).forEach((key, declared) -> found.add(new Difference(key, declared, shown(live, key), edited(key, live, memory))));
    removedConfigs(live, memory).forEach(key -> found.add(new Difference(key, UNSET, shown(live, key), edited(key, live, memory))));
    return found;
  }

  private static String shown(Live live, String key) {
    String actual = live.configs.getOrDefault(key, "");
    return actual.isEmpty() ? "\"\"" : actual;
  }

  /** Returns whether a config is in no state that is remembered. */
  private static boolean edited(String key, Live live, Memory memory) {
    return memory.states().noneMatch(state -> isIn(state, key, live));
  }

  private static boolean isIn(State state, String key, Live live) {
    String value = state.configs.get(key);
    return value == null ? !live.set.contains(key) : same(value, live.configs.getOrDefault(key, ""));
  }

  /** Returns the declared value of every config whose effective value differs. */
  Map<String, String> differingConfigs(Live live) {
    Map<String, String> differing = new LinkedHashMap<>(configs);
    differing.entrySet().removeIf(config -> same(config.getValue(), live.configs.getOrDefault(config.getKey(), "")));
    return differing;
  }

  /**
   * Returns the configs that are set, no longer declared, and were applied last. One that is only pending may have been set by another tool
   * meanwhile, unless it has the pending value.
   */
  List<String> removedConfigs(Live live, Memory memory) {
    return live.set.stream().filter(key -> !configs.containsKey(key))
        .filter(key -> memory.states().anyMatch(state -> state.configs.containsKey(key) && (state == memory.applied || isIn(state, key, live))))
        .toList();
  }

  /** Returns the names of the configs that are set, were not applied and are not declared. */
  List<String> undeclaredConfigs(Live live, Memory memory) {
    List<String> removed = removedConfigs(live, memory);
    return live.set.stream().filter(key -> !configs.containsKey(key) && !removed.contains(key)).sorted().toList();
  }

  /** Returns whether configs or partitions differ in a way that can be applied. */
  boolean isAlterable(Live live, Memory memory) {
    return partitions > live.partitions || !differingConfigs(live).isEmpty() || !removedConfigs(live, memory).isEmpty();
  }

  /** Compares values as Kafka parses them: 0.0001 is 1.0E-4, and TRUE is true. */
  private static boolean same(String declared, String actual) {
    ConfigDef.Type type = typeOf(actual);
    return read(declared, type).equals(read(actual, type));
  }

  /** Returns the type of a broker's value. Brokers format each type in one way. */
  private static ConfigDef.Type typeOf(String actual) {
    if (actual.equals("true") || actual.equals("false")) {
      return ConfigDef.Type.BOOLEAN;
    }
    if (actual.matches("-?[0-9]+")) {
      return ConfigDef.Type.LONG;
    }
    return actual.matches("-?[0-9]+\\.[0-9]+(E-?[0-9]+)?") ? ConfigDef.Type.DOUBLE : ConfigDef.Type.LIST;
  }

  /** Returns the parsed value, or the text if it is not of that type. */
  private static Object read(String text, ConfigDef.Type type) {
    if (type == ConfigDef.Type.LIST) {
      return sorted(text);
    }
    try {
      return ConfigDef.parseType("", text, type);
    } catch (ConfigException e) {
      return text;
    }
  }

  /** Sorts a comma-separated list, since its order has no meaning. */
  private static List<String> sorted(String value) {
    String[] parts = value.split(",", -1);
    Arrays.sort(parts);
    return List.of(parts);
  }
}
