import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DockerProvider } from "@cdktf/provider-docker/lib/provider";
import { TerraformStack, Testing } from "cdktf";
import {
  type Application,
  applyServiceSettings,
  DataVolume,
  IndexTemplate,
  KafkaCluster,
  type KafkaClusterProps,
  KafkaInit,
  MEMORY_TIERS,
  Network,
  OpenSearchCluster,
  OpenSearchInit,
  type Security,
  ServiceContainer,
  ServiceImage,
  type Topic,
} from "../../constructs";
import { escapeTemplate, unescapeTemplate } from "../../constructs/container/file";
import { renderDuration } from "../../constructs/container/health-check";
import { validateMemory } from "../../constructs/container/memory";
import { APPLICATIONS_FILE } from "../../constructs/kafka/declared-applications";
import { TOPICS_FILE } from "../../constructs/kafka/declared-topics";
import { environmentNamed } from "../../environments";
import { laptop } from "../../environments/laptop";
import { production } from "../../environments/production";
import { validateEnvironment } from "../../environments/validate";
import { knownEnvironments } from "../../operations/synthesis/environment";
import { container, envOf, type Json, synthesize } from "../support/platform";

function stack(): TerraformStack {
  return new TerraformStack(Testing.app(), "test");
}

function networks(scope: TerraformStack) {
  return {
    infraNetwork: new Network(scope, "infra", { name: "infra_net" }),
    projectNetwork: new Network(scope, "project", { name: "project_net" }),
  };
}

function nodes(scope: TerraformStack, count: number) {
  return Array.from({ length: count }, (_, i) => ({
    dataVolume: new DataVolume(scope, `volume-${i}`, { name: `data-${i}` }),
  }));
}

/** The containers of one broker and its sidecar. */
function kafkaWith(props: Partial<KafkaClusterProps>): Json[] {
  const scope = stack();
  const cluster = new KafkaCluster(scope, "kafka", {
    ...networks(scope),
    nodes: nodes(scope, 1),
    ...props,
  });
  new KafkaInit(scope, "init", { cluster, topics: [] });
  return Object.values(JSON.parse(Testing.synth(scope)).resource.docker_container);
}

function kafka(brokers: number, topics: readonly Topic[] = []) {
  const scope = stack();
  const cluster = new KafkaCluster(scope, "kafka", {
    ...networks(scope),
    nodes: nodes(scope, brokers),
  });
  new KafkaInit(scope, "init", { cluster, topics });
  return JSON.parse(Testing.synth(scope));
}

