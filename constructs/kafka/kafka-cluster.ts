import { createHash } from "node:crypto";
import { join } from "node:path";
import { Aspects } from "cdktf";
import { Construct } from "constructs";
import { type ClusterNodeProps, countNodes, resolveNodes } from "../container/cluster-node";
import { readOwnFile } from "../container/file";
import { jvmHeapMiB, type Memory, memoryOf } from "../container/memory";
import { defaultVoters } from "../container/node-name";
import { ServiceContainer } from "../container/service-container";
import { ServiceImage } from "../container/service-image";
import { all, validate } from "../container/validation";
import { hostNameOn, hostNamesOn } from "../network/host-name";
import { type INetwork, Network } from "../network/network";
import { NodeCertificates } from "../security/node-certificates";
import { MONITOR } from "../security/principals";
import type { Security } from "../security/security";
import {
  type IKafkaCluster,
  kafkaClientConfig,
  TLS_DIR,
  TLS_FILES,
  tlsSources,
} from "./kafka-client";
import { KafkaInit } from "./kafka-init";
import { type Topic, validateTopics } from "./topic";

/** The image of the brokers and of the sidecar, which uses its client library. */
export const KAFKA_IMAGE = "apache/kafka:4.3.1";

/** The ports in a broker's container by listener. */
export const KAFKA_PORTS = {
  APP: 9092,
  CONTROLLER: 9093,
  CERTIFICATE: 9094,
  INTERNAL: 19092,
  HOST: 29092,
} as const;

const CLUSTER = "kafka";

/** The bootstrap server for applications on the project network, unless the cluster has another name. It resolves to the running brokers. */
export const KAFKA_BOOTSTRAP_SERVER = `${CLUSTER}:${KAFKA_PORTS.APP}`;

/** The same for applications that authenticate with a certificate. */
export const KAFKA_CERTIFICATE_BOOTSTRAP_SERVER = `${CLUSTER}:${KAFKA_PORTS.CERTIFICATE}`;

/**
 * The port of a secured broker's health check, on the container's loopback address only. Plaintext, since a check every two seconds must
 * be cheap. Clients on it are anonymous and have no permissions.
 */
const HEALTH_PORT = 19099;

/**
 * The security protocols of a secured cluster by listener: certificates for the platform's services, passwords for applications, and
 * certificates for those applications that declare it.
 */
const SECURED_PROTOCOLS = {
  APP: "SASL_SSL",
  CONTROLLER: "SSL",
  INTERNAL: "SSL",
  HOST: "SASL_SSL",
  HEALTH: "PLAINTEXT",
} as const;

const PLAINTEXT_LISTENERS = ["APP", "CONTROLLER", "INTERNAL", "HOST"] as const;

/** Returns a broker's address for clients on the infra network, that of its controller if it is one, and the one for the health check in its container. */
export function kafkaAddresses(
  broker: string,
  infraNetwork: INetwork,
  isSecured: boolean,
): {
  readonly internal: string;
  readonly controller: string;
  readonly health: readonly [host: string, port: string];
} {
  const { CONTROLLER, INTERNAL } = KAFKA_PORTS;
  const host = isSecured ? hostNameOn(infraNetwork, broker) : `${broker}.${infraNetwork.name}`;
  return {
    internal: `${host}:${INTERNAL}`,
    controller: `${host}:${CONTROLLER}`,
    health: isSecured ? ["127.0.0.1", String(HEALTH_PORT)] : [host, String(INTERNAL)],
  };
}

export interface KafkaClusterProps {
  /**
   * The number of brokers, with equal settings: 1, or at least 3.
   *
   * @default - the number of `nodes`, or 3
   */
  readonly brokers?: number;

  /**
   * The number of brokers that are also controllers: an odd number. The first ones are. It cannot change in a cluster that exists.
   *
   * @default - 3, or 1 with one broker
   */
  readonly controllers?: number;

