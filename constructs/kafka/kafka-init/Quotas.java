import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeClientQuotasOptions;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.quota.ClientQuotaFilterComponent;

/**
 * The quotas of users that an application can declare. Leaves alone other keys, the default of all users, and quotas that also name a
 * client id.
 */
final class Quotas {
  private static final Set<String> KEYS = Set.of("producer_byte_rate", "consumer_byte_rate", "request_percentage");

  private Quotas() {}

  /** Returns the request for the quotas of each user, by key. */
  static KafkaFuture<Map<String, Map<String, Double>>> describe(Admin admin, DescribeClientQuotasOptions options) {
    ClientQuotaFilter users = ClientQuotaFilter.containsOnly(List.of(ClientQuotaFilterComponent.ofEntityType(ClientQuotaEntity.USER)));
    return admin.describeClientQuotas(users, options).entities().thenApply(entities -> {
      Map<String, Map<String, Double>> quotas = new HashMap<>();
      entities.forEach((entity, values) -> {
        String user = entity.entries().get(ClientQuotaEntity.USER);
        Map<String, Double> own = new TreeMap<>(values);
        own.keySet().retainAll(KEYS);
        if (user != null && !own.isEmpty()) {
          quotas.put(user, own);
        }
      });
      return quotas;
    });
  }

  /** Returns the changes that give these users the wanted quotas and no others. */
  static List<ClientQuotaAlteration> changes(
      Collection<String> users, Map<String, Map<String, Double>> live, Map<String, Map<String, Double>> wanted) {
    List<ClientQuotaAlteration> changes = new ArrayList<>();
    for (String user : new TreeSet<>(users)) {
      Map<String, Double> before = live.getOrDefault(user, Map.of());
      Map<String, Double> after = wanted.getOrDefault(user, Map.of());
      List<ClientQuotaAlteration.Op> operations = new ArrayList<>();
      for (String key : new TreeSet<>(KEYS)) {
        Double value = after.get(key);
        if (value == null ? before.containsKey(key) : !value.equals(before.get(key))) {
          operations.add(new ClientQuotaAlteration.Op(key, value));
        }
      }
      if (!operations.isEmpty()) {
        changes.add(new ClientQuotaAlteration(new ClientQuotaEntity(Map.of(ClientQuotaEntity.USER, user)), operations));
      }
    }
    return changes;
  }

  /** Returns the user of a change. */
  static String userOf(ClientQuotaAlteration change) {
    return change.entity().entries().get(ClientQuotaEntity.USER);
  }

  /** Returns a quota in the log: a whole number without a decimal point. */
  static String text(Double value) {
    return value == null ? "unset" : value == Math.rint(value) ? String.format("%.0f", value) : value.toString();
  }
}
