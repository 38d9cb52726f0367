import type { Construct } from "constructs";
import * as v from "valibot";
import {
  anyObject,
  called,
  checkDeclared,
  type Declared,
  object,
  record,
} from "../container/declaration";
import { all, validate, validateDistinct } from "../container/validation";
import { driftPolicySchema } from "../init-sidecar/drift-policy";
import { refusalOfConfig } from "./topic-config";

/**
 * Topic configs by Kafka's names (https://kafka.apache.org/documentation/#topicconfigs). The common keys are typed. All names and values
 * are validated against this version of Kafka. Write whole numbers from 2^53 as strings. Configs that you omit
 * have the brokers' defaults.
 */
export interface TopicConfigs {
  /** The replicas that must confirm a write with `acks=all`. At most the replication factor. */
  readonly "min.insync.replicas"?: number;
  /**
   * How long a record is kept, in milliseconds. -1 is forever.
   *
   * @default 604800000 - 7 days, Kafka's default
   */
  readonly "retention.ms"?: number;
  /**
   * The size of a partition, in bytes, from which its oldest records are deleted. -1 is unlimited. A partition may take one segment more,
   * since Kafka deletes whole segments.
   *
   * @default -1 - unlimited, Kafka's default
   */
  readonly "retention.bytes"?: number;
  /** What happens to old records: `delete` removes them, `compact` keeps the last one of each key. */
  readonly "cleanup.policy"?: "delete" | "compact" | "compact,delete";
  /** The compression of stored batches. `producer` keeps the producer's. */
  readonly "compression.type"?: "producer" | "uncompressed" | "gzip" | "snappy" | "lz4" | "zstd";
  /** The maximum size of a record batch in bytes. */
  readonly "max.message.bytes"?: number;
  /**
   * The size of a log segment in bytes.
   *
   * @default 1073741824 - 1 GiB, Kafka's default
   */
  readonly "segment.bytes"?: number;
  /** Milliseconds after which a segment is rolled even if it is not full. */
  readonly "segment.ms"?: number;
  /** Whether a record has the producer's (`CreateTime`) or the broker's time (`LogAppendTime`). */
  readonly "message.timestamp.type"?: "CreateTime" | "LogAppendTime";
  /** Any other topic config of Kafka. Strings are allowed for every type. */
  readonly [key: string]: string | number | boolean | undefined;
}

/** Names and values are validated in topic-config.ts. */
const configsSchema: v.GenericSchema<TopicConfigs> = record(
  v.optional(v.union([v.string(), v.number(), v.boolean()])),
);

const topicSchema = object({
  /** The name: 1 to 249 characters of `a-z A-Z 0-9 . _ -`. */
  name: v.string(),

  /** The number of partitions, at least 1. Kafka can add partitions later, but never remove them. */
  partitions: v.number(),

  /**
   * The number of replicas of each partition, 1 to the number of brokers.
   *
   * @default - 3, or the number of brokers if there are fewer
   */
  replicationFactor: v.optional(v.number()),

  /**
   * The topic configs.
   *
   * @default - `min.insync.replicas` is the replication factor minus 1, at least 1; the rest has the brokers' defaults
   */
  configs: v.optional(configsSchema),

  /**
   * What to do if the topic was changed since Groundwork applied it, or was created by something else. A changed declaration is applied
   * with every policy.
   *
   * @default "fail"
   */
  onDrift: v.optional(driftPolicySchema),
});

/** A topic that exists with its guarantees once a deploy has succeeded. */
export type Topic = Declared<typeof topicSchema>;

/** Resolves the defaults of a topic for a cluster with that many brokers. */
export function resolveTopic(topic: Topic, brokers: number): Required<Topic> {
  const replicationFactor = topic.replicationFactor ?? Math.min(3, brokers);
  return {
    name: topic.name,
    partitions: topic.partitions,
    replicationFactor,
    configs: {
      "min.insync.replicas": Math.max(1, replicationFactor - 1),
      ...Object.fromEntries(
        Object.entries(topic.configs ?? {}).filter(([, value]) => value !== undefined),
      ),
    },
    onDrift: topic.onDrift ?? "fail",
  };
}

/**
 * Throws if a topic is invalid, conflicts with another one, or would be rejected by a cluster with that many brokers. Without `brokers`
 * the number is unknown and not checked.
 */
