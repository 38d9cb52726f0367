import { createHash } from "node:crypto";
import { Construct } from "constructs";
import type { INetwork } from "../network/network";
import { readOwnFile } from "../service/file";
import { jvmHeapMiB } from "../service/memory";
import { ServiceContainer } from "../service/service-container";
import { ServiceImage } from "../service/service-image";
import { validate } from "../service/validation";
import type { IDataVolume } from "../storage/data-volume";

/** Image of every broker, and of the sidecar that needs its CLI. */
export const KAFKA_IMAGE = "apache/kafka:4.3.1";

/** Ports inside a broker's container, by listener. */
export const KAFKA_PORTS = { APP: 9092, CONTROLLER: 9093, INTERNAL: 19092, HOST: 29092 } as const;

export interface KafkaClusterProps {
  /** Network of the brokers' own traffic: the controller quorum, replication, the init sidecar. */
  readonly infraNetwork: INetwork;

  /** Network on which applications reach the brokers. */
  readonly projectNetwork: INetwork;

  /** One data volume for each broker; their number, 1 or an odd one from 3, is the number of brokers. */
  readonly dataVolumes: readonly IDataVolume[];

  /**
   * Port on 127.0.0.1 of the first broker; every further broker has the next one.
   *
   * @default - nothing is published on the host
   */
  readonly firstHostPort?: number;

  /**
   * The KRaft cluster id that the data volumes are formatted with. Kafka refuses volumes of another id.
   *
   * @default - derived from the construct's path, so that it is the same in every deploy
   */
  readonly clusterId?: string;
}

/** Kafka in KRaft mode: every node is broker and controller. Containers `kafka-1` to `kafka-n`. */
export class KafkaCluster extends Construct {
  readonly brokers: readonly ServiceContainer[];

  /** `min.insync.replicas` of every topic that does not set it. */
  readonly minInsyncReplicas: number;

  /** Bootstrap servers on the infra network. */
  readonly internalBootstrapServers: readonly string[];

  constructor(scope: Construct, id: string, props: KafkaClusterProps) {
    super(scope, id);
    const count = props.dataVolumes.length;
    validate(
      count % 2 === 1,
      () =>
        `a Kafka cluster of ${count} brokers has no sound controller quorum: 1, 3, 5 or another odd number; an even one tolerates no more failures than the odd one below it`,
      this,
    );
    this.minInsyncReplicas = Math.max(1, Math.min(3, count) - 1);
    const { infraNetwork, projectNetwork } = props;
    const names = props.dataVolumes.map((_, index) => `kafka-${index + 1}`);
    const address = (name: string, network: INetwork, port: number) =>
      `${name}.${network.name}:${port}`;
    this.internalBootstrapServers = names.map((name) =>
      address(name, infraNetwork, KAFKA_PORTS.INTERNAL),
    );

    const sharedEnv = {
      CLUSTER_ID: props.clusterId ?? deriveClusterId(this.node.path),
      KAFKA_PROCESS_ROLES: "broker,controller",
      KAFKA_CONTROLLER_QUORUM_VOTERS: names
        .map((name, i) => `${i + 1}@${address(name, infraNetwork, KAFKA_PORTS.CONTROLLER)}`)
        .join(","),
      KAFKA_CONTROLLER_LISTENER_NAMES: "CONTROLLER",
      KAFKA_INTER_BROKER_LISTENER_NAME: "INTERNAL",
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: Object.keys(KAFKA_PORTS)
        .map((listener) => `${listener}:PLAINTEXT`)
        .join(","),
      KAFKA_LOG_DIRS: "/var/lib/kafka/data",
      // A topic comes from the catalog; a typing error in a producer must not make one.
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: "false",
      ...replicationDefaults(count, this.minInsyncReplicas),
      KAFKA_HEAP_OPTS: heapOptions(jvmHeapMiB(this, "broker")),
    };

    this.brokers = names.map((name, i) => {
      const hostPort = props.firstHostPort && props.firstHostPort + i;
      const listeners: Record<string, { bind: string; advertise: string }> = {
        CONTROLLER: sameAddress(address(name, infraNetwork, KAFKA_PORTS.CONTROLLER)),
        INTERNAL: sameAddress(address(name, infraNetwork, KAFKA_PORTS.INTERNAL)),
        APP: sameAddress(address(name, projectNetwork, KAFKA_PORTS.APP)),
        ...(hostPort && {
          // Bound to the network that the engine publishes ports through, so that it is not on the project network.
          HOST: {
            bind: address(name, infraNetwork, KAFKA_PORTS.HOST),
            advertise: `localhost:${hostPort}`,
          },
        }),
      };
      return new ServiceContainer(this, name, {
        name,
        image: ServiceImage.of(this, KAFKA_IMAGE),
        tier: "broker",
        cluster: "kafka",
        networks: [infraNetwork, projectNetwork],
        volumes: { "/var/lib/kafka/data": props.dataVolumes[i] },
        ports: hostPort ? [{ containerPort: KAFKA_PORTS.HOST, hostPort }] : [],
        files: [
          { path: "/groundwork/healthcheck.sh", content: readOwnFile(__dirname, "healthcheck.sh") },
        ],
        env: {
          ...sharedEnv,
          KAFKA_NODE_ID: String(i + 1),
          KAFKA_LISTENERS: renderListeners(listeners, "bind"),
          KAFKA_ADVERTISED_LISTENERS: renderListeners(listeners, "advertise"),
        },
        healthCheck: {
          command: [
            "bash",
            "/groundwork/healthcheck.sh",
            `${name}.${infraNetwork.name}`,
            String(KAFKA_PORTS.INTERNAL),
          ],
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

/** A fixed heap: growing it later stops the JVM. */
function heapOptions(heapMiB: number): string {
  return `-Xms${heapMiB}m -Xmx${heapMiB}m`;
}

function sameAddress(address: string): { bind: string; advertise: string } {
  return { bind: address, advertise: address };
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
