import type { Topic } from "../../../constructs";
import { TOPICS_FILE } from "../../../constructs/kafka/declared-topics";
import { declaredIn, kafka } from "../../support/kafka-cluster";
import type { Json } from "../../support/platform";

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

  test("accepts every spelling of configs that Kafka parses", () => {
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
      'topic "orders" has replicationFactor 5, but the cluster has 3 brokers: it must be from 1 to 3; lower it, or add brokers to the environment (at test/init)',
    ],
    [
      "more replicas in sync than there are",
      { replicationFactor: 2, configs: { "min.insync.replicas": 3 } },
      'topic "orders" has min.insync.replicas 3 and replicationFactor 2: min.insync.replicas must be from 1 to 2, or writes with acks=all fail (at test/init)',
    ],
    [
      "an illegal name",
      { name: "orders/new" },
      'topic name "orders/new" is invalid: use 1 to 249 characters of a-z, A-Z, 0-9, ".", "_" and "-", but not "." or ".." (at test/init)',
    ],
    ...[
      "__groundwork_applied",
      "__consumer_offsets",
      "__transaction_state",
      "__cluster_metadata",
      "__share_group_state",
      "__remote_log_metadata",
    ].map((name): [string, Partial<Topic>, string] => [
      `the name ${name}`,
      { name },
      `topic name "${name}" is reserved for an internal topic, which Kafka or kafka-init creates and configures itself: choose another name (at test/init)`,
    ]),
    [
      "no partitions",
      { partitions: 0 },
      'topic "orders" has partitions 0: it must be a whole number from 1 to 2147483647 (at test/init)',
    ],
    [
      "a number that JavaScript cannot hold",
      { configs: { "flush.messages": Number("9223372036854775807") } },
      'topic "orders" has the config flush.messages=9223372036854776000, which JavaScript may have rounded: write numbers from 2^53 as strings, such as "9223372036854775807" (at test/init)',
    ],
    [
      "a config that Kafka does not know",
      { configs: { "retention.sm": 60000 } },
      'topic "orders" has the unknown config retention.sm: did you mean retention.ms? (at test/init)',
    ],
    [
      "a config in the spelling of other tools",
      { configs: { cleanupPolicy: "compact" } },
      'topic "orders" has the unknown config cleanupPolicy: did you mean cleanup.policy? (at test/init)',
    ],
    [
      "a setting of the brokers",
      { configs: { "log.flush.interval.messages": 1 } },
      'topic "orders" has the unknown config log.flush.interval.messages: it is a broker config; the topic config is flush.messages (at test/init)',
    ],
    [
      "a config with no similar name",
      { configs: { "no.such.config": 1 } },
      'topic "orders" has the unknown config no.such.config: see https://kafka.apache.org/documentation/#topicconfigs (at test/init)',
    ],
    [
      "a config that would break its line",
      { configs: { "retention.ms": "1; rm" as unknown as number } },
      'topic "orders" has the config retention.ms=1; rm: it must be a whole number from -1 to 9223372036854775807 (at test/init)',
    ],
    [
      "a whole number that Java does not parse",
      { configs: { "flush.messages": "1e6" } },
      'topic "orders" has the config flush.messages=1e6: it must be a whole number from 1 to 9223372036854775807 (at test/init)',
    ],
    [
      "a number above what the type holds",
      { configs: { "segment.bytes": 3_000_000_000 } },
      'topic "orders" has the config segment.bytes=3000000000: it must be a whole number from 1048576 to 2147483647 (at test/init)',
    ],
    [
      "a number between the range and the extra value",
      { configs: { "compression.gzip.level": 0 } },
      'topic "orders" has the config compression.gzip.level=0: it must be a whole number from 1 to 9, or -1 (at test/init)',
    ],
    [
      "a ratio above 1",
      { configs: { "min.cleanable.dirty.ratio": 1.5 } },
      'topic "orders" has the config min.cleanable.dirty.ratio=1.5: it must be a number from 0 to 1 (at test/init)',
    ],
    [
      "a number instead of a boolean",
      { configs: { preallocate: 1 } },
      'topic "orders" has the config preallocate=1: it must be true or false (at test/init)',
    ],
    [
      "a word in the wrong case",
      { configs: { "compression.type": "LZ4" as "lz4" } },
      'topic "orders" has the config compression.type=LZ4: it must be uncompressed, zstd, lz4, snappy, gzip or producer (at test/init)',
    ],
    [
      "a list with an unknown item",
      { configs: { "cleanup.policy": "compact,remove" as "compact" } },
      'topic "orders" has the config cleanup.policy=compact,remove: it must be a list of compact, delete (at test/init)',
    ],
    [
      "throttled replicas that are not pairs",
      { configs: { "leader.replication.throttled.replicas": "0" } },
      'topic "orders" has the config leader.replication.throttled.replicas=0: it must be a list of partition:broker, such as "0:1,1:2", or "*" (at test/init)',
    ],
  ])("fails with %s", (_, topic, message) => {
    expect(() => declare(topic)).toThrow(message);
  });

  test("fails when it is declared twice", () => {
    expect(() => declare({}, { name: "orders", partitions: 1 })).toThrow(
      'topic "orders" is declared twice: remove one declaration (at test/init)',
    );
  });

  test("fails if it collides with another one in Kafka", () => {
    expect(() => declare({ name: "a.b" }, { name: "a_b", partitions: 1 })).toThrow(
      'topics "a.b" and "a_b" differ only in "." and "_", which Kafka rejects: rename one (at test/init)',
    );
  });
});

test("a sidecar without topics has a file that the provider accepts", () => {
  const [init] = Object.values<Json>(kafka(1).resource.docker_container).filter(
    ({ name }) => name === "kafka-init",
  );
  expect(JSON.parse(init.upload.find(({ file }: Json) => file === TOPICS_FILE).content)).toEqual(
    [],
  );
});
