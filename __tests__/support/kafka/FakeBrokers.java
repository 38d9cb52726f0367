import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.AlterPartitionReassignmentsResponseData;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.DescribeClusterRequestData;
import org.apache.kafka.common.message.DescribeClusterResponseData;
import org.apache.kafka.common.message.DescribeConfigsRequestData;
import org.apache.kafka.common.message.DescribeConfigsResponseData;
import org.apache.kafka.common.message.DescribeLogDirsResponseData;
import org.apache.kafka.common.message.DescribeQuorumResponseData;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData;
import org.apache.kafka.common.message.ElectLeadersRequestData;
import org.apache.kafka.common.message.ElectLeadersResponseData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData;
import org.apache.kafka.common.message.ListPartitionReassignmentsResponseData;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.UnregisterBrokerRequestData;
import org.apache.kafka.common.message.UnregisterBrokerResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.ApiVersionsResponse;
import org.apache.kafka.common.requests.DescribeConfigsResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.requests.RequestUtils;
import org.apache.kafka.common.requests.ResponseHeader;

/**
 * A cluster of brokers and a controller, each behind a port of its own, as far as the program asks it that moves replicas. Answers as real
 * ones do. A reassignment takes as many looks as the test says.
 */
final class FakeBrokers {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final byte CONTROLLERS = 2;

  private static final class Broker {
    int port;
    String rack;
    boolean serves;
    boolean isKilled;
    boolean isRegistered = true;
    long total;
    long usable;
  }

  private static final class Partition {
    List<Integer> replicas = new ArrayList<>();
    List<Integer> inSync = new ArrayList<>();
    List<Integer> adding = new ArrayList<>();
    List<Integer> removing = new ArrayList<>();
    int leader;
    long bytes;
    int looks;
    /** The replicas that brokers describe which have not heard that a reassignment is done, and how often. */
    List<Integer> union = List.of();
    int stale;
  }

  private final Map<Integer, Broker> brokers = new TreeMap<>();
  private final Map<TopicPartition, Partition> partitions = new TreeMap<>(Placement.ORDER);
  private final Map<ConfigResource, Map<String, String>> configs = new HashMap<>();
  private final List<String> calls = new ArrayList<>();
  private final Map<String, Errors> errors = new HashMap<>();
  /** Topics that somebody deletes before the first request of a kind, by that kind. */
  private final Map<String, String> deletions = new HashMap<>();
  private final int level;
  private final int looks;
  private final int staleLooks;
  private final int controllerPort;
  private final List<ServerSocket> servers = new ArrayList<>();

  FakeBrokers(JsonNode state) throws IOException {
    level = state.path("metadataLevel").asInt(30);
    looks = state.path("looks").asInt(1);
    staleLooks = state.path("staleLooks").asInt(0);
    controllerPort = listen();
    for (var entry : state.get("brokers").properties()) {
      Broker broker = new Broker();
      broker.rack = entry.getValue().path("rack").asText(null);
      broker.serves = entry.getValue().path("serves").asBoolean(true);
      broker.isKilled = entry.getValue().path("isKilled").asBoolean(false);
      broker.total = entry.getValue().path("total").asLong(1L << 40);
      broker.usable = entry.getValue().path("usable").asLong(1L << 39);
      broker.port = listen();
      brokers.put(Integer.valueOf(entry.getKey()), broker);
    }
    for (JsonNode given : state.get("partitions")) {
      Partition partition = new Partition();
      given.get("replicas").forEach(id -> partition.replicas.add(id.asInt()));
      given.path("adding").forEach(id -> partition.adding.add(id.asInt()));
      given.path("removing").forEach(id -> partition.removing.add(id.asInt()));
      partition.replicas.stream().filter(id -> !partition.adding.contains(id)).forEach(partition.inSync::add);
      if (given.has("inSync")) {
        partition.inSync.clear();
        given.get("inSync").forEach(id -> partition.inSync.add(id.asInt()));
      }
      partition.leader = given.path("leader").asInt(partition.inSync.isEmpty() ? -1 : partition.inSync.get(0));
      partition.bytes = given.get("bytes").asLong();
      partition.looks = looks;
      partitions.put(new TopicPartition(given.get("topic").asText(), given.get("partition").asInt()), partition);
    }
    for (JsonNode given : state.path("configs")) {
      Map<String, String> values = new TreeMap<>();
      given.get("values").properties().forEach(value -> values.put(value.getKey(), value.getValue().asText()));
      configs.put(new ConfigResource(ConfigResource.Type.valueOf(given.get("type").asText()), given.get("name").asText()), values);
    }
    state.path("errors").properties().forEach(error -> errors.put(error.getKey(), Errors.valueOf(error.getValue().asText())));
    state.path("deletions").properties().forEach(deletion -> deletions.put(deletion.getKey(), deletion.getValue().asText()));
  }