  /**
   * The brokers, if they have settings of their own.
   *
   * @default - `brokers` nodes with the defaults of `ClusterNodeProps`
   */
  readonly nodes?: readonly ClusterNodeProps[];

  /**
   * The network for the controller quorum, replication and the init sidecar.
   *
   * @default - the cluster's own network `<containerName>-infra`
   */
  readonly infraNetwork?: INetwork;

  /**
   * The network on which applications reach the brokers.
   *
   * @default - the cluster's own network `<containerName>-project`
   */
  readonly projectNetwork?: INetwork;

  /**
   * The image of the brokers and the sidecar.
   *
   * @default KAFKA_IMAGE
   */
  readonly image?: string;

  /**
   * The prefix of the container names: `<containerName>-1` and so on for brokers, `<containerName>-init` for the sidecar. On every network
   * it is a host name that resolves to the running brokers.
   *
   * @default "kafka"
   */
  readonly containerName?: string;

  /**
   * The memory of each broker. The JVM heap is half of the limit.
   *
   * @default - the tier `broker` of `MEMORY_TIERS`, at the scale of the environment
   */
  readonly memory?: Memory;

  /**
   * Broker configs by Kafka's names (https://kafka.apache.org/documentation/#brokerconfigs). Configs that the
   * cluster derives from its nodes, networks, memory and `security`, such as `listeners`, are refused.
   *
   * @default - no automatic topic creation; three replicas, two of them in sync, fewer with fewer brokers;
   * `RequestLatency` in `metric.reporters`, which the alert KafkaRequestsSlow needs; with `security`, connections
   * authenticate again every `REAUTHENTICATION_MINUTES`; the rest has Kafka's defaults
   */
  readonly config?: Readonly<Record<string, string | number | boolean>>;

  /**
   * The KRaft cluster ID of the data volumes. Kafka rejects volumes with another ID.
   *
   * @default - derived from the construct's path, so that it is the same in every deploy
   */
  readonly clusterId?: string;

  /**
   * Secures the cluster: TLS on every network, certificates for brokers, controllers and sidecars, SCRAM-SHA-512 for applications. Only the
   * brokers and the sidecar are superusers; all others need ACLs. The brokers' key pairs come from `keyPairOf`.
   *
   * @default - plaintext, and any client may do everything
   */
  readonly security?: Security;

  /**
   * Adds the listener `CERTIFICATE` to the brokers of a secured cluster: port 9094 on the project network, where applications with
   * `authentication: "certificate"` connect. Changing this replaces every broker.
   *
   * @default false
   */
  readonly certificateListener?: boolean;
}

/** Minutes after which a connection of an application has to authenticate again. For so long it survives a change of the password. */
export const REAUTHENTICATION_MINUTES = 10;

/** A Kafka cluster in KRaft mode. The first nodes are brokers and controllers, the others only brokers. The containers are `kafka-1` to `kafka-n`. */
export class KafkaCluster extends Construct implements IKafkaCluster {
  readonly brokers: readonly ServiceContainer[];

  readonly expectedNodes: number;
  readonly internalBootstrapServers: readonly string[];
  readonly infraNetwork: INetwork;
  readonly image: ServiceImage;
  readonly security?: Security;
  readonly initName: string;
  readonly containerName: string;
  readonly certificateListener: boolean;

  /** The network on which applications reach the brokers. */
  readonly projectNetwork: INetwork;

  private readonly topics: Topic[] = [];

  /** The default of `min.insync.replicas` for topics. */
  readonly minInsyncReplicas: number;

