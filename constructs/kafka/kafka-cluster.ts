import { createHash } from "node:crypto";
import { Aspects } from "cdktf";
import { Construct } from "constructs";
import { type ClusterNodeProps, countNodes, resolveNodes } from "../container/cluster-node";
import { readOwnFile } from "../container/file";
import { jvmHeapMiB, type Memory, memoryOf } from "../container/memory";
import { ServiceContainer } from "../container/service-container";
import { ServiceImage } from "../container/service-image";
import { all, validate } from "../container/validation";
import { hostNameOn, hostNamesOn } from "../network/host-name";
import { type INetwork, Network } from "../network/network";
import type { Security } from "../security/security";
import { type IKafkaCluster, kafkaClientFiles, TLS_FILES } from "./kafka-client";
import { KafkaInit } from "./kafka-init";
import { type Topic, validateTopics } from "./topic";

/** Image of every broker, and of the sidecar, which needs its client library. */
export const KAFKA_IMAGE = "apache/kafka:4.3.1";

/** Ports inside a broker's container, by listener. */
export const KAFKA_PORTS = { APP: 9092, CONTROLLER: 9093, INTERNAL: 19092, HOST: 29092 } as const;

const CLUSTER = "kafka";

/** Where an application on the project network connects first, unless the cluster has another name: it leads to one of the brokers that run. */
export const KAFKA_BOOTSTRAP_SERVER = `${CLUSTER}:${KAFKA_PORTS.APP}`;

/**
 * Port of a secured broker's health check, on its container's loopback address alone. In the clear, since a check every two
 * seconds has to be cheap; whoever asks there is anonymous, and may do nothing.
 */
const HEALTH_PORT = 19099;

/** How a secured cluster speaks on each listener: certificates among the platform's own, user and password for applications. */
const LOCKED_PROTOCOLS = {
  APP: "SASL_SSL",
  CONTROLLER: "SSL",
  INTERNAL: "SSL",
  HOST: "SASL_SSL",
  HEALTH: "PLAINTEXT",
} as const;

/** Where a broker is asked on the infra network: with a client, and by its health check inside its container. */
export function kafkaAddresses(
  broker: string,
  infraNetwork: INetwork,
  isSecured: boolean,
): { readonly internal: string; readonly health: readonly [host: string, port: string] } {
  const { INTERNAL } = KAFKA_PORTS;
  const name = `${broker}.${infraNetwork.name}`;
  return isSecured
    ? {
        internal: `${hostNameOn(infraNetwork, broker)}:${INTERNAL}`,
        health: ["127.0.0.1", String(HEALTH_PORT)],
      }
    : { internal: `${name}:${INTERNAL}`, health: [name, String(INTERNAL)] };
}

export interface KafkaClusterProps {
  /**
   * Number of brokers that are alike, 1 or an odd one from 3.
   *
   * @default - the number of `nodes`, or 3
   */
  readonly brokers?: number;

  /**
   * The brokers, where they differ or something is to be said about them.
   *
   * @default - as many as `brokers` says, with the defaults of `ClusterNodeProps`
   */
  readonly nodes?: readonly ClusterNodeProps[];

  /**
   * Network of the brokers' own traffic: the controller quorum, replication, the init sidecar.
   *
   * @default - the cluster's own network `<containerName>-infra`
   */
  readonly infraNetwork?: INetwork;

  /**
   * Network on which applications reach the brokers.
   *
   * @default - the cluster's own network `<containerName>-project`
   */
  readonly projectNetwork?: INetwork;

  /**
   * What the brokers run, and the sidecar.
   *
   * @default KAFKA_IMAGE
   */
  readonly image?: string;

  /**
   * What the names of the cluster's containers begin with: `<containerName>-1` and so on for the brokers, `<containerName>-init` for the
   * sidecar. On every network it is a host name of all brokers together.
   *
   * @default "kafka"
   */
  readonly containerName?: string;

  /**
   * Memory of each broker. Half of the limit is the JVM's heap.
   *
   * @default - the tier `broker` of `MEMORY_TIERS`, at the scale of the environment
   */
  readonly memory?: Memory;

