import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.storage.internals.log.LogConfig;

/**
 * Prints the topic configs of a broker as JSON, from Kafka's own class: the type, the description of the validator, and the broker config
 * that is the default, if it has another name.
 */
public final class TopicConfigs {
  private TopicConfigs() {}

  public static void main(String[] args) {
    LogConfig.LogConfigDef broker = LogConfig.configDefCopy();
    List<String> entries = new ArrayList<>();
    new TreeMap<>(LogConfig.configKeys()).forEach((name, key) -> entries.add(entry(key, broker.serverConfigName(name).orElse(name))));
    System.out.println("{\n" + String.join(",\n", entries) + "\n}");
  }

  private static String entry(ConfigDef.ConfigKey key, String brokerName) {
    List<String> fields = new ArrayList<>(List.of(field("type", key.type.name())));
    if (key.validator != null) {
      fields.add(field("valid", key.validator.toString()));
    }
    if (!brokerName.equals(key.name)) {
      fields.add(field("broker", brokerName));
    }
    return "  \"" + key.name + "\": {\n" + String.join(",\n", fields) + "\n  }";
  }

  private static String field(String name, String value) {
    return "    \"" + name + "\": \"" + value.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
  }
}
