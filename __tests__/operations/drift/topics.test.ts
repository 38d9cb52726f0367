import type { Topic } from "../../../constructs";
import { describeDifference } from "../../../operations/drift/difference";
import { findTopicDrift } from "../../../operations/drift/topics";

const config = (key: string, value: string, isSet = true) =>
  `  ${key}=${value} sensitive=false synonyms={${isSet ? `DYNAMIC_TOPIC_CONFIG:${key}=${value}, ` : ""}DEFAULT_CONFIG:log.${key}=x}`;

/** Compares topics with a cluster in the words of Kafka's tools: its topics, and the lines of the configs of each. */
function driftOf(
  topics: readonly Topic[],
  live: Readonly<Record<string, readonly [number, number, ...string[]]>>,
) {
  const described = Object.entries(live).map(
    ([name, [partitions, replicas]]) =>
      `Topic: ${name}\tTopicId: abc\tPartitionCount: ${partitions}\tReplicationFactor: ${replicas}\tConfigs: `,
  );
  const configs = Object.entries(live).flatMap(([name, [, , ...lines]]) => [
    `All configs for topic ${name} are:`,
    ...lines,
  ]);
  const answer = (lines: readonly string[]) => async () => ({
    exitCode: 0,
    output: lines.join("\n"),
  });
  return findTopicDrift(
    { describeTopics: answer(described), describeTopicConfigs: answer(configs) },
    topics,
    3,
  );
}

test("a topic as declared has no drift, in whichever spelling", async () => {
  const topic: Topic = {
    name: "orders",
    partitions: 6,
    configs: {
      "cleanup.policy": "compact,delete",
      "flush.ms": "+060000",
      "min.cleanable.dirty.ratio": "0.0001",
      "message.timestamp.type": "CreateTime",
      preallocate: "FALSE",
    },
  };
  const live = [
    config("min.insync.replicas", "2", false),
    config("cleanup.policy", "delete,compact"),
    config("flush.ms", "60000"),
    config("min.cleanable.dirty.ratio", "1.0E-4"),
    config("message.timestamp.type", "CreateTime", false),
    config("preallocate", "false", false),
  ];
  expect(await driftOf([topic], { orders: [6, 3, ...live] })).toEqual({
    differences: [],
    undeclared: [],
  });
});

test("every field that differs is reported, and a topic that does not exist", async () => {
  const { differences, undeclared } = await driftOf(
    [
      { name: "orders", partitions: 6, configs: { "retention.ms": 60000 } },
      { name: "bills", partitions: 1 },
    ],
    {
      orders: [
        ...([3, 2] as const),
        ...[config("min.insync.replicas", "1"), config("retention.ms", "5")],
        ...[config("segment.ms", "7"), config("segment.bytes", "8", false)],
      ],
      other: [1, 1],
    },
  );
  expect(differences.map(describeDifference)).toEqual([
    "topic orders: partitions is 3, declared 6",
    "topic orders: replicationFactor is 2, declared 3",
    "topic orders: min.insync.replicas is 1, declared 2",
    "topic orders: retention.ms is 5, declared 60000",
    "topic bills: does not exist",
  ]);
  expect(undeclared).toEqual([{ resource: "orders", field: "segment.ms", actual: "7" }]);
});

test("topics with onDrift ignore are not compared", async () => {
  const topics: readonly Topic[] = [{ name: "orders", partitions: 6, onDrift: "ignore" }];
  expect(await driftOf(topics, {})).toEqual({ differences: [], undeclared: [] });
});

test("a cluster that does not answer is an error", async () => {
  const kafka = {
    describeTopics: async () => ({ exitCode: 1, output: "Timed out" }),
    describeTopicConfigs: async () => ({ exitCode: 0, output: "" }),
  };
  await expect(findTopicDrift(kafka, [], 3)).rejects.toThrow(
    "Kafka does not describe its topics: Timed out",
  );
});
