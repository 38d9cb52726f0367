import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.message.AlterClientQuotasRequestData;
import org.apache.kafka.common.message.AlterClientQuotasResponseData;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.AlterPartitionReassignmentsResponseData;
import org.apache.kafka.common.message.AlterUserScramCredentialsRequestData;
import org.apache.kafka.common.message.AlterUserScramCredentialsResponseData;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.CreateAclsRequestData;
import org.apache.kafka.common.message.CreateAclsResponseData;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreatePartitionsResponseData;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.DeleteAclsRequestData;
import org.apache.kafka.common.message.DeleteAclsResponseData;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsResponseData;
import org.apache.kafka.common.message.DescribeAclsResponseData;
import org.apache.kafka.common.message.DescribeClientQuotasResponseData;
import org.apache.kafka.common.message.DescribeClusterResponseData;
import org.apache.kafka.common.message.DescribeConfigsRequestData;
import org.apache.kafka.common.message.DescribeConfigsResponseData;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData;
import org.apache.kafka.common.message.DescribeUserScramCredentialsResponseData;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListPartitionReassignmentsResponseData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.ProduceRequestData;
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
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.storage.internals.log.LogConfig;

/**
 * A cluster of three brokers behind one port, as far as kafka-init asks it, in Kafka's own protocol. Errors and their texts are those
 * of real brokers.
 */
final class FakeKafka {
  private static final Map<String, String> BROKER_DEFAULTS = Map.of("retention.ms", "604800000", "cleanup.policy", "delete");

  private static final LiveTopic MEMORY = new LiveTopic(1, 3, Map.of());

  private static final LogConfig BROKER = new LogConfig(Map.of());

  record LiveTopic(int partitions, int replicationFactor, Map<String, String> configs) {}

  /** A SCRAM credential: what Kafka keeps of a password. */
  record LiveUser(byte mechanism, int iterations, byte[] salt, byte[] saltedPassword) {}

  /** An ACL for every host, written as "User:orders ALLOW WRITE TOPIC LITERAL orders". */
  record Acl(String principal, byte permission, byte operation, byte resource, byte pattern, String name) implements Comparable<Acl> {
    static Acl parse(String text) {
      String[] words = text.split(" ");
      return new Acl(words[0], AclPermissionType.valueOf(words[1]).code(), AclOperation.valueOf(words[2]).code(),
          ResourceType.valueOf(words[3]).code(), PatternType.valueOf(words[4]).code(), words[5]);
    }

    @Override
    public String toString() {
      return String.join(" ", principal, AclPermissionType.fromCode(permission).name(), AclOperation.fromCode(operation).name(),
          ResourceType.fromCode(resource).name(), PatternType.fromCode(pattern).name(), name);
    }

    @Override
    public int compareTo(Acl other) {
      return toString().compareTo(other.toString());
    }
  }

  /** An error of a topic's or a user's part of an answer. */
  record Refusal(Errors error, String message) {
    static final Refusal NONE = new Refusal(Errors.NONE, null);
  }

  /** The fault that a request runs into; without a topic, or the name of a user, it concerns all of them. */
  private record Fault(JsonNode json) {
    boolean concerns(String topic) {
      return json.has("error") && topic.equals(json.path("topic").asText(topic));
    }

    Errors error(String topic) {
      return concerns(topic) ? refusal().error : Errors.NONE;
    }

    Refusal refusal() {
      Errors error = Errors.valueOf(json.get("error").asText());
      return new Refusal(error, json.path("message").asText(error.message()));
    }
  }

  private static final Fault NO_FAULT = new Fault(JsonNodeFactory.instance.objectNode());

  /** Ends a connection instead of answering. */
  @SuppressWarnings("serial")
  private static final class Dropped extends IOException {}

