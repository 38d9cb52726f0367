import type { DeclaredTopic } from "./declared-topics";

/** Kafka's default of `segment.bytes`. An environment may set another one for its brokers. */
const SEGMENT_BYTES = 1024 ** 3;

/** What topics may take on the disk of each broker. */
export interface TopicDisk {
  /** The most that the topics with a limit of size may take on one broker. */
  readonly bytesPerBroker: number;
  /** The topics without a limit of size: `retention.bytes` is -1, or `cleanup.policy` does not include `delete`. */
  readonly unlimited: readonly string[];
}

/**
 * Adds up what topics may take. Kafka deletes whole segments that are no longer written to, so that a replica has up to one segment more
 * than `retention.bytes`. Kafka spreads replicas evenly.
 */
export function diskOfTopics(topics: readonly DeclaredTopic[], brokers: number): TopicDisk {
  const limited = topics.filter((topic) => limitOf(topic) >= 0);
  return {
    bytesPerBroker: limited.reduce(
      (sum, topic) => sum + replicasPerBroker(topic, brokers) * bytesPerReplica(topic),
      0,
    ),
    unlimited: topics.filter((topic) => !limited.includes(topic)).map(({ name }) => name),
  };
}

/** Returns `retention.bytes`, or -1 if records are kept regardless of it. */
function limitOf({ configs }: DeclaredTopic): number {
  const policies = (configs["cleanup.policy"] ?? "delete").split(",");
  return policies.includes("delete") ? Number(configs["retention.bytes"] ?? -1) : -1;
}

const bytesPerReplica = (topic: DeclaredTopic) =>
  limitOf(topic) + Number(topic.configs["segment.bytes"] ?? SEGMENT_BYTES);

const replicasPerBroker = ({ partitions, replicationFactor }: DeclaredTopic, brokers: number) =>
  Math.ceil((partitions * replicationFactor) / brokers);