/** The topics that a stack's sidecar reads. */
function declaredIn({ resource }: Json): string {
  return Object.values<Json>(resource.docker_container)
    .find(({ name }) => name === "kafka-init")
    .upload.find(({ file }: Json) => file === TOPICS_FILE).content;
}

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
    const ids = Object.values(knownEnvironments).map((environment) => {
      const { stacks } = synthesize(environment);
      const own = [1, 2, 3].map((n) => envOf(container(stacks, `kafka-${n}`)).CLUSTER_ID);
      expect(new Set(own).size).toBe(1);
      return own[0];
    });
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("replicates as far as a single broker can", () => {
    const [broker] = Object.values<Json>(kafka(1).resource.docker_container).filter(
      ({ name }) => name === "kafka-1",
    );
    expect(envOf(broker)).toMatchObject({
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: "1",
      KAFKA_MIN_INSYNC_REPLICAS: "1",
    });
  });

  test("needs nothing but a stack: networks, volumes and the provider are its own", () => {
    const scope = stack();
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

  test("has three brokers where no number is given, and refuses two numbers", () => {
    const scope = stack();
    expect(new KafkaCluster(scope, "Kafka").brokers.map(({ name }) => name)).toEqual([
      "kafka-1",
      "kafka-2",
      "kafka-3",
    ]);
    expect(() => kafkaWith({ brokers: 3 })).toThrow(
      "brokers is 3 and nodes has 1: leave one of them out (at test/kafka)",
    );
  });

  test("provisions the topics that are added by one sidecar", () => {
    const scope = stack();
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
      'topic "orders" is declared twice: every topic has one declaration (at test/Kafka)',
    );
    expect(() => cluster.addTopic("refunds", { partitions: 0 })).toThrow(
      'topic "refunds" has 0 partitions: it needs a whole number from 1 to 2147483647 (at test/Kafka)',
    );
  });

  test("takes its topics from one place", () => {
    const scope = stack();
    const cluster = new KafkaCluster(scope, "Kafka", { brokers: 1 });
    new KafkaInit(scope, "init", { cluster, topics: [] });
    cluster.addTopic("orders", { partitions: 3 });
    expect(() => Testing.synth(scope)).toThrow(
      'topic "orders" is added to the cluster, and a KafkaInit is declared for it: give the KafkaInit all topics, or add them all (at test/Kafka)',
    );
  });

  test("leaves a stack the provider that it has", () => {
    const scope = stack();
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

  test("fails with configuration that follows from the cluster, and with a name that no host has", () => {
    expect(() => kafkaWith({ config: { "advertised.listeners": "APP://localhost:9092" } })).toThrow(
      'config "advertised.listeners" is "APP://localhost:9092", and the cluster sets it from its nodes, networks, memory and security: change those, and leave it out of config (at test/kafka)',
    );
    expect(() => kafkaWith({ containerName: "order_events" })).toThrow(
      'containerName is "order_events": allowed are lower-case letters, digits and hyphens, the first a letter, since it is in host names and certificates (at test/kafka)',
    );
  });

  test("fails with an even quorum", () => {
    expect(() => kafka(2)).toThrow(
      "a Kafka cluster of 2 brokers has no sound controller quorum: 1, 3, 5 or another odd number; an even one tolerates no more failures than the odd one below it (at test/kafka)",
    );
  });
});

describe("a topic", () => {
  const declare = (topic: Partial<Topic>, ...others: Topic[]) =>
    kafka(3, [{ name: "orders", partitions: 3, ...topic }, ...others]);

  test("has three replicas and two in sync by default", () => {
    expect(JSON.parse(declaredIn(declare({})))).toEqual([
      {
        name: "orders",
        partitions: 3,
        replicationFactor: 3,
        onDrift: "fail",
        configs: { "min.insync.replicas": "2" },
      },
    ]);
  });

  test("has its configs in whatever spelling Kafka reads", () => {
    const configs = {
      "retention.ms": " 60000 " as unknown as number,
      "cleanup.policy": "compact, delete" as "compact",
      preallocate: "TRUE",
      "min.cleanable.dirty.ratio": "1e-4",
      "flush.messages": "9223372036854775807",
      "segment.ms": undefined,
    };
    expect(JSON.parse(declaredIn(declare({ configs })))[0].configs).toEqual({
      "min.insync.replicas": "2",
      "retention.ms": "60000",
      "cleanup.policy": "compact,delete",
      preallocate: "TRUE",
      "min.cleanable.dirty.ratio": "1e-4",
      "flush.messages": "9223372036854775807",
    });
  });

  test.each<[string, Partial<Topic>, string]>([
    [
      "a replication factor above the brokers",
      { replicationFactor: 5 },
      'topic "orders" has replicationFactor 5 and the cluster has 3 brokers: allowed is 1 to 3; lower the factor or add brokers to the environment (at test/init)',
    ],
    [
      "more replicas in sync than there are",
      { replicationFactor: 2, configs: { "min.insync.replicas": 3 } },
      'topic "orders" has min.insync.replicas 3 and replicationFactor 2: allowed is 1 to 2, otherwise no write with acks=all can succeed (at test/init)',
    ],
    [
      "an illegal name",
      { name: "orders/new" },
      'topic name "orders/new" is not legal: 1 to 249 characters out of a-z, A-Z, 0-9, ".", "_" and "-", and neither "." nor ".." (at test/init)',
    ],
    [
      "no partitions",
      { partitions: 0 },
      'topic "orders" has 0 partitions: it needs a whole number from 1 to 2147483647 (at test/init)',
    ],
    [
      "a number that JavaScript cannot hold",
      { configs: { "flush.messages": Number("9223372036854775807") } },
      'topic "orders" has the config flush.messages=9223372036854776000, which may be another number than was written: from 2^53 on write it as text, as in "9223372036854775807" (at test/init)',
    ],
    [
      "a config that Kafka does not have",
      { configs: { "retention.sm": 60000 } },
      'topic "orders" has the config retention.sm, which Kafka does not have: did you mean retention.ms? (at test/init)',
    ],
    [
      "a config in the spelling of other tools",
      { configs: { cleanupPolicy: "compact" } },
      'topic "orders" has the config cleanupPolicy, which Kafka does not have: did you mean cleanup.policy? (at test/init)',
    ],
    [
      "a setting of the brokers",
      { configs: { "log.flush.interval.messages": 1 } },
      "topic \"orders\" has the config log.flush.interval.messages, which Kafka does not have: that is the brokers' setting, a topic's is flush.messages (at test/init)",
    ],
    [
      "a config that no name is near to",
      { configs: { "no.such.config": 1 } },
      'topic "orders" has the config no.such.config, which Kafka does not have: those that it has are in https://kafka.apache.org/documentation/#topicconfigs (at test/init)',
    ],
    [
      "a config that would break its line",
      { configs: { "retention.ms": "1; rm" as unknown as number } },
      'topic "orders" has the config retention.ms=1; rm: allowed is a whole number from -1 to 9223372036854775807 (at test/init)',
    ],
    [
      "a whole number that Java does not read",
      { configs: { "flush.messages": "1e6" } },
      'topic "orders" has the config flush.messages=1e6: allowed is a whole number from 1 to 9223372036854775807 (at test/init)',
    ],
    [
      "a number above what the type holds",
      { configs: { "segment.bytes": 3_000_000_000 } },
      'topic "orders" has the config segment.bytes=3000000000: allowed is a whole number from 1048576 to 2147483647 (at test/init)',
    ],
    [
      "a number out of range but for one",
      { configs: { "compression.gzip.level": 0 } },
      'topic "orders" has the config compression.gzip.level=0: allowed is a whole number from 1 to 9, or -1 (at test/init)',
    ],
    [
      "a part that is more than the whole",
      { configs: { "min.cleanable.dirty.ratio": 1.5 } },
      'topic "orders" has the config min.cleanable.dirty.ratio=1.5: allowed is a number from 0 to 1 (at test/init)',
    ],
    [
      "a number for what is true or false",
      { configs: { preallocate: 1 } },
      'topic "orders" has the config preallocate=1: allowed is true or false (at test/init)',
    ],
    [
      "a word in the wrong case",
      { configs: { "compression.type": "LZ4" as "lz4" } },
      'topic "orders" has the config compression.type=LZ4: allowed is uncompressed, zstd, lz4, snappy, gzip or producer (at test/init)',
    ],
    [
      "a list with something else in it",
      { configs: { "cleanup.policy": "compact,remove" as "compact" } },
      'topic "orders" has the config cleanup.policy=compact,remove: allowed is a list out of compact, delete (at test/init)',
    ],
    [
      "replicas to throttle that are no pairs",
      { configs: { "leader.replication.throttled.replicas": "0" } },
      'topic "orders" has the config leader.replication.throttled.replicas=0: allowed is a list of partition:broker, as in "0:1,1:2", or "*" (at test/init)',
    ],
  ])("fails with %s", (_, topic, message) => {
    expect(() => declare(topic)).toThrow(message);
  });

  test("fails when it is declared twice", () => {
    expect(() => declare({}, { name: "orders", partitions: 1 })).toThrow(
      'topic "orders" is declared twice: every topic has one declaration (at test/init)',
    );
  });

  test("fails when Kafka could not tell it from another", () => {
    expect(() => declare({ name: "a.b" }, { name: "a_b", partitions: 1 })).toThrow(
      'topics "a.b" and "a_b" differ only in "." and "_", which Kafka refuses: rename one (at test/init)',
    );
  });
});

/** Files as another place would give them. */
const SECURITY: Security = {
  caBundle: "tls/ca.pem",
  keyPairOf: (principal) => `tls/${principal}.store.pem`,
  credentialsOf: (application) => ({
    password: `passwords/${application}`,
    passwordHash: `passwords/${application}.bcrypt`,
  }),
};

function securedKafka(applications: readonly Application[], security?: Security) {
  const scope = stack();
  const cluster = new KafkaCluster(scope, "kafka", {
    ...networks(scope),
    nodes: nodes(scope, 3).map((node, i) => ({ ...node, hostPort: 9092 + i })),
    security,
  });
  new KafkaInit(scope, "init", {
    cluster,
    topics: [{ name: "orders", partitions: 3 }],
    applications,
  });
  const containers: Json[] = Object.values(
    JSON.parse(Testing.synth(scope)).resource.docker_container,
  );
  return (name: string) => containers.find((body) => body.name === name) as Json;
}

describe("a secured Kafka cluster", () => {
  const found = securedKafka(
    [
      { name: "shop", topics: { orders: "write" }, consumerGroups: ["shop-*"] },
      { name: "audit", topics: { "*": "read" }, everything: true },
    ],
    SECURITY,
  );
  const broker = found("kafka-2");
  const init = found("kafka-init");
  const secretsOf = (body: Json) =>
    body.upload
      .filter(({ source_hash }: Json) => source_hash?.includes("filesha256"))
      .map(({ file, source, permissions }: Json) => [file, source, permissions]);

  test("speaks TLS everywhere: with certificates among its own, with passwords to applications", () => {
    expect(envOf(broker)).toMatchObject({
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP:
        "APP:SASL_SSL,CONTROLLER:SSL,INTERNAL:SSL,HOST:SASL_SSL,HEALTH:PLAINTEXT",
      KAFKA_LISTENER_NAME_CONTROLLER_SSL_CLIENT_AUTH: "required",
      KAFKA_LISTENER_NAME_INTERNAL_SSL_CLIENT_AUTH: "required",
      KAFKA_LISTENER_NAME_APP_SASL_ENABLED_MECHANISMS: "SCRAM-SHA-512",
      KAFKA_LISTENER_NAME_HOST_SASL_ENABLED_MECHANISMS: "SCRAM-SHA-512",
      KAFKA_SSL_KEYSTORE_TYPE: "PEM",
      KAFKA_SSL_KEYSTORE_LOCATION: "/groundwork/tls/keystore.pem",
      KAFKA_SSL_TRUSTSTORE_TYPE: "PEM",
      KAFKA_SSL_TRUSTSTORE_LOCATION: "/groundwork/tls/truststore.pem",
    });
    expect(Object.keys(envOf(broker)).filter((name) => /IDENTIFICATION/.test(name))).toEqual([]);
  });

  test("allows nobody but its brokers and kafka-init what no ACL allows", () => {
    expect(envOf(broker)).toMatchObject({
      KAFKA_AUTHORIZER_CLASS_NAME: "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
      KAFKA_ALLOW_EVERYONE_IF_NO_ACL_FOUND: "false",
      KAFKA_SUPER_USERS: "User:kafka-1;User:kafka-2;User:kafka-3;User:kafka-init",
      KAFKA_SSL_PRINCIPAL_MAPPING_RULES: "RULE:^CN=([^,]+).*$/$1/,DEFAULT",
    });
  });

  test("is reached by names that Java takes a certificate for, on each network its own", () => {
    expect(broker.networks_advanced).toEqual([
      { name: "infra_net", aliases: ["kafka", "kafka-2.infra-net"] },
      { name: "project_net", aliases: ["kafka", "kafka-2.project-net"] },
    ]);
    expect(envOf(broker)).toMatchObject({
      KAFKA_CONTROLLER_QUORUM_VOTERS:
        "1@kafka-1.infra-net:9093,2@kafka-2.infra-net:9093,3@kafka-3.infra-net:9093",
      KAFKA_ADVERTISED_LISTENERS:
        "CONTROLLER://kafka-2.infra-net:9093,INTERNAL://kafka-2.infra-net:19092,APP://kafka-2.project-net:9092,HOST://localhost:9093",
    });
    expect(envOf(init).KAFKA_BOOTSTRAP_SERVERS).toBe(
      "kafka-1.infra-net:19092,kafka-2.infra-net:19092,kafka-3.infra-net:19092",
    );
  });

  test("has a listener for its health check that nobody outside of the container reaches", () => {
    expect(envOf(broker).KAFKA_LISTENERS).toBe(
      "CONTROLLER://kafka-2.infra_net:9093,INTERNAL://kafka-2.infra_net:19092,APP://kafka-2.project_net:9092,HOST://kafka-2.infra_net:29092,HEALTH://127.0.0.1:19099",
    );
    expect(broker.healthcheck.test.slice(-2)).toEqual(["127.0.0.1", "19099"]);
  });

  test("has its secrets as files of the machine that deploys, which the user of the image can read", () => {
    expect(secretsOf(broker)).toEqual([
      ["/groundwork/tls/keystore.pem", "tls/kafka-2.store.pem", "0444"],
      ["/groundwork/tls/truststore.pem", "tls/ca.pem", "0444"],
    ]);
    expect(secretsOf(init)).toEqual([
      ["/groundwork/tls/keystore.pem", "tls/kafka-init.store.pem", "0444"],
      ["/groundwork/tls/truststore.pem", "tls/ca.pem", "0444"],
      ["/groundwork/passwords/shop", "passwords/shop", "0444"],
      ["/groundwork/passwords/audit", "passwords/audit", "0444"],
    ]);
  });

  test("tells kafka-init what each application may do, and who measures the cluster", () => {
    const { content } = init.upload.find(({ file }: Json) => file === APPLICATIONS_FILE);
    expect(JSON.parse(content)).toEqual({
      applications: [
        { name: "shop", topics: { orders: "write" }, consumerGroups: ["shop-*"] },
        { name: "audit", topics: { "*": "read" }, consumerGroups: [] },
      ],
      monitors: ["alloy"],
    });
    expect(envOf(init)).toMatchObject({
      GROUNDWORK_DECLARED: "orders application/shop application/audit application/alloy",
      KAFKA_CLIENT_CONFIG: "/groundwork/client.properties",
    });
  });

  test("leaves a cluster that is not secured as it is, whatever applications there are", () => {
    const applications: Application[] = [{ name: "shop", topics: { orders: "write" } }];
    for (const name of ["kafka-1", "kafka-init"]) {
      expect(securedKafka(applications)(name)).toEqual(securedKafka([])(name));
    }
    expect(
      Object.keys(envOf(securedKafka([])("kafka-1"))).filter((n) => /SSL|SASL|ACL/.test(n)),
    ).toEqual([]);
  });
});

describe("an application", () => {
  const declare = (...applications: Application[]) => securedKafka(applications, SECURITY);

  test.each<[string, Application[], string]>([
    [
      "an illegal name",
      [{ name: "Shop" }],
      'application name "Shop" is not legal: 1 to 63 lower-case letters, digits and hyphens, the first a letter (at test/init)',
    ],
    [
      "the name of a service",
      [{ name: "kafka-7" }],
      `application name "kafka-7" is the name of one of the platform's own services, whose rights it would have: choose another one, such as "kafka-7-app" (at test/init)`,
    ],
    [
      "the name of a sidecar",
      [{ name: "os-admin" }],
      `application name "os-admin" is the name of one of the platform's own services, whose rights it would have: choose another one, such as "os-admin-app" (at test/init)`,
    ],
    [
      "two declarations",
      [{ name: "shop" }, { name: "shop" }],
      'application "shop" is declared twice: every application has one declaration (at test/init)',
    ],
    [
      "a topic that is not there",
      [{ name: "shop", topics: { order: "read" } }],
      'application "shop" has the topic "order", and no topic of that name is declared: allowed are orders; declare the topic or correct the name (at test/init)',
    ],
    [
      "the beginning of no topic",
      [{ name: "shop", topics: { "pay*": "read" } }],
      'application "shop" has the topic "pay*", and no topic whose name begins so is declared: allowed are orders; declare the topic or correct the name (at test/init)',
    ],
    [
      "a star within a name",
      [{ name: "shop", topics: { "o*s": "read" } }],
      `application "shop" has the topic "o*s": allowed is a topic's name, or the beginning of names with a "*" after it (at test/init)`,
    ],
    [
      "every topic, unmeant",
      [{ name: "shop", topics: { "*": "read" } }],
      'application "shop" names every topic with "*": name those that it needs, or a prefix as in "shop-*"; if every topic is meant, add everything: true (at test/init)',
    ],
    [
      "every consumer group, unmeant",
      [{ name: "shop", consumerGroups: ["*"] }],
      'application "shop" names every consumer group with "*": name those that it needs, or a prefix as in "shop-*"; if every consumer group is meant, add everything: true (at test/init)',
    ],
    [
      "every index, unmeant",
      [{ name: "shop", indices: { "*": "read" } }],
      'application "shop" names every index with "*": name those that it needs, or a prefix as in "shop-*"; if every index is meant, add everything: true (at test/init)',
    ],
    [
      "a consumer group of two words",
      [{ name: "shop", consumerGroups: ["my group"] }],
      'application "shop" has the consumer group "my group": allowed are 1 to 255 printable characters of ASCII without white space, and "*" at the end alone, for every group that begins so (at test/init)',
    ],
    [
      "a consumer group twice",
      [{ name: "shop", consumerGroups: ["g", "g"] }],
      'application "shop" has the consumer group "g" twice: name it once (at test/init)',
    ],
  ])("fails with %s", (_, applications, message) => {
    expect(() => declare(...applications)).toThrow(message);
  });

  test("may read everything when it is meant", () => {
    const everything: Application = {
      name: "audit",
      topics: { "*": "read", "ord*": "read" },
      consumerGroups: ["*"],
      indices: { "*": "read" },
      everything: true,
    };
    expect(() => declare(everything)).not.toThrow();
  });
});

describe("an OpenSearch cluster", () => {
  test("keeps its transport on the infra network, and HTTP off the project network unless asked", () => {
    const laptopNode = envOf(container(synthesize(laptop).stacks, "opensearch-1"));
    expect(laptopNode["transport.host"]).toBe("opensearch-1.infra_net");
    expect(laptopNode["http.host"]).toBe("_local_,opensearch-1.infra_net,opensearch-1.project_net");
    const production = container(synthesize(knownEnvironments.production).stacks, "opensearch-1");
    expect(envOf(production)["http.host"]).toBe("_local_,opensearch-1.infra_net");
    expect(production.networks_advanced).toEqual([
      { name: "infra_net", aliases: ["opensearch", "opensearch-1.infra-net"] },
    ]);
  });

  test("raises the limits of open files and locked memory unless the machine refuses", () => {
    const raised = container(synthesize(laptop).stacks, "opensearch-1");
    expect(raised.ulimit).toEqual([
      { name: "memlock", soft: -1, hard: -1 },
      { name: "nofile", soft: 65536, hard: 65536 },
    ]);
    expect(envOf(raised)["bootstrap.memory_lock"]).toBe("true");
    const inherited = container(synthesize(knownEnvironments.lab).stacks, "opensearch-1");
    expect(inherited.ulimit).toBeUndefined();
    expect(envOf(inherited)["bootstrap.memory_lock"]).toBe("false");
  });

  test("needs nothing but a stack", () => {
    const scope = stack();
    const cluster = new OpenSearchCluster(scope, "OpenSearch", { nodeCount: 1 });
    expect(cluster.infraNetwork.name).toBe("opensearch-infra");
    const { resource } = JSON.parse(Testing.synth(scope));
    const [node] = Object.values<Json>(resource.docker_container);
    expect(node.volumes).toEqual([
      { container_path: "/usr/share/opensearch/data", volume_name: "opensearch-1-data" },
    ]);
    expect(node.depends_on).toHaveLength(2);
  });

  test("fails with two nodes", () => {
    const scope = stack();
    expect(
      () => new OpenSearchCluster(scope, "os", { ...networks(scope), nodes: nodes(scope, 2) }),
    ).toThrow(
      "an OpenSearch cluster of 2 nodes cannot elect a cluster manager after losing one: 1 node, or 3 and more (at test/os)",
    );
  });
});

describe("an index template", () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "templates-"));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const load = (text: string, name = "t.json") => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return IndexTemplate.fromFile(path);
  };

  test.each([
    [
      "is not JSON, with file and line",
      '{\n  "index_patterns": [\n}',
      /t\.json:3:1 is not JSON: ValueExpected/,
    ],
    ["is not an object", "[]", /t\.json has to be a JSON object/],
    [
      "has no patterns",
      '{"template": {}}',
      /t\.json has no index_patterns: list the index names that it applies to, as in \["logs-\*"\]/,
    ],
    [
      "has an unknown key",
      '{"index_patterns": ["a-*"], "mappings": {}}',
      /t\.json has "mappings", which is unknown: allowed are index_patterns, priority, template/,
    ],
  ])("fails when it %s", (_, text, message) => {
    expect(() => load(text)).toThrow(message);
  });

  test.each([
    [
      "the same property twice",
      '{\n  "index_patterns": ["a-*"],\n  "template": {\n    "mappings": {},\n    "mappings": {}\n  }\n}',
      /t\.json:5:5 has "mappings" once more, which is at 4:5 already: one of them would be lost, so leave one$/,
    ],
    [
      "a number that would be another one",
      '{"index_patterns": ["a-*"], "version": 9223372036854775807}',
      /t\.json:1:40 has the number 9223372036854775807, which would become 9223372036854775808: write it as text, "9223372036854775807"$/,
    ],
  ])("fails with %s, of which a part would be lost without a word", (_, text, message) => {
    expect(() => load(text)).toThrow(message);
  });

  test("may have a property of one name in several objects, and numbers that can be held", () => {
    const text =
      '{"index_patterns": ["a-*"], "version": 9007199254740992, "template": {"settings": {"a": 1e3}, "mappings": {"a": 0.1, "template": -7}}}';
    expect(load(text).body).toEqual(JSON.parse(text));
  });

  test("fails with a name that OpenSearch refuses", () => {
    expect(() => load('{"index_patterns": ["a"]}', "Logs.json")).toThrow(
      /the name "Logs" is not legal, it has to be lower-case letters/,
    );
  });

  const declare = (...indexTemplates: IndexTemplate[]) => {
    const scope = stack();
    const cluster = new OpenSearchCluster(scope, "os", {
      ...networks(scope),
      nodes: nodes(scope, 1),
    });
    return new OpenSearchInit(scope, "init", {
      cluster,
      indexTemplates,
    });
  };

  test.each([
    ["logs-*", "logs-app-*", true],
    ["*-app", "logs-*", true],
    ["logs-*-a", "logs-b*", true],
    ["logs-app", "logs-app", true],
    ["*", "anything", true],
    ["logs-*", "metrics-*", false],
    ["logs-*-a", "logs-*-b", false],
    ["logs", "logs-*", false],
  ])("for %s beside one for %s of the same priority: both for one index is %s", (a, b, both) => {
    const [first, second] = [a, b].map((pattern, i) =>
      load(JSON.stringify({ index_patterns: [pattern] }), `${"ab"[i]}.json`),
    );
    const declaring = expect(() => declare(first, second));
    if (both) {
      declaring.toThrow(
        `index templates a.json and b.json both have the priority 0 and are both for an index whose name fits "${a}" and "${b}", which OpenSearch refuses: give the more specific one a higher priority (at test/init)`,
      );
    } else {
      declaring.not.toThrow();
    }
    const preferred = load(JSON.stringify({ index_patterns: [b], priority: 1 }), "b.json");
    expect(() => declare(first, preferred)).not.toThrow();
  });

  test("fails when it is declared twice", () => {
    const template = load('{"index_patterns": ["a-*"]}');
    expect(() => declare(template, template)).toThrow(
      'index template "t" is declared twice: every template has one declaration (at test/init)',
    );
  });
});