  final Map<String, LiveTopic> topics = new TreeMap<>();
  final Set<Acl> acls = new TreeSet<>();
  final Map<String, LiveUser> users = new TreeMap<>();
  /** The quotas by entity, written as "user=orders" or "user=orders,client-id=a", and key. */
  final Map<String, Map<String, Double>> quotas = new TreeMap<>();
  final List<String> calls = new ArrayList<>();
  final FakeMemory memory = new FakeMemory();
  /** The number of further answers in which the replicas of a topic are moving. */
  final Map<String, Integer> moving = new TreeMap<>();
  private final List<JsonNode> faults = new ArrayList<>();
  private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
  private ServerSocket server;
  private final int port;
  private int brokers = 3;
  private List<String> racks = List.of();
  private volatile long passedNs;

  FakeKafka() throws IOException {
    server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    port = server.getLocalPort();
    accept(server);
  }

  int port() {
    return port;
  }

  synchronized void setBrokers(int count) {
    brokers = count;
  }

  /** Sets the racks of the brokers. */
  synchronized void setRacks(List<String> names) {
    racks = names;
  }

  synchronized void inject(JsonNode fault) {
    faults.add(fault);
  }

  /** Refuses connections until it listens again. */
  synchronized void refuse() throws IOException {
    server.close();
    for (Socket connection : connections) {
      connection.close();
    }
  }

  synchronized void listen() throws IOException {
    server = new ServerSocket();
    server.setReuseAddress(true);
    server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    accept(server);
  }

  private void accept(ServerSocket listening) {
    start(() -> {
      while (true) {
        Socket connection = listening.accept();
        connections.add(connection);
        start(() -> serve(connection));
      }
    });
  }

  private interface Work {
    void run() throws IOException, InterruptedException;
  }

  private static void start(Work work) {
    Thread thread = new Thread(() -> {
      try {
        work.run();
      } catch (IOException | InterruptedException e) {
        // The client is gone, or the server stops.
      }
    });
    thread.setDaemon(true);
    thread.start();
  }

  private void serve(Socket connection) throws IOException, InterruptedException {
    try (connection) {
      DataInputStream in = new DataInputStream(connection.getInputStream());
      while (true) {
        ByteBuffer request = ByteBuffer.wrap(in.readNBytes(in.readInt()));
        RequestHeader header = RequestHeader.parse(request);
        ApiKeys api = header.apiKey();
        ApiMessage body = AbstractRequest.parseRequest(api, header.apiVersion(), new ByteBufferAccessor(request)).request.data();
        // A fault of a request for topics does not hit the one for the memory.
        Fault fault = FakeMemory.isCreate(body) ? NO_FAULT : faultFor(api);
        misbehave(fault);
        ApiMessage answer = answer(api, body, fault);
        ResponseHeader answerHeader = header.toResponseHeader();
        ByteBuffer bytes = RequestUtils.serialize(answerHeader.data(), answerHeader.headerVersion(), answer, header.apiVersion());
        byte[] frame = ByteBuffer.allocate(4 + bytes.remaining()).putInt(bytes.remaining()).put(bytes).array();
        boolean cut = fault.json.path("cut").asBoolean();
        connection.getOutputStream().write(frame, 0, cut ? frame.length / 2 : frame.length);
        if (cut) {
          return;
        }
      }
    } finally {
      connections.remove(connection);
    }
  }

  /** The time by which runs against this cluster keep their deadline. */
  long nanoTime() {
    return System.nanoTime() + passedNs;
  }

  /** Lets time pass for them at once, so that a deadline is reached exactly where the test says, however slow the machine is. */
  synchronized void pass(int seconds) {
    passedNs += TimeUnit.SECONDS.toNanos(seconds);
  }

  /** The first fault whose pattern the request matches; each is used once. */
  private synchronized Fault faultFor(ApiKeys api) {
    for (Iterator<JsonNode> all = faults.iterator(); all.hasNext(); ) {
      JsonNode fault = all.next();
      if (api.name.equals(fault.get("on").asText())) {
        all.remove();
        return new Fault(fault);
      }
    }
    return NO_FAULT;
  }

