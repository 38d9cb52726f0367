import type { Topic } from "../../../../constructs";
import type { KafkaFault, LiveTopic } from "../../../support/fake-kafka";
import { AS_DECLARED, harness, INFRA_EVENTS, run, TOPICS } from "../../../support/kafka-init";
import { exitLine, linesOf, type SidecarRun } from "../../../support/sidecar";

const ORDERS: Topic = {
  ...{ name: "orders", partitions: 3 },
  configs: { "retention.ms": 60_000, "segment.ms": 30_000 },
};
const APPLIED: LiveTopic = {
  partitions: 3,
  replicationFactor: 3,
  configs: { "min.insync.replicas": "2", "retention.ms": "60000", "segment.ms": "30000" },
};

const fieldsOf = (result: SidecarRun, event: "change" | "drift") =>
  linesOf(result, event).map(({ field, declared, actual }) => [field, declared, actual]);

/** Provisions the first declaration, lets somebody edit the topic, and provisions the second one. */
async function declareTwice(
  first: Topic,
  second: Topic,
  {
    by,
    moving,
    faults = [],
    later = [],
    racks,
  }: {
    by?: Partial<LiveTopic>;
    moving?: number;
    faults?: KafkaFault[];
    /** Faults of the second run. */
    later?: KafkaFault[];
    racks?: [string, string, string];
  } = {},
) {
  const cluster = await harness.cluster({}, ...faults);
  if (racks) {
    await cluster.setRacks(...racks);
  }
  const created = await run(cluster, { topics: [first] });
  expect(exitLine(created)).toMatchObject({ exit_code: 0, created: 1 });
  const before = await cluster.look();
  if (by) {
    await cluster.setTopic(first.name, { ...before.topics[first.name], ...by });
  }
  if (moving) {
    await cluster.setMoving(first.name, moving);
  }
  await cluster.inject(...later);
  const result = await run(cluster, { topics: [second] });
  const { topics, writes, memory } = await cluster.look();
  return {
    ...{ cluster, result, memory: memory[first.name], topic: topics[first.name] },
    writes: writes.slice(before.writes.length),
  };
}

describe("kafka-init remembers what it applied", () => {
  test.concurrent("in a compacted topic of the cluster", async () => {
    const cluster = await harness.cluster({});
    await run(cluster, { topics: [ORDERS] });
    const { memory, memoryConfigs } = await cluster.look();
    expect(memory).toEqual({ orders: APPLIED });
    expect(memoryConfigs).toEqual({
      ...{ "cleanup.policy": "compact", "compression.type": "producer" },
    });
  });

  test.concurrent("also of topics that it finds as declared", async () => {
    const cluster = await harness.cluster(AS_DECLARED);
    await run(cluster);
    expect(Object.keys((await cluster.look()).memory)).toEqual(["app.logs", "infra-events"]);
    const more = { ...TOPICS[0], partitions: 4 };
    expect(exitLine(await run(cluster, { topics: [more] }))).toMatchObject({ reconciled: 1 });
  });

  test.concurrent("but not of topics that differ", async () => {
    const cluster = await harness.cluster({ "infra-events": { ...INFRA_EVENTS, partitions: 5 } });
    await run(cluster, { topics: [TOPICS[0]] });
    expect((await cluster.look()).memory).toEqual({});
  });

  test.concurrent("and takes a record that it did not write for none", async () => {
    const cluster = await harness.cluster({ orders: APPLIED });
    await cluster.remember("orders", '{"partitions":3,"replic');
    const changed = { ...ORDERS, partitions: 6 };
    const result = await run(cluster, { topics: [changed] });
    expect(fieldsOf(result, "drift")).toEqual([["partitions", "6", "3"]]);
    expect(exitLine(result)).toMatchObject({ exit_code: 73, drifted: 1 });
  });

  test.concurrent("and warns if it cannot, without failing", async () => {
    const refused = { on: "Produce", error: "TOPIC_AUTHORIZATION_FAILED" };
    const cluster = await harness.cluster({}, refused, refused);
    const result = await run(cluster, { topics: [ORDERS] });
    const cause = "Not authorized to access topics: [__groundwork_applied]";
    expect(
      linesOf(result, "memory").map(({ level, resource, reason }) => [level, resource, reason]),
    ).toEqual([
      [
        ...["warn", "__groundwork_applied"],
        `cannot remember what is about to be applied, so a topic that this run leaves half-way is drift: ${cause}`,
      ],
      [
        ...["warn", "__groundwork_applied"],
        `cannot remember what was applied, so the next changed declaration is drift: ${cause}`,
      ],
    ]);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 1 });
  });

  const removed: Topic = { ...ORDERS, configs: { "retention.ms": 60_000 } };

  test.concurrent("and reads again if that fails, so that a removed config is reset", async () => {
    const { result, topic, memory } = await declareTwice(ORDERS, removed, {
      later: [{ on: "Fetch", error: "CORRUPT_MESSAGE" }],
    });
    expect(linesOf(result, "retry")).toEqual([
      expect.objectContaining({
        what: "reading what was applied last",
        reason: expect.stringContaining("cannot read topic __groundwork_applied: "),
      }),
    ]);
    expect(fieldsOf(result, "change")).toEqual([["segment.ms", "unset", "30000"]]);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, reconciled: 1 });
    expect(topic.configs).toEqual({ "min.insync.replicas": "2", "retention.ms": "60000" });
    expect(memory).toEqual(topic);
  });

  test.concurrent.each([
    [
      "TOPIC_AUTHORIZATION_FAILED",
      77,
      "not authorized: the sidecar needs Read on topic __groundwork_applied",
    ],
    [
      "CORRUPT_MESSAGE",
      69,
      "reading what was applied last: timed out after 300s and 1 attempt: cannot read topic __groundwork_applied: ",
    ],
  ])(
    "and changes nothing, not even the memory, if it cannot read: %s",
    async (error, code, reason) => {
      const { result, topic, memory, writes } = await declareTwice(ORDERS, removed, {
        later: [{ on: "Fetch", error, passSeconds: 301 }],
      });
      expect(exitLine(result)).toMatchObject({
        exit_code: code,
        reason: expect.stringContaining(reason),
      });
      expect(writes).toEqual([]);
      expect(topic).toEqual(APPLIED);
      expect(memory).toEqual(APPLIED);
    },
  );
});