describe("memory", () => {
  test("is this table", () => {
    expect(MEMORY_TIERS).toEqual({
      tool: { limitMiB: 128, reservationMiB: 64 },
      job: { limitMiB: 256, reservationMiB: 128 },
      small: { limitMiB: 512, reservationMiB: 256 },
      medium: { limitMiB: 1024, reservationMiB: 512 },
      broker: { limitMiB: 1536, reservationMiB: 1024 },
      search: { limitMiB: 2048, reservationMiB: 1024 },
    });
  });

  test("of a laptop fits in 8 GiB", () => {
    const { stacks } = synthesize(laptop);
    const total = Object.values(stacks)
      .flatMap((json) => Object.values<Json>(json.resource.docker_container ?? {}))
      .reduce((sum, { memory }) => sum + memory, 0);
    expect(total).toBeLessThanOrEqual(8192);
  });

  test("gives every JVM a heap of whole mebibytes at any scale", () => {
    const { stacks } = synthesize({ ...laptop, memoryScale: 0.55 });
    const heaps = JSON.stringify(stacks).match(/-Xmx[^m]*m/g);
    expect([...new Set(heaps)].sort()).toEqual(["-Xmx422m", "-Xmx563m"]);
  });

  test("fails with a reservation above the limit", () => {
    expect(() => validateMemory(stack(), { limitMiB: 512, reservationMiB: 1024 })).toThrow(
      "memoryReservationMiB is 1024 and memoryLimitMiB is 512: the reservation has to be above 0 and below the limit; lower the reservation or raise the limit (at test)",
    );
  });

  test("fails with a scale at which nothing would start", () => {
    expect(() =>
      applyServiceSettings(stack(), { environment: "e", stack: "s", memoryScale: 0.1 }),
    ).toThrow("memoryScale is 0.1: allowed is 0.5 to 16");
  });
});