  private void misbehave(Fault fault) throws IOException, InterruptedException {
    Thread.sleep(fault.json.path("delayMs").asInt());
    pass(fault.json.path("passSeconds").asInt());
    if (fault.json.has("createFirst")) {
      synchronized (this) {
        fault.json.get("createFirst").properties().forEach(entry -> topics.put(entry.getKey(), topic(entry.getValue())));
      }
    }
    if (fault.json.has("refuseMs")) {
      refuse();
      start(() -> {
        Thread.sleep(fault.json.get("refuseMs").asInt());
        listen();
      });
      throw new Dropped();
    }
    if (fault.json.path("disconnect").asBoolean()) {
      throw new Dropped();
    }
  }

  static LiveTopic topic(JsonNode json) {
    Map<String, String> configs = new LinkedHashMap<>();
    json.get("configs").properties().forEach(config -> configs.put(config.getKey(), config.getValue().asText()));
    return new LiveTopic(json.get("partitions").asInt(), json.get("replicationFactor").asInt(), configs);
  }

  private synchronized ApiMessage answer(ApiKeys api, ApiMessage request, Fault fault) {
    return switch (api) {
      case API_VERSIONS -> new ApiVersionsResponseData().setApiKeys(
          ApiVersionsResponse.brokerApiVersions(ApiMessageType.ListenerType.BROKER, false, false));
      case METADATA -> metadata((MetadataRequestData) request);
      case LIST_OFFSETS -> memory.offsets((ListOffsetsRequestData) request);
      case FETCH -> memory.fetch((FetchRequestData) request, fault.error(Applied.TOPIC));
      case PRODUCE -> memory.produce((ProduceRequestData) request, fault.error(Applied.TOPIC));
      case DESCRIBE_CLUSTER -> describeCluster(fault);
      case DESCRIBE_TOPIC_PARTITIONS -> describeTopics((DescribeTopicPartitionsRequestData) request, fault);
      case DESCRIBE_CONFIGS -> describeConfigs((DescribeConfigsRequestData) request, fault);
      case CREATE_TOPICS -> FakeMemory.isCreate(request)
          ? memory.create((CreateTopicsRequestData) request)
          : createTopics((CreateTopicsRequestData) request, fault);
      case ALTER_PARTITION_REASSIGNMENTS -> reassign((AlterPartitionReassignmentsRequestData) request, fault);
      case LIST_PARTITION_REASSIGNMENTS -> reassignments();
      case DELETE_TOPICS -> deleteTopics((DeleteTopicsRequestData) request, fault);
      case CREATE_PARTITIONS -> createPartitions((CreatePartitionsRequestData) request, fault);
      case INCREMENTAL_ALTER_CONFIGS -> alterConfigs((IncrementalAlterConfigsRequestData) request, fault);
      case DESCRIBE_ACLS -> describeAcls(fault);
      case CREATE_ACLS -> createAcls((CreateAclsRequestData) request, fault);
      case DELETE_ACLS -> deleteAcls((DeleteAclsRequestData) request, fault);
      case DESCRIBE_USER_SCRAM_CREDENTIALS -> describeUsers(fault);
      case ALTER_USER_SCRAM_CREDENTIALS -> alterUsers((AlterUserScramCredentialsRequestData) request, fault);
      case DESCRIBE_CLIENT_QUOTAS -> describeQuotas(fault);
      case ALTER_CLIENT_QUOTAS -> alterQuotas((AlterClientQuotasRequestData) request, fault);
      default -> throw new IllegalArgumentException("kafka-init does not use " + api);
    };
  }

  private void note(ApiKeys api, List<String> names) {
    calls.add((api.name + " " + String.join(" ", names)).trim());
  }

  private ApiMessage metadata(MetadataRequestData request) {
    MetadataResponseData answer = new MetadataResponseData().setClusterId("fake").setControllerId(1);
    for (int id = 1; id <= Math.max(1, brokers); id++) {
      answer.brokers().add(new MetadataResponseData.MetadataResponseBroker().setNodeId(id).setHost("127.0.0.1").setPort(port));
    }
    if (request.topics() == null) {
      topics.keySet().forEach(name -> answer.topics().add(
          new MetadataResponseData.MetadataResponseTopic().setName(name).setIsInternal(isInternal(name))));
      if (memory.exists()) {
        answer.topics().add(memory.metadata());
      }
    } else {
      request.topics().forEach(topic -> answer.topics().add(memory.metadata()));
    }
    return answer;
  }

