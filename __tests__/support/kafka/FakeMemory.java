import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsResponseData;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Records;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.requests.ListOffsetsRequest;

/** The topic in which kafka-init remembers what it applied last. It has one partition. */
final class FakeMemory {
  private final Uuid id = Uuid.randomUuid();
  private final List<SimpleRecord> records = new ArrayList<>();
  private boolean exists;
  Map<String, String> configs = new TreeMap<>();

  static boolean isCreate(ApiMessage request) {
    return request instanceof CreateTopicsRequestData create && create.topics().stream().anyMatch(topic -> topic.name().equals(Applied.TOPIC));
  }

  boolean exists() {
    return exists;
  }

  /** Returns the last value of every key. */
  Map<String, String> content() {
    Map<String, String> content = new TreeMap<>();
    for (SimpleRecord record : records) {
      if (record.value() == null) {
        content.remove(text(record.key()));
      } else {
        content.put(text(record.key()), text(record.value()));
      }
    }
    return content;
  }

  void put(String key, String value) {
    exists = true;
    records.add(new SimpleRecord(
        System.currentTimeMillis(), key.getBytes(StandardCharsets.UTF_8), value == null ? null : value.getBytes(StandardCharsets.UTF_8)));
  }

  private static String text(ByteBuffer bytes) {
    return StandardCharsets.UTF_8.decode(bytes.duplicate()).toString();
  }

  ApiMessage create(CreateTopicsRequestData request) {
    exists = true;
    request.topics().forEach(topic -> topic.configs().forEach(config -> configs.put(config.name(), config.value())));
    CreateTopicsResponseData answer = new CreateTopicsResponseData();
    answer.topics().add(new CreateTopicsResponseData.CreatableTopicResult()
        .setName(Applied.TOPIC).setTopicId(id).setNumPartitions(1).setReplicationFactor((short) 3));
    return answer;
  }

  MetadataResponseData.MetadataResponseTopic metadata() {
    var topic = new MetadataResponseData.MetadataResponseTopic().setName(Applied.TOPIC);
    if (!exists) {
      return topic.setErrorCode(Errors.UNKNOWN_TOPIC_OR_PARTITION.code());
    }
    return topic.setTopicId(id).setPartitions(List.of(new MetadataResponseData.MetadataResponsePartition()
        .setPartitionIndex(0).setLeaderId(1).setLeaderEpoch(0).setReplicaNodes(List.of(1)).setIsrNodes(List.of(1))));
  }

  ApiMessage offsets(ListOffsetsRequestData request) {
    boolean first = request.topics().get(0).partitions().get(0).timestamp() == ListOffsetsRequest.EARLIEST_TIMESTAMP;
    return new ListOffsetsResponseData().setTopics(List.of(new ListOffsetsResponseData.ListOffsetsTopicResponse()
        .setName(Applied.TOPIC)
        .setPartitions(List.of(new ListOffsetsResponseData.ListOffsetsPartitionResponse()
            .setPartitionIndex(0).setOffset(first ? 0 : records.size()).setLeaderEpoch(0)))));
  }

  ApiMessage produce(ProduceRequestData request, Errors error) {
    for (var topic : request.topicData()) {
      for (var partition : topic.partitionData()) {
        if (error == Errors.NONE) {
          ((Records) partition.records()).records().forEach(record -> put(text(record.key()), record.hasValue() ? text(record.value()) : null));
        }
      }
    }
    ProduceResponseData answer = new ProduceResponseData();
    answer.responses().add(new ProduceResponseData.TopicProduceResponse().setName(Applied.TOPIC).setTopicId(id)
        .setPartitionResponses(List.of(new ProduceResponseData.PartitionProduceResponse().setIndex(0).setBaseOffset(0).setErrorCode(error.code()))));
    return answer;
  }

  ApiMessage fetch(FetchRequestData request, Errors error) {
    FetchResponseData answer = new FetchResponseData();
    for (var topic : request.topics()) {
      for (var partition : topic.partitions()) {
        boolean isNew = error == Errors.NONE && partition.fetchOffset() < records.size();
        answer.responses().add(new FetchResponseData.FetchableTopicResponse().setTopic(Applied.TOPIC).setTopicId(id)
            .setPartitions(List.of(new FetchResponseData.PartitionData()
                .setPartitionIndex(0).setErrorCode(error.code()).setHighWatermark(records.size()).setLastStableOffset(records.size())
                .setLogStartOffset(0)
                .setRecords(isNew ? MemoryRecords.withRecords(Compression.NONE, records.toArray(SimpleRecord[]::new)) : MemoryRecords.EMPTY))));
      }
    }
    return answer;
  }
}