describe("a service container", () => {
  const declare = (overrides: object) => {
    const scope = stack();
    const { infraNetwork, projectNetwork } = networks(scope);
    return new ServiceContainer(scope, "web", {
      name: "web",
      image: ServiceImage.of(scope, "web:1.0.0"),
      tier: "small",
      networks: [infraNetwork, projectNetwork],
      healthCheck: { command: ["true"] },
      ...overrides,
    });
  };

  test("fails when its ports would be published through another network than meant", () => {
    expect(() =>
      declare({
        networks: [{ name: "z_net" }, { name: "a_net" }],
        ports: [{ containerPort: 80, hostPort: 80 }],
      }),
    ).toThrow(
      'host ports are to be published through network "z_net", but the engine uses the one that sorts first, "a_net": rename one of them (at test/web)',
    );
  });

  test.each(["web", "web:latest", "registry:5000/web"])(
    "fails with the unpinned image %s",
    (reference) => {
      expect(() => ServiceImage.of(stack(), reference)).toThrow(
        `image "${reference}" has no pinned tag: name a version, as in "apache/kafka:4.3.1"`,
      );
    },
  );

  test("shares one image resource with the other containers of its stack", () => {
    const scope = stack();
    expect(ServiceImage.of(scope, "web:1.0.0")).toBe(ServiceImage.of(scope, "web:1.0.0"));
    const [web, api] = ["registry:5000/web:1", "registry:5000/api:1"];
    expect(ServiceImage.of(scope, web)).not.toBe(ServiceImage.of(scope, api));
    expect(() => ServiceImage.of(scope, "web:2.0.0")).toThrow(
      'image "web:2.0.0" is declared beside "web:1.0.0": a stack has one version of an image, so name the same one or use another stack (at test)',
    );
  });
});