export function validateTopics(
  topics: readonly Topic[],
  brokers?: number,
  scope?: Construct,
): void {
  checkDeclared(v.array(anyObject<Topic>()), topics, "the list of topics", scope);
  all(
    ...topics.map((topic, i) => () => {
      checkDeclared(topicSchema, topic, called("topic", topic, i), scope);
      validateTopic(topic, brokers, scope);
    }),
    () => validateUnique(topics, scope),
  );
}

/**
 * Kafka's own topics, and the one in which kafka-init remembers what it applied last (Applied.java,
 * https://github.com/apache/kafka/blob/trunk/clients/src/main/java/org/apache/kafka/common/internals/Topic.java).
 */
export const INTERNAL_TOPICS: readonly string[] = [
  "__cluster_metadata",
  "__consumer_offsets",
  "__remote_log_metadata",
  "__share_group_state",
  "__transaction_state",
  "__groundwork_applied",
];

function validateTopic(topic: Topic, brokers?: number, scope?: Construct): void {
  const { name, partitions, configs = {} } = topic;
  const most = brokers ?? Number.POSITIVE_INFINITY;
  const replicationFactor = topic.replicationFactor ?? Math.min(3, most);
  const minInsync = configs["min.insync.replicas"];
  const check = (holds: boolean, message: () => string) => () => validate(holds, message, scope);
  all(
    check(
      /^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== "." && name !== "..",
      () =>
        `topic name "${name}" is invalid: use 1 to 249 characters of a-z, A-Z, 0-9, ".", "_" and "-", but not "." or ".."`,
    ),
    check(
      !INTERNAL_TOPICS.includes(name),
      () =>
        `topic name "${name}" is reserved for an internal topic, which Kafka or kafka-init creates and configures itself: choose another name`,
    ),
    check(
      Number.isInteger(partitions) && partitions >= 1 && partitions < 2 ** 31,
      () =>
        `topic "${name}" has partitions ${partitions}: it must be a whole number from 1 to 2147483647`,
    ),
    check(
      Number.isInteger(replicationFactor) && replicationFactor >= 1 && replicationFactor <= most,
      () =>
        brokers === undefined
          ? `topic "${name}" has replicationFactor ${replicationFactor}: it must be from 1 to the number of brokers`
          : `topic "${name}" has replicationFactor ${replicationFactor}, but the cluster has ${brokers} broker${brokers === 1 ? "" : "s"}: it must be from 1 to ${brokers}; lower it, or add brokers to the environment`,
    ),
    check(
      minInsync === undefined ||
        (Number.isInteger(Number(minInsync)) &&
          Number(minInsync) >= 1 &&
          Number(minInsync) <= replicationFactor),
      () =>
        `topic "${name}" has min.insync.replicas ${minInsync} and replicationFactor ${replicationFactor}: min.insync.replicas must be from 1 to ${replicationFactor}, or writes with acks=all fail`,
    ),
    ...Object.entries(configs).map(([key, value]) => () => {
      validate(
        typeof value !== "number" || !Number.isInteger(value) || Number.isSafeInteger(value),
        () =>
          `topic "${name}" has the config ${key}=${value}, which JavaScript may have rounded: write numbers from 2^53 as strings, such as "9223372036854775807"`,
        scope,
      );
      const refusal = value === undefined ? undefined : refusalOfConfig(key, value);
      validate(refusal === undefined, () => `topic "${name}" ${refusal}`, scope);
    }),
  );
}

/** Kafka replaces "." with "_" in metric names, and rejects two topics that differ only in that. */
function validateUnique(topics: readonly Topic[], scope?: Construct): void {
  const names = topics.map(({ name }) => name).filter((name) => typeof name === "string");
  const different = [...new Set(names)];
  const plain = different.map((name) => name.replaceAll(".", "_"));
  all(
    () =>
      validateDistinct(
        names,
        (name) => `topic "${name}" is declared twice: remove one declaration`,
        scope,
      ),
    () =>
      validateDistinct(
        plain,
        (name) =>
          `topics ${different
            .filter((_, i) => plain[i] === name)
            .map((one) => `"${one}"`)
            .join(" and ")} differ only in "." and "_", which Kafka rejects: rename one`,
        scope,
      ),
  );
}
