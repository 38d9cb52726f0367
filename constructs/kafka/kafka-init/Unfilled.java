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
 * The brokers that have yet to get their share of replicas. The cluster itself remembers them from before they join until they have it: a topic
 * that is created meanwhile gives them some replicas, and the command that waits for them may be killed.
 */
final class Unfilled {
  /** The beginning of a cluster-wide dynamic config that Kafka only stores. The id is in its name, since Kafka hides the value of such a config. */
  private static final String NAME = "groundwork.unfilled.kafka-";
  private static final ConfigResource ALL_BROKERS = new ConfigResource(ConfigResource.Type.BROKER, "");

  private final Admin admin;

  Unfilled(Admin admin) {
    this.admin = admin;
  }

  Set<Integer> read() throws ExecutionException, InterruptedException {
    Set<Integer> ids = new TreeSet<>();
    for (ConfigEntry entry : admin.describeConfigs(Set.of(ALL_BROKERS)).all().get().get(ALL_BROKERS).entries()) {
      if (entry.name().startsWith(NAME)) {
        ids.add(Integer.valueOf(entry.name().substring(NAME.length())));
      }
    }
    return ids;
  }

  /** Changes from one set of brokers to another. */
  void write(Set<Integer> from, Set<Integer> to) throws ExecutionException, InterruptedException {
    List<AlterConfigOp> changes = new ArrayList<>();
    to.stream().filter(id -> !from.contains(id))
        .forEach(id -> changes.add(new AlterConfigOp(new ConfigEntry(NAME + id, "true"), AlterConfigOp.OpType.SET)));
    from.stream().filter(id -> !to.contains(id))
        .forEach(id -> changes.add(new AlterConfigOp(new ConfigEntry(NAME + id, null), AlterConfigOp.OpType.DELETE)));
    if (!changes.isEmpty()) {
      admin.incrementalAlterConfigs(Map.of(ALL_BROKERS, changes)).all().get();
    }
  }
}
