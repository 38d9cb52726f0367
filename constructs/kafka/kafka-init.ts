import { Construct } from "constructs";
import { InitSidecar, type RetryProps, SIDECAR_DIR } from "../init-sidecar/init-sidecar";
import type { INetwork } from "../network/network";
import { readOwnFile } from "../service/file";
import { ServiceImage } from "../service/service-image";
import { validate } from "../service/validation";
import { KAFKA_IMAGE, type KafkaCluster } from "./kafka-cluster";
import { resolveTopic, type Topic, validateTopic } from "./topic";

export interface KafkaInitProps {
  /** Cluster that the topics are for. */
  readonly cluster: KafkaCluster;

  /** Network of the cluster's internal listener. */
  readonly network: INetwork;

  /** Topics that exist with their guarantees when the sidecar has succeeded. */
  readonly topics: readonly Topic[];

  /**
   * How it waits for the cluster.
   *
   * @default - the defaults of `RetryProps`
   */
  readonly retry?: RetryProps;
}

const TOPICS_FILE = `${SIDECAR_DIR}/topics`;

/** `kafka-init`: when it exits with 0, every declared topic exists with its guarantees. */
export class KafkaInit extends Construct {
  readonly sidecar: InitSidecar;

  /** What it provisions, with every default filled in. */
  readonly topics: readonly Required<Topic>[];

  constructor(scope: Construct, id: string, props: KafkaInitProps) {
    super(scope, id);
    const brokers = props.cluster.brokers.length;
    const topics = props.topics.map((topic) => resolveTopic(topic, brokers));
    for (const topic of topics) {
      validateTopic(this, topic, brokers);
    }
    validateUnique(this, topics);
    this.topics = topics;
    this.sidecar = new InitSidecar(this, "Sidecar", {
      name: "kafka-init",
      image: ServiceImage.of(this, KAFKA_IMAGE),
      network: props.network,
      waitFor: props.cluster.brokers,
      script: readOwnFile(__dirname, "kafka-init.sh"),
      declared: topics.map(({ name }) => name),
      files: [
        { path: TOPICS_FILE, content: renderTopics(topics) },
        {
          path: `${SIDECAR_DIR}/topic-plan.awk`,
          content: readOwnFile(__dirname, "topic-plan.awk"),
        },
      ],
      env: {
        KAFKA_BOOTSTRAP_SERVERS: props.cluster.internalBootstrapServers.join(","),
        KAFKA_BROKERS: String(brokers),
        TOPICS_FILE,
      },
      retry: props.retry,
    });
  }
}

/** One line for each topic: name, partitions, replication factor, drift policy, configs. */
export function renderTopics(topics: readonly Required<Topic>[]): string {
  return topics
    .map(({ name, partitions, replicationFactor, onDrift, configs }) => {
      const settings = Object.entries(configs)
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => `${key}=${value}`)
        .join(";");
      return `${name} ${partitions} ${replicationFactor} ${onDrift} ${settings}\n`;
    })
    .join("");
}

/** Kafka takes "." and "_" for the same in metric names and refuses two topics that differ in nothing else. */
function validateUnique(scope: Construct, topics: readonly Required<Topic>[]): void {
  const seen = new Map<string, string>();
  for (const { name } of topics) {
    const key = name.replaceAll(".", "_");
    const other = seen.get(key);
    validate(
      other === undefined,
      () =>
        other === name
          ? `topic "${name}" is declared twice: every topic has one declaration`
          : `topics "${other}" and "${name}" differ only in "." and "_", which Kafka refuses: rename one`,
      scope,
    );
    seen.set(key, name);
  }
}
