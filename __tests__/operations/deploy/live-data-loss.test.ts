import { RetentionPolicy, type Topic } from "../../../constructs";
import { laptop } from "../../../environments/laptop";
import { LIVE_DATA_LOSS } from "../../../operations/deploy/live-data-loss";
import { KafkaInventory } from "../../../operations/platform/kafka-inventory";
import type { Platform } from "../../../operations/platform/platform";
import { declaredCatalog } from "../../../operations/synthesis/environment";
import { FakeIndexManagement } from "../../support/fake-index-management";
import type { FakeKafka } from "../../support/fake-kafka";
import { FakeOpenSearch, resourcesAt } from "../../support/fake-opensearch";
import { harness, run } from "../../support/kafka-init";
import { runOsInit } from "../../support/os-init";

jest.mock("../../../operations/synthesis/environment", () => ({ declaredCatalog: jest.fn() }));

const declare = (declared: object) =>
  jest.mocked(declaredCatalog).mockReturnValue(declared as never);

describe("records of topics", () => {
  const HOUR = 3_600_000;
  const orders = (configs: Topic["configs"], more: Partial<Topic> = {}): Topic => ({
    ...{ name: "orders", partitions: 3, configs },
    ...more,
  });

  /** A platform whose broker runs the program that compares topics, against this cluster. */
  const platformOf = (cluster: FakeKafka) =>
    ({
      environment: laptop,
      kafka: {
        inventory: new KafkaInventory({
          ...{ brokers: ["kafka-1"], serves: async () => true, secured: false },
          async run(_, command, input) {
            const declaration = input.subarray(Number(command[5])).toString();
            const { code, output, error } = await cluster.inventory(["report"], declaration);
            return { exitCode: code, output: output || error };
          },
        }),
      },
    }) as unknown as Platform;

  async function lossOf(cluster: FakeKafka, topic: Topic, names = [topic.name]) {
    declare({ topics: [topic] });
    return LIVE_DATA_LOSS.kafka(platformOf(cluster), names);
  }

  async function clusterWith(topic: Topic) {
    const cluster = await harness.cluster();
    expect((await run(cluster, { topics: [topic] })).exitCode).toBe(0);
    return cluster;
  }

  test("are those that a topic of the cluster loses with its declaration, in the words of a changed declaration", async () => {
    const cluster = await clusterWith(orders({ "retention.ms": 24 * HOUR }));
    expect(await lossOf(cluster, orders({ "retention.ms": HOUR }))).toEqual([
      "topic orders: retention.ms 86400000 -> 3600000: Kafka deletes records older than 3600000 ms",
    ]);
    expect(await lossOf(cluster, orders({ "cleanup.policy": "compact" }))).toEqual([
      "topic orders: cleanup.policy delete -> compact: Kafka deletes all but the last record of every key",
    ]);
    expect(await lossOf(cluster, orders({ "retention.ms": 48 * HOUR }))).toEqual([]);
    expect(await lossOf(cluster, orders({ "retention.ms": HOUR }), ["payments"])).toEqual([]);
  });

  test("are lost by a config that was applied and is not declared any more, and not by one that somebody else set", async () => {
    const cluster = await clusterWith(orders({ "retention.ms": 9_000 * HOUR }));
    const { topics } = await cluster.look();
    const configs = { ...topics.orders.configs, "retention.bytes": "5" };
    await cluster.setTopic("orders", { ...topics.orders, configs });
    expect(await lossOf(cluster, orders({}))).toEqual([
      "topic orders: retention.ms 32400000000 -> unset (604800000): Kafka deletes records older than 604800000 ms",
    ]);
  });

  test("are not lost by a topic that somebody edited, which kafka-init reports and leaves as it is", async () => {
    const cluster = await clusterWith(orders({ "retention.ms": 24 * HOUR }));
    const { topics } = await cluster.look();
    const configs = { ...topics.orders.configs, "retention.ms": String(48 * HOUR) };
    await cluster.setTopic("orders", { ...topics.orders, configs });
    const shorter = { "retention.ms": HOUR };
    expect(await lossOf(cluster, orders(shorter))).toEqual([]);
    expect(await lossOf(cluster, orders(shorter, { onDrift: "reconcile" }))).toHaveLength(1);
  });

  test("are not lost by a topic that does not exist, or that kafka-init never applied and leaves as it is", async () => {
    const live = { partitions: 3, replicationFactor: 3, configs: {} };
    const cluster = await harness.cluster({ orders: live });
    const shorter = { "retention.ms": HOUR };
    expect(await lossOf(cluster, orders(shorter, { name: "payments" }))).toEqual([]);
    expect(await lossOf(cluster, orders(shorter))).toEqual([]);
    expect(await lossOf(cluster, orders(shorter, { onDrift: "reconcile" }))).toHaveLength(1);
  });
});

describe("indices", () => {
  let server: FakeOpenSearch;
  afterEach(() => server.stop());

  const logs = (days: number, props = {}) =>
    RetentionPolicy.fromRetention({ "logs-*": { delete: { days } } }, props);

  test("are those that a policy of os-init in the cluster keeps longer, unless somebody edited it", async () => {
    server = new FakeOpenSearch();
    const ism = new FakeIndexManagement();
    server.indexManagement = ism;
    const address = await server.start();
    const asked: string[] = [];
    const platform = {
      environment: laptop,
      nodes: () => ["opensearch-1", "opensearch-2"],
      clusters: { opensearch: { serves: async (node: string) => node === "opensearch-2" } },
      openSearch: {
        resourcesFrom(node: string) {
          asked.push(node);
          return resourcesAt(address);
        },
      },
    } as unknown as Platform;
    const lossOf = (days: number, names = ["logs"], props = {}) => {
      declare({ retentionPolicies: logs(days, props) });
      return LIVE_DATA_LOSS.opensearch(platform, names);
    };
    expect(await lossOf(10)).toEqual([]);
    expect(asked).toEqual(["opensearch-2"]);
    const applied = await runOsInit(address, { "retention/logs": { policy: logs(30)[0].body } });
    expect(applied.exitCode).toBe(0);
    expect(await lossOf(10)).toEqual([
      "retention policy logs: OpenSearch deletes an index 10d after its creation, formerly 30d after its creation",
    ]);
    expect(await lossOf(30)).toEqual([]);
    expect(await lossOf(10, ["others"])).toEqual([]);
    const edited = JSON.parse(JSON.stringify(ism.policies.get("logs")?.policy));
    edited.states[0].transitions[0].conditions.min_index_age = "40d";
    ism.put("logs", edited);
    expect(await lossOf(10)).toEqual([]);
    expect(await lossOf(10, ["logs"], { onDrift: "reconcile" })).toHaveLength(1);
    ism.put("logs", { ...logs(30)[0].body, description: "Logs" });
    expect(await lossOf(10)).toEqual([]);
  });
});
