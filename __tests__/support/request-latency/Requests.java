import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.server.metrics.KafkaMetricsGroup;

/**
 * Requests: measures requests as a broker does, each a line of its input such as "Produce 12 3" with the milliseconds in all and those of
 * them that it waited. An empty line prints what RequestLatency logs, and a line "end".
 */
public final class Requests {
  public static void main(String[] args) throws Exception {
    KafkaMetricsGroup group = new KafkaMetricsGroup("kafka.network", "RequestMetrics");
    Map<List<String>, com.yammer.metrics.core.Histogram> histograms = new HashMap<>();
    try (RequestLatency latency = new RequestLatency()) {
      BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
      for (String line; (line = input.readLine()) != null;) {
        if (line.isEmpty()) {
          latency.recent().forEach(System.out::println);
          System.out.println("end");
          continue;
        }
        String[] words = line.split(" ");
        List<String> names = List.of("TotalTimeMs", "RemoteTimeMs");
        for (int i = 0; i < names.size(); i++) {
          histograms
              .computeIfAbsent(List.of(names.get(i), words[0]), key -> group.newHistogram(key.get(0), true, Map.of("request", key.get(1))))
              .update(Long.parseLong(words[i + 1]));
        }
      }
    }
  }

  private Requests() {}
}