  private boolean isDeleted(String topic) {
    return partitions.keySet().stream().noneMatch(partition -> partition.topic().equals(topic));
  }

  private int listen() throws IOException {
    ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    servers.add(server);
    Thread thread = new Thread(() -> {
      while (!server.isClosed()) {
        try {
          Socket connection = server.accept();
          Thread serving = new Thread(() -> serve(connection, server.getLocalPort()));
          serving.setDaemon(true);
          serving.start();
        } catch (IOException e) {
          // The cluster stops.
        }
      }
    });
    thread.setDaemon(true);
    thread.start();
    return server.getLocalPort();
  }

  private void serve(Socket connection, int port) {
    try (connection) {
      DataInputStream in = new DataInputStream(connection.getInputStream());
      while (true) {
        ByteBuffer request = ByteBuffer.wrap(in.readNBytes(in.readInt()));
        RequestHeader header = RequestHeader.parse(request);
        ApiMessage body = AbstractRequest.parseRequest(header.apiKey(), header.apiVersion(), new ByteBufferAccessor(request)).request.data();
        ApiMessage answer;
        synchronized (this) {
          answer = answer(header.apiKey(), body, port);
        }
        ResponseHeader answerHeader = header.toResponseHeader();
        ByteBuffer bytes = RequestUtils.serialize(answerHeader.data(), answerHeader.headerVersion(), answer, header.apiVersion());
        connection.getOutputStream().write(ByteBuffer.allocate(4 + bytes.remaining()).putInt(bytes.remaining()).put(bytes).array());
      }
    } catch (IOException e) {
      // The client is gone.
    }
  }

  void stop() throws IOException {
    for (ServerSocket server : servers) {
      server.close();
    }
  }

  Map<String, String> env() {
    int port = brokers.values().stream().filter(broker -> broker.serves).findFirst().orElseThrow().port;
    return Map.of("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:" + port, "KAFKA_BOOTSTRAP_CONTROLLERS", "127.0.0.1:" + controllerPort);
  }

  synchronized ObjectNode look() {
    ObjectNode answer = JSON.createObjectNode();
    ObjectNode found = answer.putObject("partitions");
    partitions.forEach((partition, state) -> found.putObject(partition.toString())
        .put("leader", state.leader).set("replicas", JSON.valueToTree(state.replicas)));
    ObjectNode set = answer.putObject("configs");
    configs.forEach((resource, values) -> {
      if (!values.isEmpty()) {
        set.set(resource.type() + " " + resource.name(), JSON.valueToTree(values));
      }
    });
    answer.set("registered", JSON.valueToTree(brokers.entrySet().stream().filter(entry -> entry.getValue().isRegistered).map(Map.Entry::getKey).toList()));
    answer.set("calls", JSON.valueToTree(calls));
    return answer;
  }

  private ApiMessage answer(ApiKeys api, ApiMessage request, int port) {
    if (isAboutTopics(request)) {
      String deleted = deletions.remove(api.name);
      partitions.keySet().removeIf(partition -> partition.topic().equals(deleted));
    }
    return switch (api) {
      case API_VERSIONS -> versions(port == controllerPort);
      case METADATA -> metadata();
      case DESCRIBE_CLUSTER -> cluster((DescribeClusterRequestData) request);
      case DESCRIBE_LOG_DIRS -> disks(brokers.entrySet().stream().filter(entry -> entry.getValue().port == port).findFirst().orElseThrow().getKey());
      case DESCRIBE_TOPIC_PARTITIONS -> topics((DescribeTopicPartitionsRequestData) request);
      case LIST_PARTITION_REASSIGNMENTS -> reassignments();
      case ALTER_PARTITION_REASSIGNMENTS -> reassign((AlterPartitionReassignmentsRequestData) request);
      case DESCRIBE_CONFIGS -> configs((DescribeConfigsRequestData) request);
      case INCREMENTAL_ALTER_CONFIGS -> alter((IncrementalAlterConfigsRequestData) request);
      case ELECT_LEADERS -> elect((ElectLeadersRequestData) request);
      case DESCRIBE_QUORUM -> quorum();
      case CREATE_TOPICS -> create((CreateTopicsRequestData) request);
      case UNREGISTER_BROKER -> unregister((UnregisterBrokerRequestData) request);
      default -> throw new IllegalArgumentException("the program does not use " + api);
    };
  }