test("a network can be adopted by name", () => {
  const { stacks } = synthesize({
    ...laptop,
    networks: { ...laptop.networks, project: { name: "team_net", adopt: true } },
  });
  expect(Object.values(stacks["laptop-network"].data.docker_network)).toEqual([
    expect.objectContaining({ name: "team_net" }),
  ]);
  const made = Object.values<Json>(stacks["laptop-network"].resource.docker_network);
  expect(made.map(({ name }) => name)).toEqual(["infra_net"]);
});

test("an unknown environment fails with those that are allowed", () => {
  expect(() => environmentNamed(knownEnvironments, "prod")).toThrow(
    'GROUNDWORK_ENV is "prod": allowed are laptop, production, lab, lab-secured, lab-three, lab-three-secured; leave it unset for laptop',
  );
  expect(environmentNamed(knownEnvironments)).toBe(laptop);
  expect(() => environmentNamed(knownEnvironments, "constructor")).toThrow(
    'GROUNDWORK_ENV is "constructor"',
  );
});

test("an environment fails that would be deployed over another one", () => {
  expect(() => validateEnvironment("staging", { ...production, memoryScale: 1 })).toThrow(
    'environment "staging" in environments/index.ts has the name "production": it would be deployed over that one\'s state and containers; set name to "staging"',
  );
});