describe.each(["fail", "reconcile", "ignore"] as const)(
  "a changed declaration with onDrift %s",
  (onDrift) => {
    const declared = (more: Partial<Topic>): Topic => ({ ...ORDERS, onDrift, ...more });

    test.concurrent("adds partitions, sets configs and resets removed ones", async () => {
      const { result, topic, memory } = await declareTwice(
        declared({}),
        declared({ partitions: 6, configs: { "retention.ms": 90_000, "max.message.bytes": 1000 } }),
      );
      expect(fieldsOf(result, "change")).toEqual([
        ["partitions", "6", "3"],
        ["retention.ms", "90000", "60000"],
        ["max.message.bytes", "1000", '""'],
        ["segment.ms", "unset", "30000"],
      ]);
      expect(fieldsOf(result, "drift")).toEqual([]);
      expect(exitLine(result)).toMatchObject({ exit_code: 0, reconciled: 1, drifted: 0 });
      const configs = {
        ...{ "min.insync.replicas": "2", "retention.ms": "90000", "max.message.bytes": "1000" },
      };
      expect(topic).toEqual({ partitions: 6, replicationFactor: 3, configs });
      expect(memory).toEqual(topic);
    });

    test.concurrent("keeps configs that it never declared", async () => {
      const { result, topic } = await declareTwice(declared({}), declared({ partitions: 6 }), {
        by: { configs: { ...APPLIED.configs, "flush.ms": "7" } },
      });
      expect(exitLine(result)).toMatchObject({ exit_code: 0, reconciled: 1 });
      expect(linesOf(result, "undeclared")[0]).toMatchObject({ field: "flush.ms", actual: "7" });
      expect(topic.configs["flush.ms"]).toBe("7");
    });

    test.concurrent("never removes partitions", async () => {
      const { result, writes } = await declareTwice(declared({}), declared({ partitions: 2 }));
      const [line] = linesOf(result, onDrift === "ignore" ? "ignored" : "drifted");
      expect(line.reason).toBe(
        "not applied: Kafka cannot remove partitions: declare 3 partitions again, or declare a topic with another name and move the records",
      );
      expect(exitLine(result).exit_code).toBe(onDrift === "ignore" ? 0 : 73);
      expect(writes).toEqual([]);
    });
  },
);

