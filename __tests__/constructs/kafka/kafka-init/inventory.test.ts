import { type Application, resolveTopic } from "../../../../constructs";
import { renderApplications } from "../../../../constructs/kafka/declared-applications";
import { renderTopics } from "../../../../constructs/kafka/declared-topics";
import type { FakeKafka } from "../../../support/fake-kafka";
import { AS_DECLARED, harness, INFRA_EVENTS, run, TOPICS } from "../../../support/kafka-init";

const ORDERS: Application = {
  name: "orders",
  topics: { "infra-events": "write", "audit-*": "read" },
  consumerGroups: ["orders"],
};
const GRANTED = [
  ...["WRITE", "DESCRIBE"].map((each) => `User:orders ALLOW ${each} TOPIC LITERAL infra-events`),
  ...["READ", "DESCRIBE"].map((each) => `User:orders ALLOW ${each} TOPIC PREFIXED audit-`),
  "User:orders ALLOW READ GROUP LITERAL orders",
  "User:orders ALLOW DESCRIBE GROUP LITERAL groundwork.application",
];
const LIVE = { partitions: 1, replicationFactor: 3, configs: {} };

/** Returns the lines of the report, without the last one, and the cluster afterwards. */
async function report(
  cluster: FakeKafka,
  { topics = TOPICS, applications }: { topics?: typeof TOPICS; applications?: Application[] } = {},
) {
  const rendered = renderTopics(topics.map((topic) => resolveTopic(topic, 3)));
  const { code, output, error } = await cluster.inventory(
    ["report"],
    JSON.stringify({
      topics: JSON.parse(rendered),
      ...(applications && { applications: JSON.parse(renderApplications(applications)) }),
    }),
  );
  expect({ code, error }).toEqual({ code: 0, error: "" });
  const lines = output.split("\n").map((line) => JSON.parse(line));
  expect(lines.pop()).toEqual({ done: true });
  expect((await cluster.look()).writes).toEqual([]);
  return lines;
}

const declared = { isDeclared: true, isApplied: false, exists: true, isInternal: false };
const same = { differences: [], undeclared: [] };
const others = { isDeclared: false, isApplied: false, exists: true, isInternal: false };