  /**
   * Broker configuration by Kafka's own names (https://kafka.apache.org/documentation/#brokerconfigs). What follows from the nodes, the
   * networks and `security`, such as `listeners`, cannot be set.
   *
   * @default - topics are created by a declaration alone; three replicas, two of them in sync, fewer with fewer brokers; Kafka's defaults for the rest
   */
  readonly config?: Readonly<Record<string, string | number | boolean>>;

  /**
   * The KRaft cluster id that the data volumes are formatted with. Kafka refuses volumes of another id.
   *
   * @default - derived from the construct's path, so that it is the same in every deploy
   */
  readonly clusterId?: string;

  /**
   * Secures the cluster: certificates among brokers, controllers and sidecars, SCRAM-SHA-512 for applications, TLS on every network,
   * and nobody but the brokers and the sidecar may do what no ACL allows. Brokers are who `keyPairOf` says of their names.
   *
   * @default - anyone who reaches a listener may do everything, in the clear
   */
  readonly security?: Security;
}

/** Kafka in KRaft mode: every node is broker and controller. Containers `kafka-1` to `kafka-n`. */
export class KafkaCluster extends Construct implements IKafkaCluster {
  readonly brokers: readonly ServiceContainer[];

  readonly expectedNodes: number;
  readonly internalBootstrapServers: readonly string[];
  readonly infraNetwork: INetwork;
  readonly image: ServiceImage;
  readonly security?: Security;
  readonly initName: string;

  /** Network on which applications reach the brokers. */
  readonly projectNetwork: INetwork;

  private readonly topics: Topic[] = [];

  /** `min.insync.replicas` of every topic that does not set it. */
  readonly minInsyncReplicas: number;

  constructor(scope: Construct, id: string, props: KafkaClusterProps = {}) {
    super(scope, id);
    const given = countNodes(this, { nodes: props.nodes, count: props.brokers }, "brokers");
    const count = given.length;
    validate(
      count % 2 === 1,
      () =>
        `a Kafka cluster of ${count} brokers has no sound controller quorum: 1, 3, 5 or another odd number; an even one tolerates no more failures than the odd one below it`,
      this,
    );
    const { security, containerName = CLUSTER } = props;
    const own = (network: string) =>
      new Network(this, `${network}-network`, { name: `${containerName}-${network}` });
    const infraNetwork = props.infraNetwork ?? own("infra");
    const projectNetwork = props.projectNetwork ?? own("project");
    this.infraNetwork = infraNetwork;
    this.projectNetwork = projectNetwork;
    this.security = security;
    this.image = ServiceImage.of(this, props.image ?? KAFKA_IMAGE);
    this.initName = `${containerName}-init`;
    const memory = props.memory ?? memoryOf(this, "broker");
    const nodes = resolveNodes(this, { containerName, infraNetwork, projectNetwork }, given);
    const names = nodes.map(({ name }) => name);
    this.expectedNodes = nodes.filter(({ excluded }) => !excluded).length;
    const config = { ...configDefaults(count), ...props.config };
    this.minInsyncReplicas = Number(config["min.insync.replicas"]);
    const isSecured = security !== undefined;
    const bind = (name: string, network: INetwork, port: number) =>
      `${name}.${network.name}:${port}`;
    const advertise = (name: string, network: INetwork, port: number) =>
      isSecured ? `${hostNameOn(network, name)}:${port}` : bind(name, network, port);
    this.internalBootstrapServers = names.map(
      (name) => kafkaAddresses(name, infraNetwork, isSecured).internal,
    );

    const clusterEnv = {
      CLUSTER_ID: props.clusterId ?? deriveClusterId(this.node.path),
      KAFKA_PROCESS_ROLES: "broker,controller",
      KAFKA_CONTROLLER_QUORUM_VOTERS: names
        .map((name, i) => `${i + 1}@${advertise(name, infraNetwork, KAFKA_PORTS.CONTROLLER)}`)
        .join(","),
      KAFKA_CONTROLLER_LISTENER_NAMES: "CONTROLLER",
      KAFKA_INTER_BROKER_LISTENER_NAME: "INTERNAL",
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: renderProtocols(isSecured),
      KAFKA_LOG_DIRS: "/var/lib/kafka/data",
    };
    const configEnv = Object.fromEntries(
      Object.entries(config).map(([key, value]) => [variableOf(key), String(value)]),
    );
    const processEnv = {
      KAFKA_HEAP_OPTS: heapOptions(jvmHeapMiB(memory)),
      ...(security &&
        authorization(
          [...names, this.initName],
          nodes.some(({ hostPort }) => hostPort),
        )),
    };
    const fixed = [...Object.keys({ ...clusterEnv, ...processEnv }), ...OWN_OF_BROKER];
    validateConfig(this, props.config, fixed);

    this.brokers = nodes.map(({ name, scope: place, machine, ...node }, i) => {
      const { hostPort, hostNetwork } = node;
      const on = (network: INetwork, port: number) => ({
        bind: bind(name, network, port),
        advertise: advertise(name, network, port),
      });
      const listeners: Record<string, { bind: string; advertise: string }> = {
        CONTROLLER: on(infraNetwork, KAFKA_PORTS.CONTROLLER),
        INTERNAL: on(infraNetwork, KAFKA_PORTS.INTERNAL),
        APP: on(projectNetwork, KAFKA_PORTS.APP),
        ...(hostPort && {
          // Bound to the network that the engine publishes ports through, so that it is not on the project network.
          HOST: {
            bind: bind(name, hostNetwork, KAFKA_PORTS.HOST),
            advertise: `localhost:${hostPort}`,
          },
        }),
      };
      const { health } = kafkaAddresses(name, infraNetwork, isSecured);
      const client =
        security &&
        kafkaClientFiles(security, name, hostNamesOn(node.networks, name, containerName));
      return new ServiceContainer(place, name, {
        name,
        image: ServiceImage.of(place, this.image.reference),
        tier: "broker",
        memory,
        cluster: containerName,
        networks: node.networks,
        isSecured,
        volumes: { "/var/lib/kafka/data": node.dataVolume },
        ports: hostPort ? [{ containerPort: KAFKA_PORTS.HOST, hostPort }] : [],
        files: [
          { path: "/groundwork/healthcheck.sh", content: readOwnFile(__dirname, "healthcheck.sh") },
          ...(client?.files ?? []),
        ],
        secrets: client?.secrets,
        env: {
          ...clusterEnv,
          ...configEnv,
          ...processEnv,
          KAFKA_NODE_ID: String(i + 1),
          ...(machine && { KAFKA_BROKER_RACK: machine }),
          KAFKA_LISTENERS: [
            renderListeners(listeners, "bind"),
            // Advertised to nobody.
            ...(isSecured ? [`HEALTH://${health.join(":")}`] : []),
          ].join(","),
          KAFKA_ADVERTISED_LISTENERS: renderListeners(listeners, "advertise"),
        },
        healthCheck: {
          command: ["bash", "/groundwork/healthcheck.sh", ...health],
        },
      });
    });
  }