  constructor(scope: Construct, id: string, props: KafkaClusterProps = {}) {
    super(scope, id);
    const given = countNodes(this, { nodes: props.nodes, count: props.brokers }, "brokers");
    const count = given.length;
    validate(
      count !== 2,
      () =>
        "a Kafka cluster of 2 brokers tolerates no more failures than one of 1: declare 1 broker, or at least 3",
      this,
    );
    const { security, containerName = CLUSTER, controllers = defaultVoters(count) } = props;
    validate(
      controllers % 2 === 1 && controllers >= 1 && controllers <= count,
      () =>
        `controllers is ${controllers}: it must be an odd number of at most ${count}, the number of brokers`,
      this,
    );
    this.containerName = containerName;
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
    const config = { ...configDefaults(count, security), ...props.config };
    this.minInsyncReplicas = Number(config["min.insync.replicas"]);
    const isSecured = security !== undefined;
    const { certificateListener = false } = props;
    this.certificateListener = certificateListener;
    validate(
      isSecured || !certificateListener,
      () =>
        "certificateListener is true, but the cluster is plaintext: set security, or remove certificateListener",
      this,
    );
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
      // No variable may depend on the number of brokers: a new one would replace all others.
      KAFKA_CONTROLLER_QUORUM_VOTERS: names
        .slice(0, controllers)
        .map((name, i) => `${i + 1}@${advertise(name, infraNetwork, KAFKA_PORTS.CONTROLLER)}`)
        .join(","),
      KAFKA_CONTROLLER_LISTENER_NAMES: "CONTROLLER",
      KAFKA_INTER_BROKER_LISTENER_NAME: "INTERNAL",
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: renderProtocols(isSecured, certificateListener),
      KAFKA_LOG_DIRS: "/var/lib/kafka/data",
    };
    const configEnv = Object.fromEntries(
      Object.entries(config).map(([key, value]) => [variableOf(key), String(value)]),
    );
    const processEnv = {
      KAFKA_HEAP_OPTS: heapOptions(jvmHeapMiB(memory)),
      ...(security &&
        authorization(
          containerName,
          this.initName,
          nodes.some(({ hostPort }) => hostPort),
        )),
      ...(certificateListener && acceptCertificates(containerName, this.initName)),
    };
    const fixed = [...Object.keys({ ...clusterEnv, ...processEnv }), ...OWN_OF_BROKER];
    validateConfig(this, props.config, fixed);