  private static boolean isInternal(String topic) {
    return topic.equals("__consumer_offsets") || topic.equals("__transaction_state");
  }

  private ApiMessage deleteTopics(DeleteTopicsRequestData request, Fault fault) {
    List<String> names = request.topics().stream().map(topic -> topic.name()).toList();
    note(ApiKeys.DELETE_TOPICS, names);
    DeleteTopicsResponseData answer = new DeleteTopicsResponseData();
    for (String name : names) {
      Refusal refusal = fault.concerns(name)
          ? fault.refusal()
          : topics.remove(name) == null ? new Refusal(Errors.UNKNOWN_TOPIC_OR_PARTITION, Errors.UNKNOWN_TOPIC_OR_PARTITION.message()) : Refusal.NONE;
      answer.responses().add(new DeleteTopicsResponseData.DeletableTopicResult()
          .setName(name).setErrorCode(refusal.error.code()).setErrorMessage(refusal.message));
    }
    return answer;
  }

  private ApiMessage describeCluster(Fault fault) {
    note(ApiKeys.DESCRIBE_CLUSTER, List.of());
    DescribeClusterResponseData answer = new DescribeClusterResponseData().setClusterId("fake").setControllerId(1);
    if (fault.concerns("")) {
      return answer.setErrorCode(fault.refusal().error.code()).setErrorMessage(fault.refusal().message);
    }
    for (int id = 1; id <= brokers; id++) {
      answer.brokers().add(
          new DescribeClusterResponseData.DescribeClusterBroker().setBrokerId(id).setHost("127.0.0.1").setPort(port)
              .setRack(racks.isEmpty() ? null : racks.get(id - 1)));
    }
    return answer;
  }

  private ApiMessage describeTopics(DescribeTopicPartitionsRequestData request, Fault fault) {
    note(ApiKeys.DESCRIBE_TOPIC_PARTITIONS, request.topics().stream().map(topic -> topic.name()).toList());
    DescribeTopicPartitionsResponseData answer = new DescribeTopicPartitionsResponseData();
    for (var asked : request.topics()) {
      var part = new DescribeTopicPartitionsResponseData.DescribeTopicPartitionsResponseTopic().setName(asked.name());
      LiveTopic topic = asked.name().equals(Applied.TOPIC) && memory.exists() ? MEMORY : topics.get(asked.name());
      if (fault.concerns(asked.name())) {
        part.setErrorCode(fault.refusal().error.code());
      } else if (topic == null) {
        part.setErrorCode(Errors.UNKNOWN_TOPIC_OR_PARTITION.code());
      } else {
        List<Integer> replicas = IntStream.rangeClosed(1, topic.replicationFactor).boxed().toList();
        part.setTopicId(Uuid.randomUuid()).setIsInternal(isInternal(asked.name())).setPartitions(IntStream.range(0, topic.partitions)
            .mapToObj(index -> new DescribeTopicPartitionsResponseData.DescribeTopicPartitionsResponsePartition()
                .setPartitionIndex(index).setLeaderId(1).setReplicaNodes(replicas).setIsrNodes(replicas)
                .setEligibleLeaderReplicas(List.of()).setLastKnownElr(List.of()))
            .collect(Collectors.toList()));
      }
      answer.topics().add(part);
    }
    return answer;
  }

  private ApiMessage describeConfigs(DescribeConfigsRequestData request, Fault fault) {
    note(ApiKeys.DESCRIBE_CONFIGS, request.resources().stream().map(resource -> resource.resourceName()).toList());
    DescribeConfigsResponseData answer = new DescribeConfigsResponseData();
    for (var resource : request.resources()) {
      var part = new DescribeConfigsResponseData.DescribeConfigsResult()
          .setResourceType(resource.resourceType()).setResourceName(resource.resourceName());
      if (fault.concerns(resource.resourceName())) {
        part.setErrorCode(fault.refusal().error.code()).setErrorMessage(fault.refusal().message);
      } else {
        LiveTopic topic = topics.get(resource.resourceName());
        inEffect(topic).forEach((key, value) ->
            part.configs().add(new DescribeConfigsResponseData.DescribeConfigsResourceResult()
                .setName(key).setValue(value).setConfigSource(sourceOf(topic, key).id())));
      }
      answer.results().add(part);
    }
    return answer;
  }