describe("a topic that somebody edited since", () => {
  test.concurrent("is drift, and nothing of the declaration is applied", async () => {
    const { result, writes, topic, memory } = await declareTwice(
      ORDERS,
      { ...ORDERS, partitions: 6, configs: { "retention.ms": 90_000 } },
      { by: { configs: { ...APPLIED.configs, "retention.ms": "5" } } },
    );
    expect(fieldsOf(result, "drift")).toEqual([
      ["partitions", "6", "3"],
      ["retention.ms", "90000", "5"],
      ["segment.ms", "unset", "30000"],
    ]);
    expect(fieldsOf(result, "change")).toEqual([]);
    expect(exitLine(result)).toMatchObject({ exit_code: 73, drifted: 1, reconciled: 0 });
    expect(writes).toEqual([]);
    expect(topic.partitions).toBe(3);
    expect(memory).toEqual(APPLIED);
  });

  test.concurrent("is drift if the edited config is no longer declared", async () => {
    const { result } = await declareTwice(
      ORDERS,
      { ...ORDERS, configs: { "retention.ms": 60_000 } },
      { by: { configs: { ...APPLIED.configs, "segment.ms": "9" } } },
    );
    expect(fieldsOf(result, "drift")).toEqual([["segment.ms", "unset", "9"]]);
    expect(exitLine(result)).toMatchObject({ exit_code: 73, drifted: 1 });
  });

  test.concurrent("is drift if somebody set the config that is now declared", async () => {
    const { result } = await declareTwice(
      ORDERS,
      { ...ORDERS, configs: { ...ORDERS.configs, "max.message.bytes": 1000 } },
      { by: { configs: { ...APPLIED.configs, "max.message.bytes": "2000" } } },
    );
    expect(fieldsOf(result, "drift")).toEqual([["max.message.bytes", "1000", "2000"]]);
    expect(exitLine(result)).toMatchObject({ exit_code: 73, drifted: 1 });
  });

  test.concurrent("is reset and set with onDrift reconcile", async () => {
    const { result, topic } = await declareTwice(
      ORDERS,
      { ...ORDERS, onDrift: "reconcile", configs: { "retention.ms": 90_000 } },
      { by: { configs: { ...APPLIED.configs, "segment.ms": "9" } } },
    );
    expect(exitLine(result)).toMatchObject({ exit_code: 0, reconciled: 1 });
    expect(topic.configs).toEqual({ "min.insync.replicas": "2", "retention.ms": "90000" });
  });

  test.concurrent("is unchanged if the edit is what is declared now, and is remembered so", async () => {
    const { result, cluster } = await declareTwice(
      ORDERS,
      { ...ORDERS, partitions: 6 },
      { by: { partitions: 6 } },
    );
    expect(exitLine(result)).toMatchObject({ exit_code: 0, unchanged: 1 });
    const again = await run(cluster, { topics: [{ ...ORDERS, partitions: 9 }] });
    expect(exitLine(again)).toMatchObject({ exit_code: 0, reconciled: 1 });
  });
});