  private static boolean isAboutTopics(ApiMessage request) {
    byte topic = ConfigResource.Type.TOPIC.id();
    return request instanceof DescribeConfigsRequestData described
        ? described.resources().stream().anyMatch(resource -> resource.resourceType() == topic)
        : request instanceof IncrementalAlterConfigsRequestData altered
            && altered.resources().stream().anyMatch(resource -> resource.resourceType() == topic);
  }

  private ApiMessage versions(boolean isController) {
    ApiVersionsResponseData answer = new ApiVersionsResponseData().setFinalizedFeaturesEpoch(1).setApiKeys(ApiVersionsResponse.brokerApiVersions(
        isController ? ApiMessageType.ListenerType.CONTROLLER : ApiMessageType.ListenerType.BROKER, false, false));
    answer.finalizedFeatures().add(new ApiVersionsResponseData.FinalizedFeatureKey()
        .setName("metadata.version").setMinVersionLevel((short) level).setMaxVersionLevel((short) level));
    return answer;
  }

  private ApiMessage metadata() {
    MetadataResponseData answer = new MetadataResponseData().setClusterId("fake").setControllerId(1);
    brokers.forEach((id, broker) -> {
      if (broker.serves) {
        answer.brokers().add(new MetadataResponseData.MetadataResponseBroker().setNodeId(id).setHost("127.0.0.1").setPort(broker.port));
      }
    });
    partitions.keySet().stream().map(TopicPartition::topic).distinct()
        .forEach(topic -> answer.topics().add(new MetadataResponseData.MetadataResponseTopic().setName(topic).setTopicId(Uuid.randomUuid())));
    return answer;
  }

  private ApiMessage cluster(DescribeClusterRequestData request) {
    DescribeClusterResponseData answer = new DescribeClusterResponseData()
        .setClusterId("fake").setControllerId(1).setEndpointType(request.endpointType());
    if (request.endpointType() == CONTROLLERS) {
      answer.brokers().add(new DescribeClusterResponseData.DescribeClusterBroker().setBrokerId(1).setHost("127.0.0.1").setPort(controllerPort));
      return answer;
    }
    brokers.forEach((id, broker) -> {
      if (broker.isRegistered && (broker.serves || request.includeFencedBrokers())) {
        answer.brokers().add(new DescribeClusterResponseData.DescribeClusterBroker()
            .setBrokerId(id).setHost("127.0.0.1").setPort(broker.port).setRack(broker.rack).setIsFenced(!broker.serves));
      }
    });
    return answer;
  }

  private boolean isCordoned(int broker) {
    return configs.getOrDefault(new ConfigResource(ConfigResource.Type.BROKER, String.valueOf(broker)), Map.of()).containsKey("cordoned.log.dirs");
  }

  private ApiMessage disks(int id) {
    DescribeLogDirsResponseData answer = new DescribeLogDirsResponseData();
    if (errors.containsKey("DescribeLogDirs")) {
      return answer.setErrorCode(errors.get("DescribeLogDirs").code());
    }
    if (brokers.get(id).isKilled) {
      // Its session ends.
      brokers.get(id).serves = false;
      return answer.setErrorCode(Errors.REQUEST_TIMED_OUT.code());
    }
    var disk = new DescribeLogDirsResponseData.DescribeLogDirsResult().setLogDir("/var/lib/kafka/data").setIsCordoned(isCordoned(id))
        .setTotalBytes(brokers.get(id).total).setUsableBytes(brokers.get(id).usable).setTopics(new ArrayList<>());
    partitions.forEach((partition, state) -> {
      if (state.replicas.contains(id)) {
        disk.topics().add(new DescribeLogDirsResponseData.DescribeLogDirsTopic().setName(partition.topic()).setPartitions(List.of(
            new DescribeLogDirsResponseData.DescribeLogDirsPartition().setPartitionIndex(partition.partition())
                .setPartitionSize(state.adding.contains(id) ? 0 : state.bytes))));
      }
    });
    return answer.setResults(List.of(disk));
  }