  private static Map<String, String> inEffect(LiveTopic topic) {
    Map<String, String> configs = new TreeMap<>(BROKER_DEFAULTS);
    configs.putAll(topic.configs);
    configs.replaceAll(FakeKafka::spelled);
    return configs;
  }

  /** As a broker spells a value, however it was given. */
  private static String spelled(String name, String value) {
    return LogConfig.configType(name)
        .map(type -> ConfigDef.convertToString(ConfigDef.parseType(name, value, type), type))
        .orElse(value);
  }

  private static DescribeConfigsResponse.ConfigSource sourceOf(LiveTopic topic, String key) {
    return topic.configs.containsKey(key) ? DescribeConfigsResponse.ConfigSource.TOPIC_CONFIG : DescribeConfigsResponse.ConfigSource.DEFAULT_CONFIG;
  }

  private ApiMessage createTopics(CreateTopicsRequestData request, Fault fault) {
    note(ApiKeys.CREATE_TOPICS, request.topics().stream().map(topic -> topic.name()).toList());
    CreateTopicsResponseData answer = new CreateTopicsResponseData();
    for (var asked : request.topics()) {
      Map<String, String> configs = new LinkedHashMap<>();
      asked.configs().forEach(config -> configs.put(config.name(), config.value()));
      var part = new CreateTopicsResponseData.CreatableTopicResult().setName(asked.name());
      Refusal refusal = fault.concerns(asked.name())
          ? fault.refusal()
          : refusalOf(asked.name(), asked.replicationFactor(), configs);
      part.setErrorCode(refusal.error.code()).setErrorMessage(refusal.message);
      if (refusal.error == Errors.NONE) {
        LiveTopic topic = new LiveTopic(asked.numPartitions(), asked.replicationFactor(), configs);
        topics.put(asked.name(), topic);
        part.setTopicId(Uuid.randomUuid()).setNumPartitions(topic.partitions).setReplicationFactor((short) topic.replicationFactor);
        if (fault.json.path("hideConfigs").asBoolean()) {
          part.setTopicConfigErrorCode(Errors.TOPIC_AUTHORIZATION_FAILED.code()).setNumPartitions(-1).setReplicationFactor((short) -1);
        } else {
          part.setConfigs(inEffect(topic).entrySet().stream()
              .map(config -> new CreateTopicsResponseData.CreatableTopicConfigs().setName(config.getKey()).setValue(config.getValue())
                  .setConfigSource(sourceOf(topic, config.getKey()).id()))
              .collect(Collectors.toList()));
        }
      }
      answer.topics().add(part);
    }
    return answer;
  }

  private Refusal refusalOf(String name, int replicationFactor, Map<String, String> configs) {
    if (topics.containsKey(name)) {
      return new Refusal(Errors.TOPIC_ALREADY_EXISTS, "Topic '" + name + "' already exists.");
    }
    if (replicationFactor > brokers) {
      return new Refusal(Errors.INVALID_REPLICATION_FACTOR, "Unable to replicate the partition " + replicationFactor
          + " time(s): The target replication factor of " + replicationFactor + " cannot be reached because only " + brokers
          + " broker(s) are registered or some brokers have all their log directories cordoned.");
    }
    return refusalOf(configs);
  }

  /** As a broker's own class decides that has no remote storage. */
  static Refusal refusalOf(Map<String, String> configs) {
    try {
      LogConfig.validate(Map.of(), configs, BROKER.values(), false);
      return Refusal.NONE;
    } catch (ConfigException | InvalidConfigurationException e) {
      return new Refusal(Errors.INVALID_CONFIG, e.getMessage());
    }
  }