test("an environment fails in which two containers would have one port", () => {
  const at = (openSearch: number, kafka: number, grafana: number) => () =>
    validateEnvironment("laptop", { ...laptop, hostPorts: { openSearch, kafka, grafana } });
  expect(at(9091, 9092, 3000)).toThrow(
    'hostPorts of environment "laptop" give 9092 to opensearch-2 and to kafka-1: each node of a cluster takes a port, counted on from its first one; set them further apart',
  );
  expect(at(9200, 9092, 9094)).toThrow("give 9094 to kafka-3 and to grafana: ");
  expect(at(9200, 65534, 3000)).toThrow(
    'hostPorts of environment "laptop" give 65536 to kafka-3: a port is 1 to 65535',
  );
  expect(at(9095, 9092, 3000)).not.toThrow();
});

test("every environment of this repository is sound", () => {
  for (const name of Object.keys(knownEnvironments)) {
    expect(environmentNamed(knownEnvironments, name).name).toBe(name);
  }
});

test("a laptop with one broker and one node takes the catalog as it is", () => {
  const small = {
    ...laptop,
    kafka: { brokers: 1 },
    openSearch: { ...laptop.openSearch, nodes: 1 },
  };
  const { upload } = container(synthesize(small).stacks, "kafka-init");
  const topics = JSON.parse(upload.find(({ file }: Json) => file === TOPICS_FILE).content);
  expect(
    topics.map(({ replicationFactor, configs }: Json) => [
      replicationFactor,
      configs["min.insync.replicas"],
    ]),
  ).toEqual([
    [1, "1"],
    [1, "1"],
  ]);
});

