import type { LiveTopic } from "../../../support/fake-kafka";
import {
  APP_LOGS,
  AS_DECLARED,
  INFRA_EVENTS,
  runIn,
  TOPICS,
  withPolicy,
} from "../../../support/kafka-init";
import { exitLine, linesOf } from "../../../support/sidecar";

describe("kafka-init", () => {
  test.concurrent("does not change undeclared topics and configs", async () => {
    const before = {
      ...AS_DECLARED,
      "infra-events": {
        ...INFRA_EVENTS,
        configs: { ...INFRA_EVENTS.configs, "retention.ms": "60000" },
      },
      someone_elses: { partitions: 1, replicationFactor: 1, configs: {} },
    };
    const { result, topics } = await runIn(before);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, unchanged: 2 });
    expect(topics).toEqual(before);
  });

  describe.each(["fail", "ignore", "reconcile"] as const)("with onDrift %s", (onDrift) => {
    test.concurrent("logs every undeclared config of a declared topic, and keeps it", async () => {
      const before = {
        "infra-events": {
          ...INFRA_EVENTS,
          configs: { ...INFRA_EVENTS.configs, "segment.ms": "5", "retention.ms": "60000" },
        },
        "app.logs": APP_LOGS,
        someone_elses: { ...APP_LOGS, configs: { "retention.ms": "60000" } },
      };
      const { result, writes } = await runIn(before, [], { topics: withPolicy(onDrift) });
      expect(exitLine(result)).toMatchObject({ exit_code: 0, unchanged: 2, drifted: 0 });
      expect(
        linesOf(result, "undeclared").map(({ level, resource, field, actual }) => [
          ...[level, resource, field, actual],
        ]),
      ).toEqual([
        ["info", "infra-events", "retention.ms", "60000"],
        ["info", "infra-events", "segment.ms", "5"],
      ]);
      expect(writes).toEqual([]);
    });
  });

  test.concurrent("logs undeclared configs of a topic that another run created first", async () => {
    const configs = { ...INFRA_EVENTS.configs, "retention.ms": "60000" };
    const { result } = await runIn({ "app.logs": APP_LOGS }, [
      { on: "CreateTopics", createFirst: { "infra-events": { ...INFRA_EVENTS, configs } } },
    ]);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 0, unchanged: 2 });
    expect(linesOf(result, "undeclared")).toEqual([
      expect.objectContaining({ resource: "infra-events", field: "retention.ms", actual: "60000" }),
    ]);
  });

  test.concurrent("compares the effective value of a config that the topic does not set", async () => {
    const declaring = (retention: number) => ({
      topics: [{ ...TOPICS[0], configs: { "min.insync.replicas": 2, "retention.ms": retention } }],
    });
    const same = await runIn(AS_DECLARED, [], declaring(604800000));
    expect(exitLine(same.result)).toMatchObject({ exit_code: 0, unchanged: 1 });
    const other = await runIn(AS_DECLARED, [], declaring(1000));
    expect(linesOf(other.result, "drift")).toEqual([
      expect.objectContaining({
        resource: "infra-events",
        field: "retention.ms",
        declared: "1000",
        actual: "604800000",
      }),
    ]);
    expect(exitLine(other.result)).toMatchObject({ exit_code: 73, drifted: 1, unchanged: 0 });
    expect(other.writes).toEqual([]);
  });

  test.concurrent("reports every field that differs, exits 73 and writes nothing", async () => {
    const edited = {
      ...AS_DECLARED,
      "infra-events": {
        partitions: 5,
        replicationFactor: 2,
        configs: { "min.insync.replicas": "1" },
      },
    };
    const { result, topics, writes } = await runIn(edited);
    expect(
      linesOf(result, "drift").map(({ level, resource, field, declared, actual }) => [
        ...[level, resource, field, declared, actual],
      ]),
    ).toEqual([
      ["warn", "infra-events", "partitions", "3", "5"],
      ["warn", "infra-events", "replicationFactor", "3", "2"],
      ["warn", "infra-events", "min.insync.replicas", "2", "1"],
    ]);
    expect(linesOf(result, "drifted")).toEqual([
      expect.objectContaining({
        level: "error",
        resource: "infra-events",
        reason: "it differs, and onDrift is fail",
      }),
    ]);
    expect(exitLine(result)).toMatchObject({
      ...{ level: "error", exit_code: 73, drifted: 1, unchanged: 1 },
      reason: "drift from the declaration: infra-events",
    });
    expect(writes).toEqual([]);
    expect(topics).toEqual(edited);
  });

  test.concurrent("creates missing topics even if others differ", async () => {
    const { result, topics } = await runIn({ "infra-events": { ...INFRA_EVENTS, partitions: 9 } });
    expect(exitLine(result)).toMatchObject({ exit_code: 73, created: 1, drifted: 1 });
    expect(Object.keys(topics).sort()).toEqual(["app.logs", "infra-events"]);
  });

  test.concurrent("reports drift but succeeds with onDrift ignore", async () => {
    const edited = { ...AS_DECLARED, "infra-events": { ...INFRA_EVENTS, partitions: 9 } };
    const { result, writes } = await runIn(edited, [], { topics: withPolicy("ignore") });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, ignored: 1, drifted: 0, unchanged: 1 });
    expect(linesOf(result, "drift")).toHaveLength(1);
    expect(linesOf(result, "ignored")[0].reason).toBe("it differs, and onDrift is ignore");
    expect(writes).toEqual([]);
  });

  describe("with onDrift reconcile", () => {
    const few: Record<string, LiveTopic> = {
      "infra-events": {
        partitions: 1,
        replicationFactor: 3,
        configs: { "min.insync.replicas": "1", "retention.ms": "5" },
      },
      "app.logs": { ...APP_LOGS, configs: { ...APP_LOGS.configs, "cleanup.policy": "delete" } },
    };
    const topics = withPolicy("reconcile");

    test.concurrent("adds partitions and sets configs, in one request each", async () => {
      const { result, topics: after, writes } = await runIn(few, [], { topics });
      expect(exitLine(result)).toMatchObject({ exit_code: 0, reconciled: 2, drifted: 0 });
      expect(linesOf(result, "drift")).toHaveLength(3);
      expect(after["infra-events"]).toEqual({
        partitions: 3,
        replicationFactor: 3,
        configs: { "min.insync.replicas": "2", "retention.ms": "5" },
      });
      expect(after["app.logs"].configs["cleanup.policy"]).toBe("compact,delete");
      expect(writes.map((call) => call.split(" ").sort().join(" "))).toEqual([
        "IncrementalAlterConfigs app.logs infra-events",
        "CreatePartitions infra-events",
      ]);
    });

    test.concurrent("never removes a partition or moves a replica", async () => {
      const more = { ...AS_DECLARED, "infra-events": { ...INFRA_EVENTS, partitions: 9 } };
      const { result, topics: after, writes } = await runIn(more, [], { topics });
      expect(exitLine(result)).toMatchObject({
        ...{ exit_code: 73, drifted: 1, reconciled: 0, unchanged: 1 },
      });
      expect(linesOf(result, "drifted")[0].reason).toBe(
        "not reconciled: kafka-init never removes partitions, and moves replicas only if their declaration changed",
      );
      expect(after).toEqual(more);
      expect(writes).toEqual([]);
    });

    // What is remembered is removable with its records once it is not declared any more.
    test.concurrent("does not remember a topic that it cannot make as declared", async () => {
      const theirs = { ...INFRA_EVENTS, configs: { "min.insync.replicas": "1" } };
      const many = await runIn(
        { ...AS_DECLARED, "infra-events": { ...theirs, partitions: 9 } },
        [],
        { topics },
      );
      expect(exitLine(many.result)).toMatchObject({ exit_code: 73, drifted: 1, unchanged: 1 });
      expect(many.topics["infra-events"].configs).toEqual({ "min.insync.replicas": "2" });
      expect(Object.keys(many.memory)).toEqual(["app.logs"]);
      const refused = await runIn(
        { ...AS_DECLARED, "infra-events": theirs },
        [{ on: "IncrementalAlterConfigs", error: "TOPIC_AUTHORIZATION_FAILED" }],
        { topics },
      );
      expect(exitLine(refused.result)).toMatchObject({ exit_code: 77, unchanged: 1 });
      expect(Object.keys(refused.memory)).toEqual(["app.logs"]);
    });

    test.concurrent("reconciles what it can, and fails for the rest", async () => {
      const mixed = {
        ...AS_DECLARED,
        "infra-events": { ...INFRA_EVENTS, partitions: 1, replicationFactor: 2 },
      };
      const { result, topics: after } = await runIn(mixed, [], { topics });
      expect(exitLine(result)).toMatchObject({ exit_code: 73, drifted: 1, reconciled: 0 });
      expect(after["infra-events"]).toMatchObject({ partitions: 3, replicationFactor: 2 });
    });

    test.concurrent("continues if another run has added the partitions first", async () => {
      const { result } = await runIn(
        few,
        [{ on: "CreatePartitions", createFirst: { "infra-events": INFRA_EVENTS } }],
        { topics },
      );
      expect(exitLine(result)).toMatchObject({ exit_code: 0, reconciled: 2 });
    });

    test.concurrent("retries failed writes", async () => {
      const later = "LEADER_NOT_AVAILABLE";
      const { result, topics: after } = await runIn(
        few,
        [
          { on: "IncrementalAlterConfigs", error: later, topic: "app.logs" },
          { on: "CreatePartitions", error: later },
        ],
        { topics },
      );
      expect(exitLine(result)).toMatchObject({ exit_code: 0, reconciled: 2, attempts: 3 });
      expect(linesOf(result, "retry").map(({ what }) => what)).toEqual([
        "setting configs of topics",
        "adding partitions to topics",
      ]);
      expect(after["app.logs"].configs["cleanup.policy"]).toBe("compact,delete");
    });

    test.concurrent("fails with 65 for an unknown config, and reconciles the others", async () => {
      const wrong = { ...topics[0], configs: { "min.insync.replicas": 2, "no.such.config": 1 } };
      const { result, topics: after } = await runIn(few, [], { topics: [wrong, topics[1]] });
      expect(exitLine(result)).toMatchObject({
        ...{ exit_code: 65, reconciled: 1 },
        reason: "Kafka rejects topic infra-events: Unknown topic config name: no.such.config",
      });
      expect(after["app.logs"].configs["cleanup.policy"]).toBe("compact,delete");
    });
  });
});