  private ApiMessage createPartitions(CreatePartitionsRequestData request, Fault fault) {
    note(ApiKeys.CREATE_PARTITIONS, request.topics().stream().map(topic -> topic.name()).toList());
    CreatePartitionsResponseData answer = new CreatePartitionsResponseData();
    for (var asked : request.topics()) {
      LiveTopic topic = topics.get(asked.name());
      Refusal refusal = fault.concerns(asked.name())
          ? fault.refusal()
          : asked.count() <= topic.partitions
              ? new Refusal(Errors.INVALID_PARTITIONS, "Topic already has " + topic.partitions + " partition(s).")
              : Refusal.NONE;
      if (refusal.error == Errors.NONE) {
        topics.put(asked.name(), new LiveTopic(asked.count(), topic.replicationFactor, topic.configs));
      }
      answer.results().add(new CreatePartitionsResponseData.CreatePartitionsTopicResult()
          .setName(asked.name()).setErrorCode(refusal.error.code()).setErrorMessage(refusal.message));
    }
    return answer;
  }

  private ApiMessage reassign(AlterPartitionReassignmentsRequestData request, Fault fault) {
    List<String> asked = new ArrayList<>();
    request.topics().forEach(topic -> topic.partitions().forEach(partition -> asked.add(topic.name() + "-" + partition.partitionIndex() + ":"
        + partition.replicas().stream().map(String::valueOf).collect(Collectors.joining(",")))));
    note(ApiKeys.ALTER_PARTITION_REASSIGNMENTS, asked);
    AlterPartitionReassignmentsResponseData answer = new AlterPartitionReassignmentsResponseData();
    for (var topic : request.topics()) {
      var part = new AlterPartitionReassignmentsResponseData.ReassignableTopicResponse().setName(topic.name());
      Refusal refusal = fault.concerns(topic.name()) ? fault.refusal() : Refusal.NONE;
      for (var partition : topic.partitions()) {
        part.partitions().add(new AlterPartitionReassignmentsResponseData.ReassignablePartitionResponse()
            .setPartitionIndex(partition.partitionIndex()).setErrorCode(refusal.error.code()).setErrorMessage(refusal.message));
        if (refusal.error == Errors.NONE) {
          LiveTopic live = topics.get(topic.name());
          topics.put(topic.name(), new LiveTopic(live.partitions, partition.replicas().size(), live.configs));
          moving.put(topic.name(), 1);
        }
      }
      answer.responses().add(part);
    }
    return answer;
  }

  private ApiMessage reassignments() {
    note(ApiKeys.LIST_PARTITION_REASSIGNMENTS, List.of());
    ListPartitionReassignmentsResponseData answer = new ListPartitionReassignmentsResponseData();
    moving.values().removeIf(left -> left == 0);
    moving.keySet().forEach(name -> answer.topics().add(new ListPartitionReassignmentsResponseData.OngoingTopicReassignment().setName(name)
        .setPartitions(List.of(new ListPartitionReassignmentsResponseData.OngoingPartitionReassignment()
            .setPartitionIndex(0).setReplicas(List.of(1, 2, 3)).setAddingReplicas(List.of(3))))));
    moving.replaceAll((name, left) -> left - 1);
    return answer;
  }

  private ApiMessage alterConfigs(IncrementalAlterConfigsRequestData request, Fault fault) {
    note(ApiKeys.INCREMENTAL_ALTER_CONFIGS, request.resources().stream().map(resource -> resource.resourceName()).toList());
    IncrementalAlterConfigsResponseData answer = new IncrementalAlterConfigsResponseData();
    for (var resource : request.resources()) {
      LiveTopic topic = topics.get(resource.resourceName());
      Map<String, String> configs = new LinkedHashMap<>(topic.configs);
      resource.configs().forEach(config -> {
        if (config.configOperation() == AlterConfigOp.OpType.DELETE.id()) {
          configs.remove(config.name());
        } else {
          configs.put(config.name(), config.value());
        }
      });
      Refusal refusal = fault.concerns(resource.resourceName()) ? fault.refusal() : refusalOf(configs);
      if (refusal.error == Errors.NONE) {
        topics.put(resource.resourceName(), new LiveTopic(topic.partitions, topic.replicationFactor, configs));
      }
      answer.responses().add(new IncrementalAlterConfigsResponseData.AlterConfigsResourceResponse()
          .setResourceType(resource.resourceType()).setResourceName(resource.resourceName())
          .setErrorCode(refusal.error.code()).setErrorMessage(refusal.message));
    }
    return answer;
  }

