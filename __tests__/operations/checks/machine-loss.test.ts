import type { Environment } from "../../../environments";
import { labThree } from "../../../lab/environments";
import { harmOfLosing } from "../../../operations/checks/machine-loss";
import { partitionsIn, shardsIn } from "../../../operations/platform/replicated";

const DESCRIBED = [
  "Topic: orders\tTopicId: x\tPartitionCount: 2\tReplicationFactor: 3\tConfigs: cleanup.policy=compact,min.insync.replicas=2",
  "\tTopic: orders\tPartition: 0\tLeader: 1\tReplicas: 1,2,3\tIsr: 1,2,3\tElr: \tLastKnownElr: ",
  "\tTopic: orders\tPartition: 1\tLeader: 2\tReplicas: 2,3,1\tIsr: 2,3\tElr: \tLastKnownElr: ",
  "Topic: notes\tTopicId: y\tPartitionCount: 1\tReplicationFactor: 1\tConfigs: ",
  "\tTopic: notes\tPartition: 0\tLeader: 3\tReplicas: 3\tIsr: 3\tElr: \tLastKnownElr: ",
].join("\n");

const copy = (node: string | null, state = "STARTED") => ({ state, node, primary: false });
const STATE = JSON.stringify({
  nodes: { x: { name: "opensearch-1" }, y: { name: "opensearch-2" }, z: { name: "opensearch-3" } },
  routing_table: {
    indices: {
      "logs-shop": {
        shards: {
          0: [copy("x"), copy("y", "RELOCATING")],
          1: [copy("z"), copy(null, "UNASSIGNED")],
        },
      },
      once: { shards: { 0: [copy("x"), copy("y", "INITIALIZING")] } },
    },
  },
});
const kept = { partitions: partitionsIn(DESCRIBED), shards: shardsIn(STATE) };
const nothing = { partitions: [], shards: [] };

test("a partition without an in-sync replica is unavailable, whichever machine is lost", () => {
  const [lost] = partitionsIn(
    "\tTopic: lost\tPartition: 0\tLeader: none\tReplicas: 1\tIsr: \tElr: 1",
  );
  expect(lost).toEqual({ name: "lost-0", nodes: [], needs: 1 });
  expect(harmOfLosing(labThree, "b", { partitions: [lost], shards: [] })).toHaveLength(1);
});

test("in-sync replicas of partitions and started replicas of shards count", () => {
  expect(kept.partitions).toEqual([
    { name: "orders-0", nodes: ["kafka-1", "kafka-2", "kafka-3"], needs: 2 },
    { name: "orders-1", nodes: ["kafka-2", "kafka-3"], needs: 2 },
    { name: "notes-0", nodes: ["kafka-3"], needs: 1 },
  ]);
  expect(kept.shards).toEqual([
    { name: "logs-shop[0]", nodes: ["opensearch-1", "opensearch-2"], needs: 1 },
    { name: "logs-shop[1]", nodes: ["opensearch-3"], needs: 1 },
    { name: "once[0]", nodes: ["opensearch-1"], needs: 1 },
  ]);
});

describe("the loss of a machine", () => {
  test("names partitions below min.insync.replicas and shards without a replica", () => {
    expect(["a", "b", "c"].map((machine) => harmOfLosing(labThree, machine, kept))).toEqual([
      ["losing a leaves these shards without a replica: once[0]"],
      [
        "losing b blocks producers with acks=all, since these partitions fall below min.insync.replicas: orders-1",
      ],
      [
        "losing c blocks producers with acks=all, since these partitions fall below min.insync.replicas: orders-1, notes-0",
        "losing c leaves these shards without a replica: logs-shop[1]",
      ],
    ]);
  });

  test("names a cluster that loses its majority, also when other machines are excluded", () => {
    const together: Environment = { ...labThree, placement: { "kafka-2": "a" } };
    expect(harmOfLosing(together, "a", nothing)).toEqual([
      "losing a leaves 1 of 3 controllers of kafka, which is no majority",
    ]);
    expect(harmOfLosing(together, "b", nothing)).toEqual([]);
    expect(harmOfLosing({ ...labThree, excludedMachines: ["c"] }, "a", nothing)).toEqual([
      "losing a leaves 1 of 3 controllers of kafka, which is no majority",
      "losing a leaves 1 of 3 cluster-manager-eligible nodes of opensearch, which is no majority",
    ]);
  });

  test("counts only the nodes that vote", () => {
    const five: Environment = {
      ...labThree,
      kafka: { brokers: 5 },
      placement: { "kafka-4": "b", "kafka-5": "b" },
    };
    expect(harmOfLosing(five, "b", nothing)).toEqual([]);
    expect(harmOfLosing({ ...five, kafka: { brokers: 5, controllers: 5 } }, "b", nothing)).toEqual([
      "losing b leaves 2 of 5 controllers of kafka, which is no majority",
    ]);
  });

  test("lists only a few of many", () => {
    const many = Array.from({ length: 9 }, (_, i) => ({
      name: `t-${i}`,
      nodes: ["kafka-1"],
      needs: 1,
    }));
    expect(harmOfLosing(labThree, "a", { partitions: many, shards: [] })).toEqual([
      expect.stringMatching(/: t-0, t-1, t-2, and 6 more$/),
    ]);
  });
});
