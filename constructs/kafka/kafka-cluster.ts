import { createHash } from "node:crypto";
import { Construct } from "constructs";
import { hostNameOn } from "../network/host-name";
import type { INetwork } from "../network/network";
import type { Security } from "../security/security";
import { type ClusterNodeProps, resolveNodes } from "../service/cluster-node";
import { readOwnFile } from "../service/file";
import { jvmHeapMiB } from "../service/memory";
import { ServiceContainer } from "../service/service-container";
import { ServiceImage } from "../service/service-image";
import { validate } from "../service/validation";
import { kafkaClientFiles, TLS_FILES } from "./kafka-client";

/** Image of every broker, and of the sidecar, which needs its client library. */
export const KAFKA_IMAGE = "apache/kafka:4.3.1";

/** Ports inside a broker's container, by listener. */
export const KAFKA_PORTS = { APP: 9092, CONTROLLER: 9093, INTERNAL: 19092, HOST: 29092 } as const;

const CLUSTER = "kafka";

/** Where an application on the project network connects first: the name leads to one of the brokers that run. */
export const KAFKA_BOOTSTRAP_SERVER = `${CLUSTER}:${KAFKA_PORTS.APP}`;

/** The sidecar that provisions the cluster: the name of its container, and whom its certificate says it is. */
export const KAFKA_INIT = "kafka-init";

/**
 * Port of a locked broker's health check, on its container's loopback address alone. In the clear, since a check every two
 * seconds has to be cheap; whoever asks there is anonymous, and may do nothing.
 */
const HEALTH_PORT = 19099;

/** How a locked cluster speaks on each listener: certificates among the platform's own, user and password for applications. */
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
  locked: boolean,
): { readonly internal: string; readonly health: readonly [host: string, port: string] } {
  const { INTERNAL } = KAFKA_PORTS;
  const name = `${broker}.${infraNetwork.name}`;
  return locked
    ? {
        internal: `${hostNameOn(infraNetwork, broker)}:${INTERNAL}`,
        health: ["127.0.0.1", String(HEALTH_PORT)],
      }
    : { internal: `${name}:${INTERNAL}`, health: [name, String(INTERNAL)] };
}

export interface KafkaClusterProps {
  /** Network of the brokers' own traffic: the controller quorum, replication, the init sidecar. */
  readonly infraNetwork: INetwork;

  /** Network on which applications reach the brokers. */
  readonly projectNetwork: INetwork;

  /** The brokers; their number is 1 or an odd one from 3. */
  readonly nodes: readonly ClusterNodeProps[];

  /**
   * The KRaft cluster id that the data volumes are formatted with. Kafka refuses volumes of another id.
   *
   * @default - derived from the construct's path, so that it is the same in every deploy
   */
  readonly clusterId?: string;

  /**
   * Locks the cluster: certificates among brokers, controllers and sidecars, SCRAM-SHA-512 for applications, TLS on every network,
   * and nobody but the brokers and `kafka-init` may do what no ACL allows. Brokers are who `identityOf` says of their names.
   *
   * @default - anyone who reaches a listener may do everything, in the clear
   */
  readonly security?: Security;
}

/** Kafka in KRaft mode: every node is broker and controller. Containers `kafka-1` to `kafka-n`. */
export class KafkaCluster extends Construct {
  readonly brokers: readonly ServiceContainer[];

  /** How many of them are waited for. */
  readonly expectedNodes: number;

  /** `min.insync.replicas` of every topic that does not set it. */
  readonly minInsyncReplicas: number;

  /** Bootstrap servers on the infra network. */
  readonly internalBootstrapServers: readonly string[];