  private ApiMessage describeAcls(Fault fault) {
    note(ApiKeys.DESCRIBE_ACLS, List.of());
    DescribeAclsResponseData answer = new DescribeAclsResponseData();
    if (fault.concerns("")) {
      return answer.setErrorCode(fault.refusal().error.code()).setErrorMessage(fault.refusal().message);
    }
    for (Acl acl : acls) {
      answer.resources().add(new DescribeAclsResponseData.DescribeAclsResource()
          .setResourceType(acl.resource).setPatternType(acl.pattern).setResourceName(acl.name)
          .setAcls(List.of(new DescribeAclsResponseData.AclDescription()
              .setPrincipal(acl.principal).setHost("*").setOperation(acl.operation).setPermissionType(acl.permission))));
    }
    return answer;
  }

  private ApiMessage createAcls(CreateAclsRequestData request, Fault fault) {
    List<Acl> asked = request.creations().stream()
        .map(acl -> new Acl(acl.principal(), acl.permissionType(), acl.operation(), acl.resourceType(), acl.resourcePatternType(), acl.resourceName()))
        .toList();
    note(ApiKeys.CREATE_ACLS, asked.stream().map(Acl::toString).toList());
    CreateAclsResponseData answer = new CreateAclsResponseData();
    for (Acl acl : asked) {
      Refusal refusal = refusalOf(acl, fault);
      if (refusal.error == Errors.NONE) {
        acls.add(acl);
      }
      answer.results().add(new CreateAclsResponseData.AclCreationResult()
          .setErrorCode(refusal.error.code()).setErrorMessage(refusal.message));
    }
    return answer;
  }

  private static Refusal refusalOf(Acl acl, Fault fault) {
    return fault.concerns(acl.principal.substring("User:".length())) ? fault.refusal() : Refusal.NONE;
  }

  /** Of filters only those that match one ACL. */
  private ApiMessage deleteAcls(DeleteAclsRequestData request, Fault fault) {
    List<Acl> asked = request.filters().stream()
        .map(acl -> new Acl(acl.principalFilter(), acl.permissionType(), acl.operation(), acl.resourceTypeFilter(), acl.patternTypeFilter(),
            acl.resourceNameFilter()))
        .toList();
    note(ApiKeys.DELETE_ACLS, asked.stream().map(Acl::toString).toList());
    DeleteAclsResponseData answer = new DeleteAclsResponseData();
    for (Acl acl : asked) {
      Refusal refusal = refusalOf(acl, fault);
      var part = new DeleteAclsResponseData.DeleteAclsFilterResult()
          .setErrorCode(refusal.error.code()).setErrorMessage(refusal.message);
      if (refusal.error == Errors.NONE && acls.remove(acl)) {
        part.matchingAcls().add(new DeleteAclsResponseData.DeleteAclsMatchingAcl()
            .setResourceType(acl.resource).setPatternType(acl.pattern).setResourceName(acl.name)
            .setPrincipal(acl.principal).setHost("*").setOperation(acl.operation).setPermissionType(acl.permission));
      }
      answer.filterResults().add(part);
    }
    return answer;
  }

  private ApiMessage describeUsers(Fault fault) {
    note(ApiKeys.DESCRIBE_USER_SCRAM_CREDENTIALS, List.of());
    DescribeUserScramCredentialsResponseData answer = new DescribeUserScramCredentialsResponseData();
    if (fault.concerns("")) {
      return answer.setErrorCode(fault.refusal().error.code()).setErrorMessage(fault.refusal().message);
    }
    users.forEach((name, user) -> answer.results().add(
        new DescribeUserScramCredentialsResponseData.DescribeUserScramCredentialsResult().setUser(name).setCredentialInfos(List.of(
            new DescribeUserScramCredentialsResponseData.CredentialInfo().setMechanism(user.mechanism).setIterations(user.iterations)))));
    return answer;
  }

