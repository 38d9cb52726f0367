import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigException;

/** A declared topic. */
record Topic(String name, int partitions, short replicationFactor, String onDrift, Map<String, String> configs) {

  /** A topic in the cluster: the effective values of the declared configs, and the configs that are set but not declared. */
  record Live(int partitions, int replicationFactor, Map<String, String> configs, Map<String, String> undeclared) {}

  record Difference(String field, String declared, String actual) {}

  /** Reads TOPICS_FILE, which declared-topics.ts renders. */
  static List<Topic> read(Path file) throws IOException {
    List<Topic> topics = new ArrayList<>();
    for (Object item : (List<?>) Json.read(file)) {
      Map<?, ?> topic = (Map<?, ?>) item;
      Map<String, String> configs = new LinkedHashMap<>();
      ((Map<?, ?>) topic.get("configs")).forEach((key, value) -> configs.put((String) key, (String) value));
      topics.add(new Topic((String) topic.get("name"), (int) topic.get("partitions"), ((Integer) topic.get("replicationFactor")).shortValue(),
          (String) topic.get("onDrift"), configs));
    }
    return topics;
  }

  List<Difference> differences(Live live) {
    List<Difference> found = new ArrayList<>();
    if (partitions != live.partitions) {
      found.add(new Difference("partitions", String.valueOf(partitions), String.valueOf(live.partitions)));
    }
    if (replicationFactor != live.replicationFactor) {
      found.add(new Difference("replicationFactor", String.valueOf(replicationFactor), String.valueOf(live.replicationFactor)));
    }
    differingConfigs(live).forEach((key, declared) -> {
      String actual = live.configs.get(key);
      found.add(new Difference(key, declared, actual == null || actual.isEmpty() ? "\"\"" : actual));
    });
    return found;
  }

  /** Returns the declared value of every config whose effective value differs. */
  Map<String, String> differingConfigs(Live live) {
    Map<String, String> differing = new LinkedHashMap<>(configs);
    differing.entrySet().removeIf(config -> same(config.getValue(), live.configs.getOrDefault(config.getKey(), "")));
    return differing;
  }

  /** Returns whether something differs that can be reconciled. */
  boolean reconcilable(Live live) {
    return partitions > live.partitions || !differingConfigs(live).isEmpty();
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