  private ApiMessage topics(DescribeTopicPartitionsRequestData request) {
    DescribeTopicPartitionsResponseData answer = new DescribeTopicPartitionsResponseData();
    for (var asked : request.topics()) {
      var part = new DescribeTopicPartitionsResponseData.DescribeTopicPartitionsResponseTopic().setName(asked.name()).setTopicId(Uuid.randomUuid());
      partitions.forEach((partition, state) -> {
        if (partition.topic().equals(asked.name())) {
          part.partitions().add(new DescribeTopicPartitionsResponseData.DescribeTopicPartitionsResponsePartition()
              .setPartitionIndex(partition.partition()).setLeaderId(state.leader)
              .setReplicaNodes(state.stale-- > 0 ? state.union : List.copyOf(state.replicas))
              .setIsrNodes(List.copyOf(state.inSync)).setEligibleLeaderReplicas(List.of()).setLastKnownElr(List.of()));
        }
      });
      answer.topics().add(part);
    }
    return answer;
  }

  private ApiMessage reassignments() {
    ListPartitionReassignmentsResponseData answer = new ListPartitionReassignmentsResponseData();
    partitions.forEach((partition, state) -> {
      if (state.adding.isEmpty() && state.removing.isEmpty()) {
        return;
      }
      if (state.looks-- <= 0) {
        state.union = List.copyOf(state.replicas);
        state.stale = staleLooks;
        state.replicas.removeAll(state.removing);
        state.inSync = new ArrayList<>(state.replicas);
        state.leader = state.replicas.contains(state.leader) ? state.leader : state.replicas.get(0);
        state.adding.clear();
        state.removing.clear();
        return;
      }
      answer.topics().add(new ListPartitionReassignmentsResponseData.OngoingTopicReassignment().setName(partition.topic()).setPartitions(List.of(
          new ListPartitionReassignmentsResponseData.OngoingPartitionReassignment().setPartitionIndex(partition.partition())
              .setReplicas(List.copyOf(state.replicas)).setAddingReplicas(List.copyOf(state.adding)).setRemovingReplicas(List.copyOf(state.removing)))));
    });
    return answer;
  }

  private ApiMessage reassign(AlterPartitionReassignmentsRequestData request) {
    AlterPartitionReassignmentsResponseData answer = new AlterPartitionReassignmentsResponseData();
    Errors error = errors.getOrDefault("AlterPartitionReassignments", Errors.NONE);
    for (var topic : request.topics()) {
      var part = new AlterPartitionReassignmentsResponseData.ReassignableTopicResponse().setName(topic.name());
      for (var asked : topic.partitions()) {
        Partition state = partitions.get(new TopicPartition(topic.name(), asked.partitionIndex()));
        calls.add("reassign " + topic.name() + "-" + asked.partitionIndex() + " " + asked.replicas());
        if (state != null && error == Errors.NONE) {
          move(state, asked.replicas());
        }
        part.partitions().add(new AlterPartitionReassignmentsResponseData.ReassignablePartitionResponse()
            .setPartitionIndex(asked.partitionIndex()).setErrorCode((state == null ? Errors.UNKNOWN_TOPIC_OR_PARTITION : error).code()));
      }
      answer.responses().add(part);
    }
    return answer;
  }

  private void move(Partition state, List<Integer> asked) {
    state.replicas.removeAll(state.adding);
    List<Integer> target = asked == null ? List.copyOf(state.replicas) : asked;
    state.adding = new ArrayList<>(target);
    state.adding.removeAll(state.replicas);
    state.removing = new ArrayList<>(state.replicas);
    state.removing.removeAll(target);
    List<Integer> replicas = new ArrayList<>(target);
    replicas.addAll(state.removing);
    state.replicas = replicas;
    state.looks = looks;
  }

  private ApiMessage configs(DescribeConfigsRequestData request) {
    DescribeConfigsResponseData answer = new DescribeConfigsResponseData();
    for (var asked : request.resources()) {
      ConfigResource resource = new ConfigResource(ConfigResource.Type.forId(asked.resourceType()), asked.resourceName());
      boolean isTopic = resource.type() == ConfigResource.Type.TOPIC;
      var part = new DescribeConfigsResponseData.DescribeConfigsResult().setResourceType(asked.resourceType()).setResourceName(asked.resourceName());
      if (isTopic && isDeleted(asked.resourceName())) {
        answer.results().add(part.setErrorCode(Errors.UNKNOWN_TOPIC_OR_PARTITION.code()));
        continue;
      }
      Map<String, String> set = configs.getOrDefault(resource, Map.of());
      // A broker hides the value of a config that it does not know.
      set.forEach((key, value) -> part.configs().add(new DescribeConfigsResponseData.DescribeConfigsResourceResult().setName(key)
          .setValue(key.startsWith("groundwork.") ? null : value)
          .setConfigSource((isTopic ? DescribeConfigsResponse.ConfigSource.TOPIC_CONFIG
              : resource.isDefault() ? DescribeConfigsResponse.ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG
              : DescribeConfigsResponse.ConfigSource.DYNAMIC_BROKER_CONFIG).id())));
      if (isTopic && !set.containsKey("min.insync.replicas")) {
        part.configs().add(new DescribeConfigsResponseData.DescribeConfigsResourceResult().setName("min.insync.replicas").setValue("2")
            .setConfigSource(DescribeConfigsResponse.ConfigSource.STATIC_BROKER_CONFIG.id()));
      }
      answer.results().add(part);
    }
    return answer;
  }