  private ApiMessage alterUsers(AlterUserScramCredentialsRequestData request, Fault fault) {
    Map<String, LiveUser> changes = new TreeMap<>();
    request.deletions().forEach(deletion -> changes.put(deletion.name(), null));
    request.upsertions().forEach(user -> changes.put(
        user.name(), new LiveUser(user.mechanism(), user.iterations(), user.salt(), user.saltedPassword())));
    note(ApiKeys.ALTER_USER_SCRAM_CREDENTIALS, changes.entrySet().stream()
        .map(change -> (change.getValue() == null ? "-" : "") + change.getKey()).toList());
    AlterUserScramCredentialsResponseData answer = new AlterUserScramCredentialsResponseData();
    changes.forEach((name, user) -> {
      Refusal refusal = fault.concerns(name)
          ? fault.refusal()
          : user == null && !users.containsKey(name)
              ? new Refusal(Errors.RESOURCE_NOT_FOUND, "Attempt to delete a user credential that does not exist")
              : Refusal.NONE;
      if (refusal.error == Errors.NONE) {
        if (user == null) {
          users.remove(name);
        } else {
          users.put(name, user);
        }
      }
      answer.results().add(new AlterUserScramCredentialsResponseData.AlterUserScramCredentialsResult()
          .setUser(name).setErrorCode(refusal.error.code()).setErrorMessage(refusal.message));
    });
    return answer;
  }

  /** Of filters only the one for users, without other entity types. An entity without a name is the default. */
  private ApiMessage describeQuotas(Fault fault) {
    note(ApiKeys.DESCRIBE_CLIENT_QUOTAS, List.of());
    DescribeClientQuotasResponseData answer = new DescribeClientQuotasResponseData();
    if (fault.concerns("")) {
      return answer.setErrorCode(fault.refusal().error.code()).setErrorMessage(fault.refusal().message);
    }
    answer.setEntries(new ArrayList<>());
    quotas.forEach((entity, values) -> {
      if (!entity.contains(",")) {
        String name = entity.substring("user=".length());
        answer.entries().add(new DescribeClientQuotasResponseData.EntryData()
            .setEntity(List.of(new DescribeClientQuotasResponseData.EntityData()
                .setEntityType("user").setEntityName(name.isEmpty() ? null : name)))
            .setValues(values.entrySet().stream().map(value -> new DescribeClientQuotasResponseData.ValueData()
                .setKey(value.getKey()).setValue(value.getValue())).toList()));
      }
    });
    return answer;
  }

  private ApiMessage alterQuotas(AlterClientQuotasRequestData request, Fault fault) {
    note(ApiKeys.ALTER_CLIENT_QUOTAS, request.entries().stream().map(entry -> entry.entity().get(0).entityName()).toList());
    AlterClientQuotasResponseData answer = new AlterClientQuotasResponseData();
    for (var entry : request.entries()) {
      String name = entry.entity().get(0).entityName();
      Refusal refusal = fault.concerns(name) ? fault.refusal() : Refusal.NONE;
      if (refusal.error == Errors.NONE) {
        Map<String, Double> values = quotas.computeIfAbsent("user=" + name, key -> new TreeMap<>());
        entry.ops().forEach(quota -> {
          if (quota.remove()) {
            values.remove(quota.key());
          } else {
            values.put(quota.key(), quota.value());
          }
        });
        quotas.values().removeIf(Map::isEmpty);
      }
      answer.entries().add(new AlterClientQuotasResponseData.EntryData()
          .setErrorCode(refusal.error.code()).setErrorMessage(refusal.message)
          .setEntity(List.of(new AlterClientQuotasResponseData.EntityData().setEntityType("user").setEntityName(name))));
    }
    return answer;
  }
}
