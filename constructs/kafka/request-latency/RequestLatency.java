import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import javax.management.InstanceNotFoundException;
import javax.management.JMException;
import javax.management.ObjectName;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.apache.kafka.common.metrics.MetricsReporter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs every minute how long a broker took for the requests of its clients, which it measures but reports through JMX alone. Alloy reads the
 * lines: constructs/alloy/requests.alloy. A minute without requests has no line.
 */
public final class RequestLatency implements MetricsReporter {
  private static final Logger LOG = LoggerFactory.getLogger(RequestLatency.class);
  private static final int INTERVAL_SECONDS = 60;

  private final Map<String, Total> last = new HashMap<>();
  private ScheduledExecutorService timer;

  /** How many requests there were since the start of the broker, and their milliseconds. */
  private record Total(double milliseconds, long requests) {}

  @Override
  public void configure(Map<String, ?> configs) {}

  @Override
  public void init(List<KafkaMetric> metrics) {
    timer = Executors.newSingleThreadScheduledExecutor(task -> {
      Thread thread = new Thread(task, "request-latency");
      thread.setDaemon(true);
      return thread;
    });
    timer.scheduleAtFixedRate(this::report, INTERVAL_SECONDS, INTERVAL_SECONDS, TimeUnit.SECONDS);
  }

  private void report() {
    try {
      recent().forEach(LOG::info);
    } catch (JMException | RuntimeException e) {
      // An exception would end the timer.
      LOG.warn("cannot read how long requests took", e);
    }
  }

  /** Returns a line for each kind of request that there was since the last call. */
  List<String> recent() throws JMException {
    Map<String, Total> totals = new TreeMap<>();
    totals.put("produce", totalOf("TotalTimeMs", "Produce"));
    // A consumer waits up to fetch.max.wait.ms for records that nobody has written yet, which Kafka counts as remote time.
    Total fetched = totalOf("TotalTimeMs", "FetchConsumer");
    totals.put("fetch", new Total(fetched.milliseconds - totalOf("RemoteTimeMs", "FetchConsumer").milliseconds, fetched.requests));
    List<String> lines = new ArrayList<>();
    totals.forEach((request, total) -> {
      Total before = last.getOrDefault(request, new Total(0, 0));
      long requests = total.requests - before.requests;
      if (requests > 0) {
        double seconds = Math.max(0, total.milliseconds - before.milliseconds) / requests / 1000;
        lines.add(String.format(Locale.ROOT, "%s requests: %d, %.4f s each", request, requests, seconds));
      }
    });
    last.putAll(totals);
    return lines;
  }

  private static Total totalOf(String name, String request) throws JMException {
    ObjectName histogram = new ObjectName("kafka.network:type=RequestMetrics,name=" + name + ",request=" + request);
    var server = ManagementFactory.getPlatformMBeanServer();
    try {
      long requests = (Long) server.getAttribute(histogram, "Count");
      return new Total((Double) server.getAttribute(histogram, "Mean") * requests, requests);
    } catch (InstanceNotFoundException noRequestYet) {
      return new Total(0, 0);
    }
  }

  @Override
  public void metricChange(KafkaMetric metric) {}

  @Override
  public void metricRemoval(KafkaMetric metric) {}

  @Override
  public void close() {
    if (timer != null) {
      timer.shutdownNow();
    }
  }
}
