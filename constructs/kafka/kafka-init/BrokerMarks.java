import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;

/**
 * Brokers that the cluster itself remembers, each for one reason, since the command that works on them may be killed. A mark is a cluster-wide
 * dynamic config that Kafka only stores. The broker is in its name, since Kafka hides the value of such a config.
 */
final class BrokerMarks {
  private static final ConfigResource ALL_BROKERS = new ConfigResource(ConfigResource.Type.BROKER, "");

  private final Admin admin;
  private final String prefix;

  BrokerMarks(Admin admin, String reason) {
    this.admin = admin;
    prefix = "groundwork." + reason + ".kafka-";
  }

  Set<Integer> read() throws ExecutionException, InterruptedException {
    Set<Integer> ids = new TreeSet<>();
    for (ConfigEntry entry : admin.describeConfigs(Set.of(ALL_BROKERS)).all().get().get(ALL_BROKERS).entries()) {
      if (entry.name().startsWith(prefix)) {
        ids.add(Integer.valueOf(entry.name().substring(prefix.length())));
      }
    }
    return ids;
  }

  /** Changes from one set of brokers to another. */
  void write(Set<Integer> from, Set<Integer> to) throws ExecutionException, InterruptedException {
    List<AlterConfigOp> changes = new ArrayList<>();
    to.stream().filter(id -> !from.contains(id))
        .forEach(id -> changes.add(new AlterConfigOp(new ConfigEntry(prefix + id, "true"), AlterConfigOp.OpType.SET)));
    from.stream().filter(id -> !to.contains(id))
        .forEach(id -> changes.add(new AlterConfigOp(new ConfigEntry(prefix + id, null), AlterConfigOp.OpType.DELETE)));
    if (!changes.isEmpty()) {
      admin.incrementalAlterConfigs(Map.of(ALL_BROKERS, changes)).all().get();
    }
  }
}