    this.brokers = nodes.map(({ name, scope: nodeScope, machine, ...node }, i) => {
      const { hostPort, hostNetwork } = node;
      const on = (network: INetwork, port: number) => ({
        bind: bind(name, network, port),
        advertise: advertise(name, network, port),
      });
      const listeners: Record<string, { bind: string; advertise: string }> = {
        ...(i < controllers && { CONTROLLER: on(infraNetwork, KAFKA_PORTS.CONTROLLER) }),
        INTERNAL: on(infraNetwork, KAFKA_PORTS.INTERNAL),
        APP: on(projectNetwork, KAFKA_PORTS.APP),
        ...(certificateListener && { CERTIFICATE: on(projectNetwork, KAFKA_PORTS.CERTIFICATE) }),
        ...(hostPort && {
          // Bound only to the network that publishes the port, not to the project network.
          HOST: {
            bind: bind(name, hostNetwork, KAFKA_PORTS.HOST),
            advertise: `localhost:${hostPort}`,
          },
        }),
      };
      const { health } = kafkaAddresses(name, infraNetwork, isSecured);
      const image = ServiceImage.of(nodeScope, this.image.reference);
      const hosts = hostNamesOn(node.networks, name, containerName);
      const certificates =
        security &&
        new NodeCertificates(nodeScope, `${name}-certificates`, {
          node: name,
          image,
          files: tlsSources(security, name, hosts),
        });
      return new ServiceContainer(nodeScope, name, {
        name,
        image,
        tier: "broker",
        memory,
        cluster: containerName,
        networks: node.networks,
        isSecured,
        volumes: {
          "/var/lib/kafka/data": node.dataVolume,
          ...(certificates && { [TLS_DIR]: certificates }),
        },
        ports: hostPort ? [{ containerPort: KAFKA_PORTS.HOST, hostPort }] : [],
        files: [
          { path: "/groundwork/healthcheck.sh", content: readOwnFile(__dirname, "healthcheck.sh") },
          REQUEST_LATENCY,
          ...(certificates ? [kafkaClientConfig(), CERTIFICATE_RELOAD] : []),
        ],
        env: {
          ...clusterEnv,
          ...(i >= controllers && { KAFKA_PROCESS_ROLES: "broker" }),
          ...configEnv,
          ...processEnv,
          KAFKA_NODE_ID: String(i + 1),
          ...(machine && { KAFKA_BROKER_RACK: machine }),
          KAFKA_LISTENERS: [
            renderListeners(listeners, "bind"),
            // Not advertised.
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
   * Declares a topic that exists with its guarantees once a deploy has succeeded. One sidecar provisions all topics that you add. If you
   * also need applications, declare a `KafkaInit` with both instead.
   */
  addTopic(name: string, topic: Omit<Topic, "name">): void {
    const topics = [...this.topics, { name, ...topic }];
    validateTopics(topics, this.brokers.length, this);
    if (this.topics.length === 0) {
      // At synth, when all topics are known.
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
        `topic "${this.topics[0].name}" is added with addTopic, but the cluster also has a KafkaInit: declare all topics in one of the two`,
      this,
    );
    new KafkaInit(this, id, { cluster: this, topics: this.topics });
  }
}

/** Three replicas of all topics, including internal ones, two of them in sync. Fewer with fewer brokers. */
function configDefaults(
  brokers: number,
  security?: Security,
): Record<string, string | number | boolean> {
  const replicationFactor = Math.min(3, brokers);
  const minInsyncReplicas = Math.max(1, replicationFactor - 1);
  return {
    // A typo in a producer must not create a topic.
    "auto.create.topics.enable": false,
    "default.replication.factor": replicationFactor,
    "min.insync.replicas": minInsyncReplicas,
    "offsets.topic.replication.factor": replicationFactor,
    "transaction.state.log.replication.factor": replicationFactor,
    "transaction.state.log.min.isr": minInsyncReplicas,
    "share.coordinator.state.topic.replication.factor": replicationFactor,
    "share.coordinator.state.topic.min.isr": minInsyncReplicas,
    "metric.reporters": "org.apache.kafka.common.metrics.JmxReporter,RequestLatency",
    // Kafka ends no connection when a password changes. Its default is to never ask again.
    ...(security && { "connections.max.reauth.ms": REAUTHENTICATION_MINUTES * 60_000 }),
  };
}

/**
 * The program with which a broker rereads its certificates. The last one on the class path: the image has an archive of the classes before
 * it, with which a broker starts faster.
 */
export const CERTIFICATE_RELOAD = {
  path: "/opt/kafka/libs/zz-certificate-reload.jar",
  source: join(__dirname, "certificate-reload.jar"),
};

/** The program with which a broker logs how long requests took. Last on the class path, as `CERTIFICATE_RELOAD`. */
const REQUEST_LATENCY = {
  path: "/opt/kafka/libs/zz-request-latency.jar",
  source: join(__dirname, "request-latency.jar"),
};

/** Variables that differ between brokers. */
const OWN_OF_BROKER = [
  "KAFKA_NODE_ID",
  "KAFKA_BROKER_RACK",
  "KAFKA_LISTENERS",
  "KAFKA_ADVERTISED_LISTENERS",
];

/** Throws if a config is set that follows from the cluster. */
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
              `config "${key}" is "${value}", but the cluster derives it from its nodes, networks, memory and security: change those, and remove it from config`,
            scope,
          ),
    ),
  );
}

/** Returns the environment variable of Kafka's image for a broker config. */
function variableOf(key: string): string {
  const name = key.replaceAll("_", "__").replaceAll("-", "___").replaceAll(".", "_");
  return `KAFKA_${name.toUpperCase()}`;
}

function renderProtocols(isSecured: boolean, certificateListener: boolean): string {
  const protocols: [string, string][] = isSecured
    ? Object.entries({ ...SECURED_PROTOCOLS, ...(certificateListener && { CERTIFICATE: "SSL" }) })
    : PLAINTEXT_LISTENERS.map((listener) => [listener, "PLAINTEXT"]);
  return protocols.map(([listener, protocol]) => `${listener}:${protocol}`).join(",");
}

/**
 * Maps the subject of every broker to the cluster's name, and any other that is nothing but `CN=<name>` to the name. Any other subject
 * stays whole, which is the name of no principal: a company's CA may issue `CN=kafka-init,O=other` to somebody else. @internal
 */
export function principalRules(cluster: string): string {
  return `RULE:^CN=${cluster}-[1-9][0-9]*$/${cluster}/,RULE:^CN=([a-zA-Z0-9._-]+)$/$1/,DEFAULT`;
}

/**
 * The same for the listener of applications, on which the certificates of brokers, kafka-init and Alloy keep their whole subject and so
 * have no permissions: they are for the infra network. @internal
 */
export function applicationPrincipalRules(cluster: string, initName: string): string {
  const services = [`${cluster}(?:-[1-9][0-9]*)?`, initName, MONITOR].join("|");
  return `RULE:^CN=(?!(?:${services})$)([a-zA-Z0-9._-]+)$/$1/,DEFAULT`;
}

/** Returns the settings of the listener for applications with certificates. */
function acceptCertificates(cluster: string, initName: string): Record<string, string> {
  const prefix = "KAFKA_LISTENER_NAME_CERTIFICATE_SSL";
  return {
    [`${prefix}_CLIENT_AUTH`]: "required",
    [`${prefix}_PRINCIPAL_MAPPING_RULES`]: applicationPrincipalRules(cluster, initName),
  };
}

/** Returns the TLS, authentication and authorization settings, except the listeners' protocols. */
function authorization(cluster: string, initName: string, onHost: boolean): Record<string, string> {
  return {
    KAFKA_SSL_KEYSTORE_TYPE: "PEM",
    KAFKA_SSL_KEYSTORE_LOCATION: TLS_FILES.keyStore,
    KAFKA_SSL_TRUSTSTORE_TYPE: "PEM",
    KAFKA_SSL_TRUSTSTORE_LOCATION: TLS_FILES.trustStore,
    KAFKA_SSL_ENGINE_FACTORY_CLASS: "ReloadingSslEngineFactory",
    KAFKA_SSL_PRINCIPAL_MAPPING_RULES: principalRules(cluster),
    KAFKA_LISTENER_NAME_CONTROLLER_SSL_CLIENT_AUTH: "required",
    KAFKA_LISTENER_NAME_INTERNAL_SSL_CLIENT_AUTH: "required",
    ...enableScram("APP"),
    ...(onHost && enableScram("HOST")),
    KAFKA_AUTHORIZER_CLASS_NAME: "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    KAFKA_ALLOW_EVERYONE_IF_NO_ACL_FOUND: "false",
    // Logs denied requests at any log level of the image.
    KAFKA_LOG4J_LOGGERS: "kafka.authorizer.logger=INFO",
    // The sidecar too: it creates ACLs, so it could grant itself any permission.
    KAFKA_SUPER_USERS: `User:${cluster};User:${initName}`,
  };
}

/** Enables SCRAM authentication on a listener. */
function enableScram(listener: "APP" | "HOST"): Record<string, string> {
  const prefix = `KAFKA_LISTENER_NAME_${listener}`;
  return {
    [`${prefix}_SASL_ENABLED_MECHANISMS`]: "SCRAM-SHA-512",
    [`${prefix}_SCRAM___SHA___512_SASL_JAAS_CONFIG`]:
      "org.apache.kafka.common.security.scram.ScramLoginModule required;",
  };
}

/** A fixed heap, since growing it pauses the JVM. */
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

/** Derives a KRaft cluster ID: a UUID in URL-safe base64 without padding. */
function deriveClusterId(path: string): string {
  return createHash("md5").update(`groundwork/${path}`).digest("base64url");
}