describe("a run that ends half-way", () => {
  const changed: Topic = {
    ...{ name: "orders", partitions: 6 },
    configs: { "retention.ms": 90_000, "max.message.bytes": 1000 },
  };
  const BEGUN = {
    ...{ partitions: 6, replicationFactor: 3 },
    configs: { "min.insync.replicas": "2", "retention.ms": "90000", "max.message.bytes": "1000" },
  };
  /** Ends a run at its deadline. */
  const UNAVAILABLE = { error: "REQUEST_TIMED_OUT", passSeconds: 301 };

  /** Applies the configs of the changed topic, and not its partitions. */
  async function halfWay() {
    const { cluster, result, topic, memory } = await declareTwice(ORDERS, changed, {
      later: [{ on: "CreatePartitions", ...UNAVAILABLE }],
    });
    expect(exitLine(result)).toMatchObject({ exit_code: 69, reconciled: 0 });
    expect(topic).toEqual({ ...BEGUN, partitions: 3 });
    return { cluster, memory };
  }

  test.concurrent("leaves what it began in the memory, and what was applied where former versions read it", async () => {
    const { memory } = await halfWay();
    expect(memory).toEqual({ ...APPLIED, pending: [BEGUN] });
  });

  test.concurrent("is no drift if its change is then undone", async () => {
    const { cluster } = await halfWay();
    const result = await run(cluster, { topics: [ORDERS] });
    expect(fieldsOf(result, "change")).toEqual([
      ["retention.ms", "60000", "90000"],
      ["segment.ms", "30000", '""'],
      ["max.message.bytes", "unset", "1000"],
    ]);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, reconciled: 1, drifted: 0 });
    const { topics, memory } = await cluster.look();
    expect(topics.orders).toEqual(APPLIED);
    expect(memory.orders).toEqual(APPLIED);
  });

  test.concurrent("is no drift if another change follows, which may end half-way too", async () => {
    const { cluster } = await halfWay();
    const next: Topic = { ...changed, partitions: 9, configs: { "retention.ms": 120_000 } };
    await cluster.inject({ on: "IncrementalAlterConfigs", ...UNAVAILABLE });
    expect(exitLine(await run(cluster, { topics: [next] }))).toMatchObject({ exit_code: 69 });
    expect((await cluster.look()).memory.orders).toEqual({
      ...APPLIED,
      pending: [
        BEGUN,
        {
          ...{ partitions: 9, replicationFactor: 3 },
          configs: { "min.insync.replicas": "2", "retention.ms": "120000" },
        },
      ],
    });
    const result = await run(cluster, { topics: [next] });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, reconciled: 1, drifted: 0 });
    const { topics, memory } = await cluster.look();
    expect(topics.orders.configs).toEqual({
      ...{ "min.insync.replicas": "2", "retention.ms": "120000" },
    });
    expect(memory.orders).toEqual(topics.orders);
  });

  test.concurrent("is still drift where somebody edited the topic since", async () => {
    const { cluster } = await halfWay();
    const { topics } = await cluster.look();
    await cluster.setTopic("orders", {
      ...topics.orders,
      configs: { ...topics.orders.configs, "retention.ms": "5" },
    });
    const result = await run(cluster, { topics: [ORDERS] });
    expect(fieldsOf(result, "drift")[0]).toEqual(["retention.ms", "60000", "5"]);
    expect(exitLine(result)).toMatchObject({ exit_code: 73, drifted: 1 });
  });

  test.concurrent("keeps a config that somebody gave another value, and that was never applied", async () => {
    const { cluster } = await halfWay();
    await cluster.setTopic("orders", {
      ...APPLIED,
      configs: { ...APPLIED.configs, "max.message.bytes": "7" },
    });
    const result = await run(cluster, { topics: [ORDERS] });
    expect(linesOf(result, "undeclared")[0]).toMatchObject({ field: "max.message.bytes" });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, unchanged: 1 });
  });

  test.concurrent("is no drift if it created topics", async () => {
    const cluster = await harness.cluster(
      {},
      { on: "CreateTopics", topic: "payments", error: UNAVAILABLE.error },
      // The first answer created a topic, which restarts the deadline.
      { on: "CreateTopics", ...UNAVAILABLE },
    );
    const payments: Topic = { name: "payments", partitions: 1 };
    const created = await run(cluster, { topics: [ORDERS, payments] });
    expect(exitLine(created)).toMatchObject({ exit_code: 69 });
    const before = await cluster.look();
    expect(Object.keys(before.topics)).toEqual(["orders"]);
    expect(before.memory.orders).toEqual({ pending: [APPLIED] });
    const result = await run(cluster, { topics: [changed] });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, reconciled: 1, drifted: 0 });
    const { topics, memory } = await cluster.look();
    expect(topics.orders).toEqual(BEGUN);
    // The topic that was never created is forgotten.
    expect(memory).toEqual({ orders: BEGUN });
  });

  test.concurrent("has remembered the topics that need no move before it waits for those of others", async () => {
    const payments: Topic = { name: "payments", partitions: 1, replicationFactor: 1 };
    const cluster = await harness.cluster();
    await run(cluster, { topics: [ORDERS, payments] });
    await cluster.inject({ on: "ListPartitionReassignments", disconnect: true, passSeconds: 301 });
    const result = await run(cluster, {
      topics: [changed, { ...payments, replicationFactor: 2 }],
    });
    expect(exitLine(result)).toMatchObject({ exit_code: 69, reconciled: 1 });
    const { memory } = await cluster.look();
    expect(memory.orders).toEqual(BEGUN);
    expect(memory.payments).toMatchObject({
      replicationFactor: 1,
      pending: [{ replicationFactor: 2 }],
    });
  });
});