describe("the report of a cluster", () => {
  test.concurrent("comes from any broker that serves", async () => {
    const cluster = await harness.cluster(AS_DECLARED);
    const stopped = await harness.cluster();
    await stopped.refuse();
    const down = [`127.0.0.1:${stopped.port}`, "kafka-9.invalid:9092"];
    const { code, output, error } = await cluster.inventory(["report"], '{"topics": []}', down);
    expect({ code, error }).toEqual({ code: 0, error: "" });
    expect(output).toContain('"topic":"infra-events"');
  });

  test.concurrent("has its topics: declared, applied and no longer declared, Kafka's own, and all others", async () => {
    const cluster = await harness.cluster({
      ...AS_DECLARED,
      ...{ former: LIVE, theirs: LIVE, __consumer_offsets: LIVE },
    });
    await cluster.remember("former", '{"partitions": 1, "replicationFactor": 3, "configs": {}}');
    await cluster.remember("gone", '{"partitions": 1, "replicationFactor": 3, "configs": {}}');
    const counts = { partitions: 1, replicationFactor: 3 };
    expect(await report(cluster)).toEqual([
      { topic: "__consumer_offsets", ...others, isInternal: true, ...counts },
      { topic: "__groundwork_applied", ...others, isInternal: true, ...counts },
      { topic: "app.logs", ...declared, partitions: 6, replicationFactor: 3, ...same },
      { topic: "former", ...others, isApplied: true, ...counts },
      { topic: "infra-events", ...declared, partitions: 3, replicationFactor: 3, ...same },
      { topic: "theirs", ...others, ...counts },
    ]);
  });

  test.concurrent("has the differences of declared topics as kafka-init compares them", async () => {
    const cluster = await harness.cluster({
      "infra-events": {
        partitions: 2,
        replicationFactor: 2,
        configs: { "min.insync.replicas": "2", "segment.ms": "7", "flush.ms": "060000" },
      },
    });
    const [{ name, ...topic }, ...more] = TOPICS;
    const topics = [
      { ...topic, name, configs: { "retention.ms": 5, "flush.ms": "+60000" } },
      ...more,
    ];
    expect(await report(cluster, { topics })).toEqual([
      { topic: "app.logs", isDeclared: true, isApplied: false, exists: false },
      {
        ...{ topic: "infra-events", ...declared, partitions: 2, replicationFactor: 2 },
        differences: [
          { field: "partitions", declared: "3", actual: "2", drifted: true },
          { field: "replicationFactor", declared: "3", actual: "2", drifted: true },
          { field: "retention.ms", declared: "5", actual: "604800000", drifted: true },
        ],
        undeclared: [{ field: "segment.ms", actual: "7" }],
      },
    ]);
  });

  test.concurrent("has its users, their ACLs and quotas, and what they should have", async () => {
    const cluster = await harness.cluster(AS_DECLARED);
    await cluster.addUser("orders");
    await cluster.addUser("theirs");
    await cluster.addAcls(
      ...GRANTED.filter((acl) => !acl.includes("audit-")),
      "User:orders ALLOW ALTER TOPIC LITERAL bills",
      "User:former ALLOW DESCRIBE GROUP LITERAL groundwork.application",
      "Group:staff ALLOW READ TOPIC PREFIXED audit-",
    );
    await cluster.setQuota("user=orders", "consumer_byte_rate", 5);
    await cluster.setQuota("user=orders", "producer_byte_rate", 7.5);
    // Not an application's to declare.
    await cluster.setQuota("user=orders", "controller_mutation_rate", 9);
    await cluster.setQuota("user=", "request_percentage", 50);
    const limited = { ...ORDERS, quotas: { produceBytesPerSecond: 5_000_000_000 } };
    const applications = [limited, { name: "bills" }];
    const users = (await report(cluster, { applications })).filter(({ user }) => user);
    const mark = "Describe on group groundwork.application";
    expect(users).toEqual([
      {
        ...{ user: "Group:staff", isDeclared: false, isMarked: false, hasPassword: false },
        acls: ["Read on topic audit-*"],
      },
      {
        ...{ user: "bills", isDeclared: true, isMarked: false, hasPassword: false, acls: [] },
        ...{ needsPassword: true, missing: [mark], surplus: [], quotas: [] },
      },
      { user: "former", isDeclared: false, isMarked: true, hasPassword: false, acls: [mark] },
      {
        ...{ user: "orders", isDeclared: true, isMarked: true, hasPassword: true },
        acls: [
          ...["Alter on topic bills", mark, "Describe on topic infra-events"],
          ...["Read on group orders", "Write on topic infra-events"],
        ],
        needsPassword: true,
        missing: ["Describe on topic audit-*", "Read on topic audit-*"],
        surplus: ["Alter on topic bills"],
        quotas: [
          { field: "consumer_byte_rate", declared: "unset", actual: "5" },
          { field: "producer_byte_rate", declared: "5000000000", actual: "7.5" },
        ],
      },
      { user: "theirs", isDeclared: false, isMarked: false, hasPassword: true, acls: [] },
    ]);
  });

  test.concurrent("is not complete if Kafka does not answer, and ends with Kafka's words", async () => {
    const cluster = await harness.cluster(AS_DECLARED, {
      on: "DescribeUserScramCredentials",
      error: "CLUSTER_AUTHORIZATION_FAILED",
    });
    const { code, output, error } = await cluster.inventory(
      ["report"],
      '{"topics": [], "applications": {"applications": [], "monitors": []}}',
    );
    expect({ code, error }).toEqual({ code: 1, error: "Cluster authorization failed." });
    expect(output).not.toContain("done");
  });
});

describe("removing topics", () => {
  test.concurrent("deletes them and forgets that they were applied", async () => {
    const cluster = await harness.cluster({ former: LIVE, theirs: LIVE });
    await cluster.remember("former", '{"partitions": 1, "replicationFactor": 3, "configs": {}}');
    expect(await cluster.inventory(["remove", "former"])).toEqual({
      ...{ code: 0, output: "", error: "" },
    });
    const { topics, memory } = await cluster.look();
    expect(topics).toEqual({ theirs: LIVE });
    expect(memory).toEqual({});
  });

  test.concurrent("again forgets those that an interrupted run deleted", async () => {
    const cluster = await harness.cluster();
    await cluster.remember("former", '{"partitions": 1, "replicationFactor": 3, "configs": {}}');
    expect(await cluster.inventory(["remove", "former"])).toMatchObject({ code: 0 });
    expect((await cluster.look()).memory).toEqual({});
  });

  test.concurrent("fails with Kafka's words, and forgets nothing", async () => {
    const cluster = await harness.cluster(
      { former: LIVE },
      { on: "DeleteTopics", error: "TOPIC_DELETION_DISABLED" },
    );
    await cluster.remember("former", '{"partitions": 1, "replicationFactor": 3, "configs": {}}');
    expect(await cluster.inventory(["remove", "former"])).toMatchObject({
      ...{ code: 1, error: "Topic deletion is disabled." },
    });
    expect(Object.keys((await cluster.look()).memory)).toEqual(["former"]);
  });
});

test("kafka-init forgets topics that are not declared and do not exist", async () => {
  const cluster = await harness.cluster({ ...AS_DECLARED, former: LIVE });
  for (const name of ["former", "gone"]) {
    await cluster.remember(name, '{"partitions": 1, "replicationFactor": 3, "configs": {}}');
  }
  const topics = TOPICS.filter(({ name }) => name === "infra-events");
  expect((await run(cluster, { topics })).exitCode).toBe(0);
  expect((await cluster.look()).memory).toEqual({
    former: LIVE,
    "infra-events": INFRA_EVENTS,
  });
});
