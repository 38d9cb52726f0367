import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;

/** Plans of the program for clusters that a test describes. */
final class Placements {
  private Placements() {}

  /** Returns the partitions that change, with their new replicas. */
  static ObjectNode plan(JsonNode command) {
    Map<Integer, String> racks = new TreeMap<>();
    command.get("racks").properties().forEach(
        broker -> racks.put(Integer.valueOf(broker.getKey()), broker.getValue().isNull() ? null : broker.getValue().asText()));
    Map<TopicPartition, Placement.Replicas> partitions = new HashMap<>();
    command.get("partitions").forEach(partition -> {
      List<Integer> replicas = new ArrayList<>();
      partition.get("replicas").forEach(id -> replicas.add(id.asInt()));
      partitions.put(new TopicPartition(partition.get("topic").asText(), partition.get("partition").asInt()),
          new Placement.Replicas(replicas, partition.get("bytes").asLong()));
    });
    SortedMap<TopicPartition, List<Integer>> plan = command.get("how").asText().equals("vacate")
        ? Placement.vacate(racks, partitions)
        : Placement.spread(racks, racks.keySet(), partitions);
    ObjectNode answer = new ObjectMapper().createObjectNode();
    plan.forEach((partition, replicas) -> {
      ArrayNode ids = answer.putArray(partition.toString());
      replicas.forEach(ids::add);
    });
    return answer;
  }
}