  constructor(scope: Construct, id: string, props: KafkaClusterProps) {
    super(scope, id);
    const count = props.nodes.length;
    validate(
      count % 2 === 1,
      () =>
        `a Kafka cluster of ${count} brokers has no sound controller quorum: 1, 3, 5 or another odd number; an even one tolerates no more failures than the odd one below it`,
      this,
    );
    this.minInsyncReplicas = Math.max(1, Math.min(3, count) - 1);
    const { infraNetwork, projectNetwork, security } = props;
    const nodes = resolveNodes(this, { ...props, containerName: CLUSTER }, props.nodes);
    const names = nodes.map(({ name }) => name);
    this.expectedNodes = nodes.filter(({ absent }) => !absent).length;
    const locked = security !== undefined;
    const bind = (name: string, network: INetwork, port: number) =>
      `${name}.${network.name}:${port}`;
    const advertise = (name: string, network: INetwork, port: number) =>
      locked ? `${hostNameOn(network, name)}:${port}` : bind(name, network, port);
    this.internalBootstrapServers = names.map(
      (name) => kafkaAddresses(name, infraNetwork, locked).internal,
    );

    const sharedEnv = {
      CLUSTER_ID: props.clusterId ?? deriveClusterId(this.node.path),
      KAFKA_PROCESS_ROLES: "broker,controller",
      KAFKA_CONTROLLER_QUORUM_VOTERS: names
        .map((name, i) => `${i + 1}@${advertise(name, infraNetwork, KAFKA_PORTS.CONTROLLER)}`)
        .join(","),
      KAFKA_CONTROLLER_LISTENER_NAMES: "CONTROLLER",
      KAFKA_INTER_BROKER_LISTENER_NAME: "INTERNAL",
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: renderProtocols(locked),
      KAFKA_LOG_DIRS: "/var/lib/kafka/data",
      // A topic comes from the catalog; a typing error in a producer must not make one.
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: "false",
      ...replicationDefaults(count, this.minInsyncReplicas),
      KAFKA_HEAP_OPTS: heapOptions(jvmHeapMiB(this, "broker")),
      ...(security &&
        lock(
          names,
          nodes.some(({ hostPort }) => hostPort),
        )),
    };

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
      const { health } = kafkaAddresses(name, infraNetwork, locked);
      const client = security && kafkaClientFiles(security, name);
      return new ServiceContainer(place, name, {
        name,
        image: ServiceImage.of(place, KAFKA_IMAGE),
        tier: "broker",
        cluster: CLUSTER,
        networks: node.networks,
        hasCertificate: locked,
        volumes: { "/var/lib/kafka/data": node.dataVolume },
        ports: hostPort ? [{ containerPort: KAFKA_PORTS.HOST, hostPort }] : [],
        files: [
          { path: "/groundwork/healthcheck.sh", content: readOwnFile(__dirname, "healthcheck.sh") },
          ...(client?.files ?? []),
        ],
        secrets: client?.secrets,
        env: {
          ...sharedEnv,
          KAFKA_NODE_ID: String(i + 1),
          ...(machine && { KAFKA_BROKER_RACK: machine }),
          KAFKA_LISTENERS: [
            renderListeners(listeners, "bind"),
            // Advertised to nobody.
            ...(locked ? [`HEALTH://${health.join(":")}`] : []),
          ].join(","),
          KAFKA_ADVERTISED_LISTENERS: renderListeners(listeners, "advertise"),
        },
        healthCheck: {
          command: ["bash", "/groundwork/healthcheck.sh", ...health],
        },
      });
    });
  }
}

/** Three copies of everything, the internal topics too, and two of them in sync; fewer where there are fewer brokers. */
function replicationDefaults(brokers: number, minInsync: number): Record<string, string> {
  const replicationFactor = String(Math.min(3, brokers));
  const minInsyncReplicas = String(minInsync);
  return {
    KAFKA_DEFAULT_REPLICATION_FACTOR: replicationFactor,
    KAFKA_MIN_INSYNC_REPLICAS: minInsyncReplicas,
    KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: replicationFactor,
    KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: replicationFactor,
    KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: minInsyncReplicas,
    KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR: replicationFactor,
    KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR: minInsyncReplicas,
  };
}

function renderProtocols(locked: boolean): string {
  const protocols: [string, string][] = locked
    ? Object.entries(LOCKED_PROTOCOLS)
    : Object.keys(KAFKA_PORTS).map((listener) => [listener, "PLAINTEXT"]);
  return protocols.map(([listener, protocol]) => `${listener}:${protocol}`).join(",");
}

/** What locks a cluster, beside the protocols of its listeners. */
function lock(brokers: readonly string[], onHost: boolean): Record<string, string> {
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
    KAFKA_SUPER_USERS: [...brokers, KAFKA_INIT].map((name) => `User:${name}`).join(";"),
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
