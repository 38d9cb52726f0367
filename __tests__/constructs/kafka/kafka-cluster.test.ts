import { DockerProvider } from "@cdktf/provider-docker/lib/provider";
import { Testing } from "cdktf";
import { KafkaCluster, type KafkaClusterProps, KafkaInit } from "../../../constructs";
import { environments, nodesOf } from "../../../environments";
import { laptop } from "../../../environments/laptop";
import { declaredIn, kafka, kafkaWith } from "../../support/kafka-cluster";
import { container, envOf, type Json, synthesize } from "../../support/platform";
import { testStack } from "../../support/stack";

describe("a Kafka cluster", () => {
  test("derives quorum, listeners and replication from the number of brokers", () => {
    const { stacks } = synthesize(laptop);
    const env = envOf(container(stacks, "kafka-2"));
    expect(env).toMatchObject({
      KAFKA_NODE_ID: "2",
      KAFKA_CONTROLLER_QUORUM_VOTERS:
        "1@kafka-1.infra_net:9093,2@kafka-2.infra_net:9093,3@kafka-3.infra_net:9093",
      KAFKA_LISTENERS:
        "CONTROLLER://kafka-2.infra_net:9093,INTERNAL://kafka-2.infra_net:19092,APP://kafka-2.project_net:9092,HOST://kafka-2.infra_net:29092",
      KAFKA_ADVERTISED_LISTENERS:
        "CONTROLLER://kafka-2.infra_net:9093,INTERNAL://kafka-2.infra_net:19092,APP://kafka-2.project_net:9092,HOST://localhost:9093",
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: "false",
      KAFKA_DEFAULT_REPLICATION_FACTOR: "3",
      KAFKA_MIN_INSYNC_REPLICAS: "2",
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: "3",
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: "3",
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: "2",
    });
    expect(env.CLUSTER_ID).toMatch(/^[A-Za-z0-9_-]{22}$/);
  });

  test("has the same cluster id on all brokers and another one in another environment", () => {
    const ids = Object.values(environments).map((environment) => {
      const { stacks } = synthesize(environment);
      const own = nodesOf(environment, "kafka").map(
        (name) => envOf(container(stacks, name)).CLUSTER_ID,
      );
      expect(new Set(own).size).toBe(1);
      return own[0];
    });
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("has brokers that are no controllers after the first three, and tells no node how many there are", () => {
    const envs = (brokers: number) =>
      Object.values<Json>(kafka(brokers).resource.docker_container)
        .filter(({ name }) => /^kafka-\d$/.test(name))
        .map((node) => envOf(node));
    const [three, five] = [envs(3), envs(5)];
    expect(five.slice(0, 3)).toEqual(three);
    expect(five.map((env) => env.KAFKA_PROCESS_ROLES)).toEqual([
      ...["broker,controller", "broker,controller", "broker,controller", "broker", "broker"],
    ]);
    const [controller, , , , broker] = five;
    expect(controller.KAFKA_LISTENERS).toContain("CONTROLLER://kafka-1.");
    expect(broker.KAFKA_LISTENERS).not.toContain("CONTROLLER");
    expect(broker.KAFKA_ADVERTISED_LISTENERS).not.toContain("CONTROLLER");
    expect(broker.KAFKA_CONTROLLER_QUORUM_VOTERS).toBe(controller.KAFKA_CONTROLLER_QUORUM_VOTERS);
    expect(broker.KAFKA_CONTROLLER_QUORUM_VOTERS.split(",")).toHaveLength(3);
  });

  test("has one replica with a single broker", () => {
    const [broker] = Object.values<Json>(kafka(1).resource.docker_container).filter(
      ({ name }) => name === "kafka-1",
    );
    expect(envOf(broker)).toMatchObject({
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: "1",
      KAFKA_MIN_INSYNC_REPLICAS: "1",
    });
  });

  test("needs only a stack: it creates networks, volumes and the provider", () => {
    const scope = testStack();
    new KafkaCluster(scope, "Kafka", { brokers: 1 });
    const { resource, provider, terraform } = JSON.parse(Testing.synth(scope));
    expect(Object.keys(provider)).toEqual(["docker"]);
    expect(terraform.required_providers.docker.version).toBe("4.5.0");
    const [broker] = Object.values<Json>(resource.docker_container);
    expect(broker.networks_advanced.map(({ name }: Json) => name)).toEqual([
      "kafka-infra",
      "kafka-project",
    ]);
    expect(broker.volumes).toEqual([
      { container_path: "/var/lib/kafka/data", volume_name: "kafka-1-data" },
    ]);
    // They are known by name, so that Terraform would not see the order by itself.
    const made = ["docker_network", "docker_volume"].flatMap((type) =>
      Object.keys(resource[type]).map((id) => `${type}.${id}`),
    );
    expect(broker.depends_on.sort()).toEqual(made.sort());
  });

  test("has three brokers by default, and fails if two numbers contradict each other", () => {
    const scope = testStack();
    expect(new KafkaCluster(scope, "Kafka").brokers.map(({ name }) => name)).toEqual([
      "kafka-1",
      "kafka-2",
      "kafka-3",
    ]);
    expect(() => kafkaWith({ brokers: 3 })).toThrow(
      "brokers is 3, but nodes has length 1: remove one of the two (at test/kafka)",
    );
  });

  test("provisions all added topics with one sidecar", () => {
    const scope = testStack();
    const cluster = new KafkaCluster(scope, "Kafka", { brokers: 1 });
    cluster.addTopic("orders", { partitions: 3 });
    const synth = () => JSON.parse(Testing.synth(scope, true));
    cluster.addTopic("payments", { partitions: 1, onDrift: "ignore" });
    const { resource } = synth();
    const common = { replicationFactor: 1, configs: { "min.insync.replicas": "1" } };
    expect(JSON.parse(declaredIn({ resource }))).toEqual([
      { ...common, name: "orders", partitions: 3, onDrift: "fail" },
      { ...common, name: "payments", partitions: 1, onDrift: "ignore" },
    ]);
    expect(Object.keys(resource.docker_container)).toHaveLength(2);
    expect(synth().resource).toEqual(resource);
    expect(() => cluster.addTopic("orders", { partitions: 6 })).toThrow(
      'topic "orders" is declared twice: remove one declaration (at test/Kafka)',
    );
    expect(() => cluster.addTopic("refunds", { partitions: 0 })).toThrow(
      'topic "refunds" has partitions 0: it must be a whole number from 1 to 2147483647 (at test/Kafka)',
    );
  });

  test("fails if topics are added and a KafkaInit is declared", () => {
    const scope = testStack();
    const cluster = new KafkaCluster(scope, "Kafka", { brokers: 1 });
    new KafkaInit(scope, "init", { cluster, topics: [] });
    cluster.addTopic("orders", { partitions: 3 });
    expect(() => Testing.synth(scope)).toThrow(
      'topic "orders" is added with addTopic, but the cluster also has a KafkaInit: declare all topics in one of the two (at test/Kafka)',
    );
  });

  test("keeps the provider that a stack has", () => {
    const scope = testStack();
    new DockerProvider(scope, "engine", { host: "ssh://ops@engine" });
    new KafkaCluster(scope, "Kafka", { brokers: 1 });
    const { provider, terraform } = JSON.parse(Testing.synth(scope));
    expect(provider.docker).toEqual([{ host: "ssh://ops@engine" }]);
    expect(terraform.required_providers.docker.version).toBe("4.5.0");
  });

  test("takes an image, names, memory and broker configuration", () => {
    const found = kafkaWith({
      image: "apache/kafka:4.2.0",
      containerName: "events",
      memory: { limitMiB: 3000, reservationMiB: 2000 },
      config: { "log.retention.hours": 24, "auto.create.topics.enable": true },
    });
    expect(found.map(({ name }) => name).sort()).toEqual(["events-1", "events-init"]);
    const [broker] = found.filter(({ name }) => name === "events-1");
    expect(broker.networks_advanced[0].aliases).toEqual(["events"]);
    expect([broker.memory, broker.memory_reservation]).toEqual([3000, 2000]);
    expect(envOf(broker)).toMatchObject({
      KAFKA_CONTROLLER_QUORUM_VOTERS: "1@events-1.infra_net:9093",
      KAFKA_HEAP_OPTS: "-Xms1500m -Xmx1500m",
      KAFKA_LOG_RETENTION_HOURS: "24",
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: "true",
    });
    const images = new Set(found.map(({ image }) => image));
    expect([...images]).toEqual([expect.stringContaining("image-apache-kafka")]);
  });

  test("has its brokers log how long requests took, unless it is given other reporters", () => {
    const reporters = (config?: KafkaClusterProps["config"]) => {
      const broker = kafkaWith({ config }).find(({ name }) => name === "kafka-1");
      return [envOf(broker).KAFKA_METRIC_REPORTERS, broker.upload.map(({ file }: Json) => file)];
    };
    const files = ["/groundwork/healthcheck.sh", "/opt/kafka/libs/zz-request-latency.jar"];
    const own = "org.apache.kafka.common.metrics.JmxReporter,RequestLatency";
    expect(reporters()).toEqual([own, files]);
    expect(reporters({ "metric.reporters": "" })).toEqual(["", files]);
  });

  test("fails with configs that follow from the cluster, and with an invalid host name", () => {
    expect(() => kafkaWith({ config: { "advertised.listeners": "APP://localhost:9092" } })).toThrow(
      'config "advertised.listeners" is "APP://localhost:9092", but the cluster derives it from its nodes, networks, memory and security: change those, and remove it from config (at test/kafka)',
    );
    expect(() => kafkaWith({ containerName: "order_events" })).toThrow(
      'containerName is "order_events": use lowercase letters, digits and hyphens, starting with a letter, since host names and certificates contain it (at test/kafka)',
    );
  });

  test("fails with two brokers, and with controllers that cannot agree", () => {
    expect(() => kafka(2)).toThrow(
      "a Kafka cluster of 2 brokers tolerates no more failures than one of 1: declare 1 broker, or at least 3 (at test/kafka)",
    );
    for (const controllers of [0, 2, 5]) {
      expect(() => new KafkaCluster(testStack(), "kafka", { brokers: 4, controllers })).toThrow(
        `controllers is ${controllers}: it must be an odd number of at most 4, the number of brokers (at test/kafka)`,
      );
    }
  });
});