  /**
   * Declares a topic that exists with its guarantees when a deploy has finished. One sidecar provisions all that are added. Who needs
   * applications too declares a `KafkaInit` with both instead.
   */
  addTopic(name: string, topic: Omit<Topic, "name">): void {
    const topics = [...this.topics, { name, ...topic }];
    validateTopics(topics, this.brokers.length, this);
    if (this.topics.length === 0) {
      // At synth, when all of them are known.
      Aspects.of(this).add({ visit: (construct) => construct === this && this.declareInit() });
    }
    this.topics.push({ name, ...topic });
  }

  private declareInit(): void {
    const id = "init";
    if (this.node.tryFindChild(id)) {
      return;
    }
    validate(
      !ServiceContainer.allIn(this).some((container) => container.name === this.initName),
      () =>
        `topic "${this.topics[0].name}" is added to the cluster, and a KafkaInit is declared for it: give the KafkaInit all topics, or add them all`,
      this,
    );
    new KafkaInit(this, id, { cluster: this, topics: this.topics });
  }
}

/** Three copies of everything, the internal topics too, and two of them in sync; fewer where there are fewer brokers. */
function configDefaults(brokers: number): Record<string, string | number | boolean> {
  const replicationFactor = Math.min(3, brokers);
  const minInsyncReplicas = Math.max(1, replicationFactor - 1);
  return {
    // A topic comes from a declaration; a typing error in a producer must not make one.
    "auto.create.topics.enable": false,
    "default.replication.factor": replicationFactor,
    "min.insync.replicas": minInsyncReplicas,
    "offsets.topic.replication.factor": replicationFactor,
    "transaction.state.log.replication.factor": replicationFactor,
    "transaction.state.log.min.isr": minInsyncReplicas,
    "share.coordinator.state.topic.replication.factor": replicationFactor,
    "share.coordinator.state.topic.min.isr": minInsyncReplicas,
  };
}

