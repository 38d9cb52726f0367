import type { LiveTopic } from "../../../support/fake-kafka";
import { INFRA_EVENTS, runIn, TOPICS, withPolicy } from "../../../support/kafka-init";
import { exitLine, linesOf } from "../../../support/sidecar";

describe("kafka-init", () => {
  describe("without a permission", () => {
    const denied = "TOPIC_AUTHORIZATION_FAILED";
    const few = { "infra-events": { ...INFRA_EVENTS, partitions: 1, configs: {} } };

    test.concurrent.each<[string, string, Record<string, LiveTopic>]>([
      ["Describe", "DescribeTopicPartitions", {}],
      ["DescribeConfigs", "DescribeConfigs", few],
      ["Create", "CreateTopics", {}],
      ["AlterConfigs", "IncrementalAlterConfigs", few],
      ["Alter", "CreatePartitions", few],
    ])("fails immediately with 77 and names %s", async (permission, on, topics) => {
      const fault = { on, error: denied, topic: "infra-events" };
      const { result } = await runIn(topics, [fault], { topics: withPolicy("reconcile") });
      expect(exitLine(result)).toMatchObject({
        exit_code: 77,
        reason: `not authorized: the sidecar needs ${permission} on topic infra-events`,
      });
      expect(linesOf(result, "retry")).toEqual([]);
    });

    test.concurrent("names the first few of many topics", async () => {
      const topics = Array.from({ length: 9 }, (_, i) => ({ name: `many-${i}`, partitions: 1 }));
      const { result } = await runIn({}, [{ on: "CreateTopics", error: denied }], { topics });
      expect(exitLine(result).reason).toBe(
        "not authorized: the sidecar needs Create on topics many-0, many-1, many-2, many-3, many-4 and 4 more",
      );
    });

    test.concurrent("describes configs itself if the answer to a create hides them", async () => {
      const fault = { on: "CreateTopics", hideConfigs: true };
      const { result, calls } = await runIn({}, [fault]);
      expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 2, unchanged: 0 });
      expect(calls.at(-1)).toBe("DescribeConfigs app.logs infra-events");
    });

    test.concurrent("of any kind fails immediately with 77", async () => {
      const fault = { on: "DescribeCluster", error: "SASL_AUTHENTICATION_FAILED" };
      const { result, calls } = await runIn({}, [fault]);
      expect(exitLine(result)).toMatchObject({
        exit_code: 77,
        reason: "not authenticated: SASL Authentication failed.",
      });
      expect(calls).toEqual(["DescribeCluster"]);
    });
  });

  test.concurrent("fails with 65 if Kafka rejects topics, names each, and creates the others", async () => {
    const configs = { "remote.storage.enable": true };
    const wrong = ["wrong", "wrong-too"].map((name) => ({ name, partitions: 1, configs }));
    const fault = { on: "CreateTopics", error: "POLICY_VIOLATION", topic: "app.logs" };
    const { result, topics } = await runIn({}, [{ ...fault, message: "too many" }], {
      topics: [...TOPICS, ...wrong],
    });
    expect(exitLine(result)).toMatchObject({
      ...{ exit_code: 65, created: 1 },
      reason:
        "Kafka rejects topic app.logs: too many; Kafka rejects topics wrong, wrong-too: Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.",
    });
    expect(linesOf(result, "retry")).toEqual([]);
    expect(Object.keys(topics)).toEqual(["infra-events"]);
  });

  test.concurrent.each<[string, string, string]>([
    ["KAFKA_BROKERS", "three", 'KAFKA_BROKERS is "three": it must be a whole number'],
    ["KAFKA_BOOTSTRAP_SERVERS", "", "KAFKA_BOOTSTRAP_SERVERS is not set"],
    [
      "KAFKA_BOOTSTRAP_SERVERS",
      "kafka-1",
      'KAFKA_BOOTSTRAP_SERVERS contains "kafka-1": servers must be host:port, separated by commas',
    ],
    [
      "TOPICS_FILE",
      "/nowhere",
      'cannot read TOPICS_FILE "/nowhere": java.nio.file.NoSuchFileException: /nowhere',
    ],
  ])("exits 78 when %s is %j", async (variable, value, reason) => {
    const { result } = await runIn({}, [], { env: () => ({ [variable]: value }) });
    expect(exitLine(result)).toMatchObject({ exit_code: 78, reason });
  });

  test.concurrent.each<[string, string, RegExp]>([
    ["is not JSON", "infra-events 3 3 fail", /Unrecognized token 'infra'/],
    ["ends too early", '[{"name": "infra-events"', /Unexpected end-of-input/],
    ["lacks a field", '[{"name": "infra-events", "configs": {}}]', /NullPointerException/],
  ])("exits 78 if the topics file %s", async (_, content, reason) => {
    const { result } = await runIn({}, [], { files: [{ path: "topics.json", content }] });
    expect(exitLine(result)).toMatchObject({
      exit_code: 78,
      reason: expect.stringMatching(/^cannot read TOPICS_FILE "\S+": /),
    });
    expect(exitLine(result).reason).toMatch(reason);
  });
});
