import type { Topic } from "../../../../constructs";
import {
  APP_LOGS,
  AS_DECLARED,
  aboutTopics,
  harness,
  INFRA_EVENTS,
  run,
  runIn,
  TOPICS,
} from "../../../support/kafka-init";
import { exitLine, linesOf, RETRY } from "../../../support/sidecar";

describe("kafka-init", () => {
  test.concurrent("creates all missing topics in one request, and waits until a broker has them", async () => {
    const { result, topics, calls } = await runIn({});
    expect(result.log.map(({ event }) => event)).toEqual([
      ...["start", "ready", "created", "created", "exit"],
    ]);
    expect(result.log[0]).toMatchObject({
      sidecar: "kafka-init",
      declared: ["infra-events", "app.logs"],
    });
    expect(linesOf(result, "ready")[0]).toMatchObject({ brokers: 3 });
    expect(exitLine(result)).toMatchObject({
      ...{ level: "info", exit_code: 0, reason: "done", attempts: 1 },
      ...{ created: 2, unchanged: 0, reconciled: 0, drifted: 0, ignored: 0 },
    });
    expect(topics).toEqual({
      "infra-events": INFRA_EVENTS,
      "app.logs": {
        ...APP_LOGS,
        configs: { "min.insync.replicas": "2", "cleanup.policy": "compact,delete" },
      },
    });
    expect(calls[0]).toBe("DescribeCluster");
    expect(aboutTopics(calls)).toEqual([
      "DescribeTopicPartitions app.logs infra-events",
      "CreateTopics infra-events app.logs",
      "DescribeTopicPartitions app.logs infra-events",
    ]);
  });

  test.concurrent("finds existing topics unchanged and writes nothing", async () => {
    const { result, calls, writes } = await runIn(AS_DECLARED);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 0, unchanged: 2 });
    expect(aboutTopics(calls)).toEqual([
      "DescribeTopicPartitions app.logs infra-events",
      "DescribeConfigs app.logs infra-events",
    ]);
    expect(writes).toEqual([]);
  });

  test.concurrent("treats two spellings of a value as equal, after a create and in later runs", async () => {
    const spelled: Topic = {
      ...{ name: "spelled", partitions: 1 },
      configs: {
        "min.cleanable.dirty.ratio": 0.0001,
        "unclean.leader.election.enable": "TRUE",
        "retention.ms": "0060000" as never,
        "cleanup.policy": "delete, compact" as never,
        "flush.messages": "9223372036854775806",
      },
    };
    const cluster = await harness.cluster({});
    const created = await run(cluster, { topics: [spelled] });
    expect(linesOf(created, "drift")).toEqual([]);
    expect(exitLine(created)).toMatchObject({ exit_code: 0, created: 1 });
    const again = await run(cluster, { topics: [spelled] });
    expect(linesOf(again, "drift")).toEqual([]);
    expect(exitLine(again)).toMatchObject({ exit_code: 0, unchanged: 1 });
    const others = { "min.cleanable.dirty.ratio": "1e-5", "flush.messages": "9223372036854775807" };
    const differs = await run(cluster, {
      topics: [{ ...spelled, configs: { ...spelled.configs, ...others } }],
    });
    expect(
      linesOf(differs, "change").map(({ field, declared, actual }) => [field, declared, actual]),
    ).toEqual([
      ["min.cleanable.dirty.ratio", "1e-5", "1.0E-4"],
      ["flush.messages", "9223372036854775807", "9223372036854775806"],
    ]);
    expect(exitLine(differs)).toMatchObject({ exit_code: 0, reconciled: 1 });
  });

  test.concurrent("does nothing if no topics are declared", async () => {
    const { result, writes } = await runIn({}, [], { topics: [] });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 0, unchanged: 0 });
    expect(writes).toEqual([]);
  });

  test.concurrent("retries only topics that were not created", async () => {
    const fault = { on: "CreateTopics", error: "REQUEST_TIMED_OUT", topic: "app.logs" };
    const { result, writes } = await runIn({}, [fault]);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 2, attempts: 2 });
    expect(linesOf(result, "retry")[0].reason).toMatch(/^topic app\.logs: /);
    expect(writes).toEqual(["CreateTopics infra-events app.logs", "CreateTopics app.logs"]);
  });

  test.concurrent("waits until a broker knows the created topics, and polls only missing ones", async () => {
    const lag = { on: "DescribeTopicPartitions", error: "UNKNOWN_TOPIC_OR_PARTITION" };
    // The first is about the look before the create.
    const faults = [lag, lag, { ...lag, topic: "app.logs" }];
    const { result, calls } = await runIn({}, faults);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 2, attempts: 1 });
    expect(aboutTopics(calls).slice(-3)).toEqual([
      "DescribeTopicPartitions app.logs infra-events",
      "DescribeTopicPartitions app.logs infra-events",
      "DescribeTopicPartitions app.logs",
    ]);
  });

  test.concurrent("exits 69 if no broker ever knows the created topics", async () => {
    const lag = { on: "DescribeTopicPartitions", error: "UNKNOWN_TOPIC_OR_PARTITION" };
    // One look before the create, and two attempts of seven looks each.
    const faults = [...Array(14).fill(lag), { ...lag, passSeconds: RETRY.deadlineSeconds }];
    const { result } = await runIn({}, faults);
    expect(linesOf(result, "retry")[0]).toMatchObject({
      what: "verifying the topics",
      reason: "not visible yet: topics infra-events, app.logs",
    });
    expect(exitLine(result)).toMatchObject({
      ...{ exit_code: 69, created: 2 },
      reason: expect.stringMatching(
        /^verifying the topics: timed out after 300s and 2 attempts: not visible yet: /,
      ),
    });
  });

  test.concurrent("reports a topic that was created with another effective config", async () => {
    const topics = [{ ...TOPICS[0], configs: { "min.insync.replicas": 2 } }];
    const theirs = { "infra-events": { ...INFRA_EVENTS, configs: {} } };
    const fault = { on: "CreateTopics", createFirst: theirs };
    const { result } = await runIn({}, [fault], { topics });
    expect(linesOf(result, "drift")).toEqual([
      expect.objectContaining({ field: "min.insync.replicas", declared: "2", actual: '""' }),
    ]);
    expect(exitLine(result)).toMatchObject({ exit_code: 73, created: 0, drifted: 1 });
  });

  test.concurrent("shares a race with another sidecar: every topic is created once", async () => {
    const cluster = await harness.cluster();
    const results = await Promise.all([run(cluster), run(cluster)]);
    expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    const total = (field: string) =>
      results.reduce((sum, result) => sum + exitLine(result)[field], 0);
    expect([total("created"), total("unchanged")]).toEqual([2, 2]);
    expect(Object.keys((await cluster.look()).topics)).toHaveLength(2);
  });

  test.concurrent("does not claim a topic that another run creates between its read and its write", async () => {
    const createFirst = {
      "infra-events": { partitions: 1, replicationFactor: 1, configs: {} },
      "app.logs": APP_LOGS,
    };
    const { result, topics, memory } = await runIn({}, [{ on: "CreateTopics", createFirst }]);
    expect(exitLine(result)).toMatchObject({
      ...{ exit_code: 73, created: 0, unchanged: 1, drifted: 1 },
    });
    expect(linesOf(result, "drifted")[0]).toMatchObject({
      resource: "infra-events",
      reason: "another process created the topic during this run, and it differs",
    });
    expect(topics["infra-events"].partitions).toBe(1);
    // What is remembered is removable with its records once it is not declared any more.
    expect(Object.keys(memory)).toEqual(["app.logs"]);
  });

  test.concurrent("does not remember a topic whose creation Kafka refuses", async () => {
    const { result, topics, memory } = await runIn({}, [
      { on: "CreateTopics", topic: "infra-events", error: "TOPIC_AUTHORIZATION_FAILED" },
    ]);
    expect(exitLine(result)).toMatchObject({ exit_code: 77, created: 1 });
    expect(Object.keys(topics)).toEqual(["app.logs"]);
    expect(Object.keys(memory)).toEqual(["app.logs"]);
  });
});