/** Variables that each broker has of its own. */
const OWN_OF_BROKER = [
  "KAFKA_NODE_ID",
  "KAFKA_BROKER_RACK",
  "KAFKA_LISTENERS",
  "KAFKA_ADVERTISED_LISTENERS",
];

/** Throws if a configuration is set that follows from the cluster. */
function validateConfig(
  scope: Construct,
  config: KafkaClusterProps["config"] = {},
  fixed: readonly string[],
): void {
  all(
    ...Object.entries(config).map(
      ([key, value]) =>
        () =>
          validate(
            !fixed.includes(variableOf(key)),
            () =>
              `config "${key}" is "${value}", and the cluster sets it from its nodes, networks, memory and security: change those, and leave it out of config`,
            scope,
          ),
    ),
  );
}

/** The variable by which Kafka's image takes a broker's configuration. */
function variableOf(key: string): string {
  const name = key.replaceAll("_", "__").replaceAll("-", "___").replaceAll(".", "_");
  return `KAFKA_${name.toUpperCase()}`;
}

function renderProtocols(isSecured: boolean): string {
  const protocols: [string, string][] = isSecured
    ? Object.entries(LOCKED_PROTOCOLS)
    : Object.keys(KAFKA_PORTS).map((listener) => [listener, "PLAINTEXT"]);
  return protocols.map(([listener, protocol]) => `${listener}:${protocol}`).join(",");
}

/** What secures a cluster, beside the protocols of its listeners. */
function authorization(superUsers: readonly string[], onHost: boolean): Record<string, string> {
  return {
    KAFKA_SSL_KEYSTORE_TYPE: "PEM",
    KAFKA_SSL_KEYSTORE_LOCATION: TLS_FILES.keyStore,
    KAFKA_SSL_TRUSTSTORE_TYPE: "PEM",
    KAFKA_SSL_TRUSTSTORE_LOCATION: TLS_FILES.trustStore,
    KAFKA_SSL_PRINCIPAL_MAPPING_RULES: "RULE:^CN=([^,]+).*$/$1/,DEFAULT",
    KAFKA_LISTENER_NAME_CONTROLLER_SSL_CLIENT_AUTH: "required",
    KAFKA_LISTENER_NAME_INTERNAL_SSL_CLIENT_AUTH: "required",
    ...takePasswords("APP"),
    ...(onHost && takePasswords("HOST")),
    KAFKA_AUTHORIZER_CLASS_NAME: "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    KAFKA_ALLOW_EVERYONE_IF_NO_ACL_FOUND: "false",
    // What it denies, whatever the image's own level is.
    KAFKA_LOG4J_LOGGERS: "kafka.authorizer.logger=INFO",
    // The sidecar too: who makes ACLs may give itself every right, so that a shorter list of rights would only look like less.
    KAFKA_SUPER_USERS: superUsers.map((name) => `User:${name}`).join(";"),
  };
}

/** Has a listener ask for user and password. */
function takePasswords(listener: "APP" | "HOST"): Record<string, string> {
  const prefix = `KAFKA_LISTENER_NAME_${listener}`;
  return {
    [`${prefix}_SASL_ENABLED_MECHANISMS`]: "SCRAM-SHA-512",
    [`${prefix}_SCRAM___SHA___512_SASL_JAAS_CONFIG`]:
      "org.apache.kafka.common.security.scram.ScramLoginModule required;",
  };
}

/** A fixed heap: growing it later stops the JVM. */
function heapOptions(heapMiB: number): string {
  return `-Xms${heapMiB}m -Xmx${heapMiB}m`;
}

function renderListeners(
  listeners: Record<string, { bind: string; advertise: string }>,
  side: "bind" | "advertise",
): string {
  return Object.entries(listeners)
    .map(([listener, addresses]) => `${listener}://${addresses[side]}`)
    .join(",");
}

/** A KRaft cluster id is a UUID in URL-safe base64 without padding. */
function deriveClusterId(path: string): string {
  return createHash("md5").update(`groundwork/${path}`).digest("base64url");
}