describe("another replication factor", () => {
  const one: Topic = { name: "orders", partitions: 3, replicationFactor: 1 };
  const all: Topic = { name: "orders", partitions: 3, replicationFactor: 3 };

  test.concurrent("is applied by moving replicas, and waited for", async () => {
    const { result, topic, writes, cluster } = await declareTwice(one, {
      ...all,
      partitions: 4,
      replicationFactor: 2,
    });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, reconciled: 1, drifted: 0 });
    expect(topic).toMatchObject({ partitions: 4, replicationFactor: 2 });
    // The fake cluster leads every partition on broker 1.
    expect(writes.filter((call) => call.startsWith("Alter"))).toEqual([
      "AlterPartitionReassignments orders-0:1,2 orders-1:1,3 orders-2:1,2 orders-3:1,3",
    ]);
    expect(linesOf(result, "moving")).toEqual([expect.objectContaining({ partitions: 1 })]);
    const { calls } = await cluster.look();
    expect(calls.filter((call) => call === "ListPartitionReassignments")).toHaveLength(2);
  });

  test.concurrent("spreads over racks before it spreads over brokers", async () => {
    const two = { ...all, replicationFactor: 2 };
    const { writes } = await declareTwice(one, two, { racks: ["a", "a", "b"] });
    expect(writes).toContain("AlterPartitionReassignments orders-0:1,3 orders-1:1,3 orders-2:1,3");
  });

  test.concurrent("raises min.insync.replicas after the replicas, and lowers it before", async () => {
    const more = await declareTwice(one, all);
    expect(more.topic.configs).toEqual({ "min.insync.replicas": "2" });
    const kinds = (writes: readonly string[]) => writes.map((call) => call.split(" ")[0]);
    expect(kinds(more.writes)).toEqual(["AlterPartitionReassignments", "IncrementalAlterConfigs"]);
    const fewer = await declareTwice(all, one);
    expect(fewer.topic.configs).toEqual({ "min.insync.replicas": "1" });
    expect(kinds(fewer.writes)).toEqual(["IncrementalAlterConfigs", "AlterPartitionReassignments"]);
  });

  test.concurrent("raises min.insync.replicas only after replicas that an interrupted run still copies", async () => {
    const { result, topic, writes, cluster } = await declareTwice(one, all, {
      by: { replicationFactor: 3 },
      moving: 3,
    });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, reconciled: 1 });
    expect(topic.configs).toEqual({ "min.insync.replicas": "2" });
    expect(writes.map((call) => call.split(" ")[0])).toEqual(["IncrementalAlterConfigs"]);
    const calls = (await cluster.look()).calls.map((call) => call.split(" ")[0]);
    const looks = calls.filter((call) => call === "ListPartitionReassignments");
    expect(looks).toHaveLength(4);
    expect(calls.lastIndexOf("ListPartitionReassignments")).toBeLessThan(
      calls.lastIndexOf("IncrementalAlterConfigs"),
    );
  });

  test.concurrent("keeps leaders when replicas are removed, and takes them from all brokers", async () => {
    const { result, writes } = await declareTwice(all, { ...all, replicationFactor: 2 });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, reconciled: 1 });
    expect(writes.filter((call) => call.startsWith("Alter"))).toEqual([
      "AlterPartitionReassignments orders-0:1,2 orders-1:1,3 orders-2:1,2",
    ]);
  });

  test.concurrent("is drift if somebody else moved the replicas", async () => {
    const { result, writes } = await declareTwice(
      one,
      { ...all, onDrift: "reconcile" },
      { by: { replicationFactor: 2 } },
    );
    expect(linesOf(result, "drifted")[0].reason).toBe(
      "not reconciled: kafka-init never removes partitions, and moves replicas only if their declaration changed",
    );
    expect(exitLine(result)).toMatchObject({ exit_code: 73, drifted: 1 });
    expect(writes.filter((call) => call.startsWith("Alter"))).toEqual([]);
  });

  test.concurrent("that Kafka rejects ends with 65", async () => {
    const error = { error: "INVALID_REPLICATION_FACTOR", message: "no more brokers" };
    const { result } = await declareTwice(one, all, {
      faults: [
        { on: "AlterPartitionReassignments", ...error },
        { on: "AlterPartitionReassignments", ...error },
      ],
    });
    expect(exitLine(result)).toMatchObject({
      ...{ exit_code: 65, reason: "Kafka rejects topic orders: no more brokers" },
    });
  });
});
