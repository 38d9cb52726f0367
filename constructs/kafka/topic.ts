import type { Construct } from "constructs";
import type { DriftPolicy } from "../init-sidecar/drift-policy";
import { validate } from "../service/validation";

/**
 * Topic configuration by Kafka's own names (https://kafka.apache.org/documentation/#topicconfigs). The common keys are typed;
 * any other key of Kafka's is passed on as it is, and the broker rejects what it does not know.
 */
export interface TopicConfigs {
  /** Replicas that have to confirm a write with `acks=all`; at most the replication factor. */
  readonly "min.insync.replicas"?: number;
  /** Milliseconds that a record is kept; -1 is for ever. */
  readonly "retention.ms"?: number;
  /** Bytes that a partition is kept; -1 is no limit. */
  readonly "retention.bytes"?: number;
  /** What becomes of old records: deleted, or reduced to the last one of each key. */
  readonly "cleanup.policy"?: "delete" | "compact" | "compact,delete";
  /** How the broker stores batches; `producer` keeps the producer's own. */
  readonly "compression.type"?: "producer" | "uncompressed" | "gzip" | "snappy" | "lz4" | "zstd";
  /** Largest record batch in bytes. */
  readonly "max.message.bytes"?: number;
  /** Bytes of one log segment. */
  readonly "segment.bytes"?: number;
  /** Milliseconds after which a segment is rolled even when it is not full. */
  readonly "segment.ms"?: number;
  /** Whose clock a record carries: the producer's or the broker's. */
  readonly "message.timestamp.type"?: "CreateTime" | "LogAppendTime";
  /** Passed on as it is. */
  readonly [key: string]: string | number | boolean | undefined;
}

/** A topic that exists with its guarantees when a deploy has finished. */
export interface Topic {
  /** 1 to 249 characters of `a-z A-Z 0-9 . _ -`. */
  readonly name: string;

  /** At least 1. Kafka can add partitions later, never remove them. */
  readonly partitions: number;

  /**
   * Copies of every partition, 1 to the number of brokers.
   *
   * @default - 3, or the number of brokers when there are fewer
   */
  readonly replicationFactor?: number;

  /**
   * What the topic sets for itself.
   *
   * @default - `min.insync.replicas` is the replication factor less one, at least 1; the broker's defaults for the rest
   */
  readonly configs?: TopicConfigs;

  /**
   * What to do when the topic exists and differs.
   *
   * @default "fail"
   */
  readonly onDrift?: DriftPolicy;
}

/** The topic with every default filled in for a cluster of that many brokers. */
export function resolveTopic(topic: Topic, brokers: number): Required<Topic> {
  const replicationFactor = topic.replicationFactor ?? Math.min(3, brokers);
  return {
    name: topic.name,
    partitions: topic.partitions,
    replicationFactor,
    configs: { "min.insync.replicas": Math.max(1, replicationFactor - 1), ...topic.configs },
    onDrift: topic.onDrift ?? "fail",
  };
}

/** Throws on a topic that a cluster of that many brokers would reject or that contradicts itself. */
export function validateTopic(scope: Construct, topic: Required<Topic>, brokers: number): void {
  const { name, partitions, replicationFactor, configs } = topic;
  validate(
    /^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== "." && name !== "..",
    () =>
      `topic name "${name}" is not legal: 1 to 249 characters out of a-z, A-Z, 0-9, ".", "_" and "-", and neither "." nor ".."`,
    scope,
  );
  validate(
    Number.isInteger(partitions) && partitions >= 1,
    () => `topic "${name}" has ${partitions} partitions: it needs a whole number of at least 1`,
    scope,
  );
  validate(
    Number.isInteger(replicationFactor) && replicationFactor >= 1 && replicationFactor <= brokers,
    () =>
      `topic "${name}" has replicationFactor ${replicationFactor} and the cluster has ${brokers} broker${brokers === 1 ? "" : "s"}: allowed is 1 to ${brokers}; lower the factor or add brokers to the environment`,
    scope,
  );
  const minInsync = Number(configs["min.insync.replicas"]);
  validate(
    Number.isInteger(minInsync) && minInsync >= 1 && minInsync <= replicationFactor,
    () =>
      `topic "${name}" has min.insync.replicas ${configs["min.insync.replicas"]} and replicationFactor ${replicationFactor}: allowed is 1 to ${replicationFactor}, otherwise no write with acks=all can succeed`,
    scope,
  );
  for (const [key, value] of Object.entries(configs)) {
    validate(
      typeof value !== "number" || !Number.isInteger(value) || Number.isSafeInteger(value),
      () =>
        `topic "${name}" has the config ${key}=${value}, which may be another number than was written: from 2^53 on write it as text, as in "9223372036854775807"`,
      scope,
    );
    validate(
      /^[a-z0-9.]+$/.test(key) && /^[^\s;=]*$/.test(String(value)),
      () =>
        `topic "${name}" has the config ${key}=${value}: a key is Kafka's dotted lower-case name, a value has no white space, ";" or "="`,
      scope,
    );
  }
}
