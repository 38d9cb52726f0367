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
 * Topic configuration by Kafka's own names (https://kafka.apache.org/documentation/#topicconfigs). The common keys are typed;
 * every name and value is checked against what the brokers of this version know. Whole numbers from 2^53 on are written as text.
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
  /** As the brokers take it, also as text. */
  readonly [key: string]: string | number | boolean | undefined;
}

/** Which configs there are, and what they may be, is Kafka's to say. */
const configsSchema: v.GenericSchema<TopicConfigs> = record(
  v.optional(v.union([v.string(), v.number(), v.boolean()])),
);

const topicSchema = object({
  /** 1 to 249 characters of `a-z A-Z 0-9 . _ -`. */
  name: v.string(),

  /** At least 1. Kafka can add partitions later, never remove them. */
  partitions: v.number(),

  /**
   * Copies of every partition, 1 to the number of brokers.
   *
   * @default - 3, or the number of brokers when there are fewer
   */
  replicationFactor: v.optional(v.number()),

  /**
   * What the topic sets for itself.
   *
   * @default - `min.insync.replicas` is the replication factor less one, at least 1; the broker's defaults for the rest
   */
  configs: v.optional(configsSchema),

  /**
   * What to do when the topic exists and differs.
   *
   * @default "fail"
   */
  onDrift: v.optional(driftPolicySchema),
});

/** A topic that exists with its guarantees when a deploy has finished. */
export type Topic = Declared<typeof topicSchema>;

/** The topic with every default filled in for a cluster of that many brokers. */
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
 * Throws on topics that contradict themselves or each other, or that a cluster of that many brokers would reject, where it is known how
 * many there are.
 */
export function validateTopics(
  topics: readonly Topic[],
  brokers?: number,
  scope?: Construct,
): void {
  checkDeclared(v.array(anyObject<Topic>()), topics, "what is declared of topics", scope);
  all(
    ...topics.map((topic, i) => () => {
      checkDeclared(topicSchema, topic, called("topic", topic, i), scope);
      validateTopic(topic, brokers, scope);
    }),
    () => validateUnique(topics, scope),
  );
}

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
        `topic name "${name}" is not legal: 1 to 249 characters out of a-z, A-Z, 0-9, ".", "_" and "-", and neither "." nor ".."`,
    ),
    check(
      Number.isInteger(partitions) && partitions >= 1 && partitions < 2 ** 31,
      () =>
        `topic "${name}" has ${partitions} partitions: it needs a whole number from 1 to 2147483647`,
    ),
    check(
      Number.isInteger(replicationFactor) && replicationFactor >= 1 && replicationFactor <= most,
      () =>
        brokers === undefined
          ? `topic "${name}" has replicationFactor ${replicationFactor}: allowed is 1 to the number of brokers`
          : `topic "${name}" has replicationFactor ${replicationFactor} and the cluster has ${brokers} broker${brokers === 1 ? "" : "s"}: allowed is 1 to ${brokers}; lower the factor or add brokers to the environment`,
    ),
    check(
      minInsync === undefined ||
        (Number.isInteger(Number(minInsync)) &&
          Number(minInsync) >= 1 &&
          Number(minInsync) <= replicationFactor),
      () =>
        `topic "${name}" has min.insync.replicas ${minInsync} and replicationFactor ${replicationFactor}: allowed is 1 to ${replicationFactor}, otherwise no write with acks=all can succeed`,
    ),
    ...Object.entries(configs).map(([key, value]) => () => {
      validate(
        typeof value !== "number" || !Number.isInteger(value) || Number.isSafeInteger(value),
        () =>
          `topic "${name}" has the config ${key}=${value}, which may be another number than was written: from 2^53 on write it as text, as in "9223372036854775807"`,
        scope,
      );
      const refusal = value === undefined ? undefined : refusalOfConfig(key, value);
      validate(refusal === undefined, () => `topic "${name}" has the config ${refusal}`, scope);
    }),
  );
}

/** Kafka takes "." and "_" for the same in metric names and refuses two topics that differ in nothing else. */
function validateUnique(topics: readonly Topic[], scope?: Construct): void {
  const names = topics.map(({ name }) => name).filter((name) => typeof name === "string");
  const different = [...new Set(names)];
  const plain = different.map((name) => name.replaceAll(".", "_"));
  all(
    () =>
      validateDistinct(
        names,
        (name) => `topic "${name}" is declared twice: every topic has one declaration`,
        scope,
      ),
    () =>
      validateDistinct(
        plain,
        (name) =>
          `topics ${different
            .filter((_, i) => plain[i] === name)
            .map((one) => `"${one}"`)
            .join(" and ")} differ only in "." and "_", which Kafka refuses: rename one`,
        scope,
      ),
  );
}
