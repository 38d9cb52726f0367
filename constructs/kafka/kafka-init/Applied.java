import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * What kafka-init applied last and what it began to apply since, in a compacted topic of the cluster itself, as other provisioners keep theirs: a record for each topic.
 * It outlives machines and checkouts, and goes with the cluster. Without it a changed declaration is drift.
 * A topic that is remembered and not declared is left over.
 */
final class Applied {
  static final String TOPIC = "__groundwork_applied";

  private static final int TIMEOUT_MS = 10_000;
  private static final Duration TIMEOUT = Duration.ofMillis(TIMEOUT_MS);
  private static final TopicPartition PARTITION = new TopicPartition(TOPIC, 0);

  private final Admin admin;
  private final Map<String, Object> config;
  private boolean exists;

  /** @param config the properties that all clients share */
  Applied(Admin admin, Map<String, Object> config) {
    this.admin = admin;
    this.config = config;
  }

  /** Returns what is remembered of topics, by name. A record that kafka-init did not write counts as none. */
  Map<String, Topic.Memory> read() {
    Map<String, Topic.Memory> applied = new HashMap<>();
    records().forEach((name, text) -> parse(text).ifPresent(memory -> applied.put(name, memory)));
    return applied;
  }

  private Map<String, String> records() {
    Map<String, String> records = new HashMap<>();
    Map<String, Object> properties = with(Map.of("enable.auto.commit", false, "default.api.timeout.ms", TIMEOUT_MS));
    try (Consumer<String, String> consumer = new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
      exists = !consumer.partitionsFor(TOPIC, TIMEOUT).isEmpty();
      if (!exists) {
        return records;
      }
      consumer.assign(List.of(PARTITION));
      consumer.seekToBeginning(List.of(PARTITION));
      long end = consumer.endOffsets(List.of(PARTITION), TIMEOUT).get(PARTITION);
      long deadlineAtNs = System.nanoTime() + TIMEOUT.toNanos();
      while (consumer.position(PARTITION, TIMEOUT) < end) {
        if (System.nanoTime() > deadlineAtNs) {
          throw new TimeoutException("timed out after " + TIMEOUT.toSeconds() + "s");
        }
        consumer.poll(Duration.ofSeconds(1)).forEach(record -> {
          if (record.value() == null) {
            records.remove(record.key());
          } else {
            records.put(record.key(), record.value());
          }
        });
      }
    }
    return records;
  }

  /** Remembers the topics. A record is written as a whole or not at all. */
  void write(Map<String, Topic.Memory> applied) throws ExecutionException, InterruptedException {
    Map<String, String> records = new LinkedHashMap<>();
    applied.forEach((name, memory) -> records.put(name, text(memory)));
    send(records);
  }

  /** Forgets topics, which are deleted. */
  void forget(Collection<String> names) throws ExecutionException, InterruptedException {
    Map<String, String> records = new LinkedHashMap<>();
    names.forEach(name -> records.put(name, null));
    send(records);
  }

  private void send(Map<String, String> records) throws ExecutionException, InterruptedException {
    if (records.isEmpty()) {
      return;
    }
    Map<String, Object> properties = with(Map.of(
        "acks", "all", "enable.idempotence", false, "buffer.memory", 4L << 20, "max.block.ms", TIMEOUT_MS,
        "request.timeout.ms", TIMEOUT_MS / 2, "delivery.timeout.ms", TIMEOUT_MS));
    create();
    try (Producer<String, String> producer = new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer())) {
      List<Future<?>> sent = new ArrayList<>();
      records.forEach((name, text) -> sent.add(producer.send(new ProducerRecord<>(TOPIC, 0, name, text))));
      for (Future<?> each : sent) {
        each.get();
      }
    }
  }

  /** Creates the topic with the replication factor and min.insync.replicas that the brokers give a topic. */
  private void create() throws ExecutionException, InterruptedException {
    if (exists) {
      return;
    }
    NewTopic topic = new NewTopic(TOPIC, Optional.of(1), Optional.empty()).configs(Map.of(
        "cleanup.policy", "compact",
        // The class path has no libraries for compression.
        "compression.type", "producer"));
    try {
      admin.createTopics(List.of(topic)).all().get();
    } catch (ExecutionException e) {
      if (!(Refusals.unwrap(e) instanceof TopicExistsException)) {
        throw e;
      }
    }
    exists = true;
  }

  private Map<String, Object> with(Map<String, Object> more) {
    Map<String, Object> properties = new HashMap<>(config);
    properties.putAll(more);
    properties.put("allow.auto.create.topics", false);
    properties.put("enable.metrics.push", false);
    return properties;
  }

  /** The applied state is at the top, where versions before `pending` read it. */
  private static String text(Topic.Memory memory) {
    Map<String, Object> fields = new LinkedHashMap<>();
    if (memory.applied() != null) {
      fields.putAll(fields(memory.applied()));
    }
    if (!memory.pending().isEmpty()) {
      fields.put("pending", memory.pending().stream().map(Applied::fields).toList());
    }
    return Json.text(fields);
  }

  private static Map<String, Object> fields(Topic.State state) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("partitions", state.partitions());
    fields.put("replicationFactor", state.replicationFactor());
    fields.put("configs", state.configs());
    return fields;
  }

  private static Optional<Topic.Memory> parse(String text) {
    try {
      Map<?, ?> fields = (Map<?, ?>) Json.parse(text);
      List<Topic.State> pending = new ArrayList<>();
      if (fields.get("pending") instanceof List<?> states) {
        states.forEach(state -> pending.add(state((Map<?, ?>) state)));
      }
      boolean isBegun = !pending.isEmpty() && !fields.containsKey("partitions");
      return Optional.of(new Topic.Memory(isBegun ? null : state(fields), List.copyOf(pending)));
    } catch (IOException | RuntimeException e) {
      return Optional.empty();
    }
  }

  private static Topic.State state(Map<?, ?> fields) {
    return new Topic.State(
        (Integer) fields.get("partitions"), (Integer) fields.get("replicationFactor"), Topic.texts((Map<?, ?>) fields.get("configs")));
  }
}