  private ApiMessage alter(IncrementalAlterConfigsRequestData request) {
    IncrementalAlterConfigsResponseData answer = new IncrementalAlterConfigsResponseData();
    for (var asked : request.resources()) {
      ConfigResource resource = new ConfigResource(ConfigResource.Type.forId(asked.resourceType()), asked.resourceName());
      boolean isKnown = resource.type() == ConfigResource.Type.TOPIC || resource.isDefault() || brokers.get(Integer.valueOf(resource.name())).isRegistered;
      boolean isGone = resource.type() == ConfigResource.Type.TOPIC && isDeleted(resource.name());
      Errors error = isGone ? Errors.UNKNOWN_TOPIC_OR_PARTITION : isKnown ? errors.getOrDefault("IncrementalAlterConfigs", Errors.NONE) : Errors.BROKER_ID_NOT_REGISTERED;
      if (error == Errors.NONE) {
        Map<String, String> set = configs.computeIfAbsent(resource, key -> new TreeMap<>());
        asked.configs().forEach(config -> {
          if (config.configOperation() == AlterConfigOp.OpType.DELETE.id()) {
            set.remove(config.name());
            calls.add("delete " + resource.name() + " " + config.name());
          } else {
            set.put(config.name(), config.value());
            calls.add("set " + resource.name() + " " + config.name() + "=" + config.value());
          }
        });
      }
      answer.responses().add(new IncrementalAlterConfigsResponseData.AlterConfigsResourceResponse()
          .setResourceType(asked.resourceType()).setResourceName(asked.resourceName()).setErrorCode(error.code()));
    }
    return answer;
  }

  private ApiMessage elect(ElectLeadersRequestData request) {
    ElectLeadersResponseData answer = new ElectLeadersResponseData();
    for (var topic : request.topicPartitions()) {
      var part = new ElectLeadersResponseData.ReplicaElectionResult().setTopic(topic.topic());
      for (int index : topic.partitions()) {
        Partition state = partitions.get(new TopicPartition(topic.topic(), index));
        calls.add("elect " + topic.topic() + "-" + index);
        state.leader = state.replicas.get(0);
        part.partitionResult().add(new ElectLeadersResponseData.PartitionResult().setPartitionId(index));
      }
      answer.replicaElectionResults().add(part);
    }
    return answer;
  }

  private ApiMessage quorum() {
    Collection<DescribeQuorumResponseData.ReplicaState> voters = new ArrayList<>();
    for (int id = 1; id <= 3; id++) {
      voters.add(new DescribeQuorumResponseData.ReplicaState().setReplicaId(id));
    }
    return new DescribeQuorumResponseData().setTopics(List.of(new DescribeQuorumResponseData.TopicData().setTopicName("__cluster_metadata").setPartitions(
        List.of(new DescribeQuorumResponseData.PartitionData().setPartitionIndex(0).setLeaderId(1).setCurrentVoters(List.copyOf(voters))))));
  }

  /** Only validates, as a controller that does not place replicas on cordoned brokers. */
  private ApiMessage create(CreateTopicsRequestData request) {
    long able = brokers.entrySet().stream().filter(entry -> entry.getValue().serves && !(level >= 30 && isCordoned(entry.getKey()))).count();
    CreateTopicsResponseData answer = new CreateTopicsResponseData();
    request.topics().forEach(topic -> answer.topics().add(new CreateTopicsResponseData.CreatableTopicResult().setName(topic.name())
        .setErrorCode((topic.replicationFactor() > able ? Errors.INVALID_REPLICATION_FACTOR : Errors.NONE).code())));
    return answer;
  }

  private ApiMessage unregister(UnregisterBrokerRequestData request) {
    calls.add("unregister " + request.brokerId());
    Broker broker = brokers.get(request.brokerId());
    Errors error = broker.isRegistered ? Errors.NONE : Errors.BROKER_ID_NOT_REGISTERED;
    broker.isRegistered = false;
    return new UnregisterBrokerResponseData().setErrorCode(error.code());
  }
}