test("a duration is spelled as the provider reads it back", () => {
  expect([2, 60, 90, 180].map(renderDuration)).toEqual(["2s", "1m0s", "1m30s", "3m0s"]);
});

test("an uploaded program is a path inside the synthesized stack, and a hash", () => {
  const init = container(synthesize(laptop).stacks, "kafka-init");
  const { content, source, source_hash } = init.upload.find(
    ({ file }: Json) => file === "/groundwork/kafka-init.jar",
  );
  expect(content).toBeUndefined();
  expect(source).toMatch(new RegExp(`^assets/[^/]+/${source_hash}/kafka-init\\.jar$`));
});

test("a sidecar without topics has a file that the provider takes", () => {
  const [init] = Object.values<Json>(kafka(1).resource.docker_container).filter(
    ({ name }) => name === "kafka-init",
  );
  expect(JSON.parse(init.upload.find(({ file }: Json) => file === TOPICS_FILE).content)).toEqual(
    [],
  );
});

test("an uploaded file reaches the container as it is", () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what is escaped
  expect(escapeTemplate("a ${b} %{c} $d 100% $${e}")).toBe("a $${b} %%{c} $d 100% $$${e}");
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what is escaped
  const content = "a ${b} %{c} $d 100% $${e}";
  expect(unescapeTemplate(escapeTemplate(content))).toBe(content);
});
