import { resolveTopic, type Topic } from "../../constructs";
import { renderTopics } from "../../constructs/kafka/kafka-init";
import { COMPLAINTS, FakeKafka, type KafkaFault, type LiveTopic } from "../support/fake-kafka";
import {
  exitLine,
  expectBackoff,
  INSTALLED_SHELLS,
  linesOf,
  type SidecarOptions,
  startSidecar,
  workerOf,
} from "../support/sidecar";

const TOPICS: Topic[] = [
  { name: "infra-events", partitions: 3, configs: { "min.insync.replicas": 2 } },
  { name: "app.logs", partitions: 6, configs: { "cleanup.policy": "compact,delete" } },
];
const INFRA_EVENTS: LiveTopic = {
  partitions: 3,
  replicationFactor: 3,
  configs: { "min.insync.replicas": "2" },
};
const APP_LOGS: LiveTopic = {
  partitions: 6,
  replicationFactor: 3,
  configs: { "min.insync.replicas": "2", "cleanup.policy": "delete,compact" },
};
const AS_DECLARED = { "infra-events": INFRA_EVENTS, "app.logs": APP_LOGS };

const clusters: FakeKafka[] = [];
afterAll(() =>
  clusters.forEach((cluster) => {
    cluster.remove();
  }),
);

function fake(topics: Record<string, LiveTopic> = {}, ...faults: KafkaFault[]): FakeKafka {
  const cluster = new FakeKafka(topics);
  clusters.push(cluster);
  cluster.inject(...faults);
  return cluster;
}

function start(
  cluster: FakeKafka,
  { topics = TOPICS, ...options }: Partial<SidecarOptions> & { topics?: Topic[] } = {},
) {
  const resolved = topics.map((topic) => resolveTopic(topic, 3));
  return startSidecar({
    script: "kafka/kafka-init.sh",
    beside: ["kafka/topic-plan.awk"],
    files: [{ path: "topics", content: renderTopics(resolved) }],
    declared: topics.map(({ name }) => name).join(" "),
    env: (directory) => ({
      KAFKA_BIN: cluster.bin,
      KAFKA_BOOTSTRAP_SERVERS: "kafka-1.infra_net:19092",
      KAFKA_BROKERS: "3",
      TOPICS_FILE: `${directory}/topics`,
    }),
    ...options,
  });
}

const run = (...args: Parameters<typeof start>) => start(...args).done;

/** The declared topics with one policy for all. */
const withPolicy = (onDrift: Topic["onDrift"]) => TOPICS.map((topic) => ({ ...topic, onDrift }));

describe.each(INSTALLED_SHELLS)("kafka-init in %s", (_, shell) => {
  // Once, and first in a block whose tests run side by side, since it takes longest.
  if (shell === INSTALLED_SHELLS[0][1]) {
    test.concurrent("goes on when its target appears after 20 s", async () => {
      const cluster = fake();
      cluster.setBrokers(0);
      setTimeout(() => cluster.setBrokers(3), 20_000);
      const retry = { initialMs: 250, maxMs: 2000, deadlineSeconds: 40 };
      const result = await run(cluster, { shell, retry });
      expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 2 });
      expect(result.durationMs).toBeGreaterThan(20_000);
      expectBackoff(result, 6, retry);
    }, 60_000);
  }

  test.concurrent("creates absent topics with their guarantees and describes them again", async () => {
    const cluster = fake();
    const result = await run(cluster, { shell });
    expect(result.log.map(({ event }) => event)).toEqual([
      "start",
      "ready",
      "created",
      "created",
      "exit",
    ]);
    expect(result.log[0]).toMatchObject({
      sidecar: "kafka-init",
      declared: ["infra-events", "app.logs"],
    });
    expect(exitLine(result)).toMatchObject({
      level: "info",
      exit_code: 0,
      reason: "done",
      attempts: 1,
      created: 2,
      unchanged: 0,
      drifted: 0,
    });
    expect(cluster.topics).toEqual({
      "infra-events": INFRA_EVENTS,
      "app.logs": {
        ...APP_LOGS,
        configs: { "min.insync.replicas": "2", "cleanup.policy": "compact,delete" },
      },
    });
    expect(cluster.calls.map((call) => call.split(" ").slice(0, 2).join(" "))).toEqual([
      "kafka-topics --describe",
      "kafka-cluster list-endpoints",
      "kafka-topics --create",
      "kafka-topics --create",
      "kafka-topics --describe",
    ]);
  });

  test.concurrent("makes a class archive with one call of its own before it creates many", async () => {
    const topics = Array.from({ length: 9 }, (_, i) => ({ name: `many-${i}`, partitions: 1 }));
    const cluster = fake();
    expect(exitLine(await run(cluster, { shell, topics }))).toMatchObject({
      exit_code: 0,
      created: 9,
    });
    const steps = cluster.calls.map((call) => call.split(" ")[1]);
    expect(steps.slice(0, 3)).toEqual(["--describe", "list-endpoints", "--list"]);
    expect(steps.filter((step) => step === "--list")).toHaveLength(1);
    expect(steps.slice(3)).toEqual([...Array(9).fill("--create"), "--describe"]);
  });

  test.concurrent("finds existing topics unchanged with one describe and writes nothing", async () => {
    const cluster = fake(AS_DECLARED);
    const result = await run(cluster, { shell });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 0, unchanged: 2 });
    expect(cluster.calls).toHaveLength(1);
    expect(cluster.writes).toEqual([]);
  });

  test.concurrent("leaves what is not declared alone: other topics, other configs", async () => {
    const before = {
      ...AS_DECLARED,
      "infra-events": {
        ...INFRA_EVENTS,
        configs: { ...INFRA_EVENTS.configs, "retention.ms": "60000" },
      },
      someone_elses: { partitions: 1, replicationFactor: 1, configs: {} },
    };
    const cluster = fake(before);
    expect(exitLine(await run(cluster, { shell }))).toMatchObject({ exit_code: 0, unchanged: 2 });
    expect(cluster.topics).toEqual(before);
  });

  test.concurrent("asks for the effective value of a config that the topic leaves to the broker", async () => {
    const topics = [
      { ...TOPICS[0], configs: { "min.insync.replicas": 2, "retention.ms": 604800000 } },
    ];
    const cluster = fake(AS_DECLARED);
    expect(exitLine(await run(cluster, { shell, topics }))).toMatchObject({
      exit_code: 0,
      unchanged: 1,
    });
    const other = [{ ...TOPICS[0], configs: { "min.insync.replicas": 2, "retention.ms": 1000 } }];
    const result = await run(cluster, { shell, topics: other });
    expect(linesOf(result, "drift")).toEqual([
      expect.objectContaining({
        resource: "infra-events",
        field: "retention.ms",
        declared: "1000",
        actual: "604800000",
      }),
    ]);
    expect(exitLine(result)).toMatchObject({ exit_code: 73, drifted: 1, unchanged: 0 });
    expect(cluster.writes).toEqual([]);
  });

  test.concurrent("reports every field that differs, exits 73 and writes nothing", async () => {
    const edited = {
      ...AS_DECLARED,
      "infra-events": {
        partitions: 5,
        replicationFactor: 2,
        configs: { "min.insync.replicas": "1" },
      },
      // Its name matches "app.logs" as a regular expression.
      "app-logs": { partitions: 1, replicationFactor: 1, configs: {} },
    };
    const cluster = fake(edited);
    const result = await run(cluster, { shell });
    expect(
      linesOf(result, "drift").map(({ resource, field, declared, actual }) => [
        resource,
        field,
        declared,
        actual,
      ]),
    ).toEqual([
      ["infra-events", "partitions", "3", "5"],
      ["infra-events", "replicationFactor", "3", "2"],
      ["infra-events", "min.insync.replicas", "2", "1"],
    ]);
    expect(exitLine(result)).toMatchObject({
      level: "error",
      exit_code: 73,
      reason: "differs from its declaration: infra-events",
      drifted: 1,
      unchanged: 1,
    });
    expect(cluster.writes).toEqual([]);
    expect(cluster.topics).toEqual(edited);
  });

  test.concurrent("creates what is absent although something else differs", async () => {
    const cluster = fake({ "infra-events": { ...INFRA_EVENTS, partitions: 9 } });
    const result = await run(cluster, { shell });
    expect(exitLine(result)).toMatchObject({ exit_code: 73, created: 1, drifted: 1 });
    expect(Object.keys(cluster.topics).sort()).toEqual(["app.logs", "infra-events"]);
  });

  test.concurrent("ignores drift when told to, but reports it", async () => {
    const cluster = fake({ ...AS_DECLARED, "infra-events": { ...INFRA_EVENTS, partitions: 9 } });
    const result = await run(cluster, { shell, topics: withPolicy("ignore") });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, ignored: 1, drifted: 0, unchanged: 1 });
    expect(linesOf(result, "drift")).toHaveLength(1);
    expect(cluster.writes).toEqual([]);
  });

  test.concurrent("reconciles by adding: partitions and configs", async () => {
    const cluster = fake({
      "infra-events": {
        partitions: 1,
        replicationFactor: 3,
        configs: { "min.insync.replicas": "1", "retention.ms": "5" },
      },
      "app.logs": { ...APP_LOGS, configs: { ...APP_LOGS.configs, "cleanup.policy": "delete" } },
    });
    const result = await run(cluster, { shell, topics: withPolicy("reconcile") });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, reconciled: 2, drifted: 0 });
    expect(cluster.topics["infra-events"]).toEqual({
      partitions: 3,
      replicationFactor: 3,
      configs: { "min.insync.replicas": "2", "retention.ms": "5" },
    });
    expect(cluster.topics["app.logs"].configs["cleanup.policy"]).toBe("compact,delete");
  });

  test.concurrent("never removes a partition or moves a replica, reconcile or not", async () => {
    const cluster = fake({ ...AS_DECLARED, "infra-events": { ...INFRA_EVENTS, partitions: 9 } });
    const result = await run(cluster, { shell, topics: withPolicy("reconcile") });
    expect(exitLine(result)).toMatchObject({
      exit_code: 73,
      drifted: 1,
      reconciled: 0,
      unchanged: 1,
    });
    expect(linesOf(result, "drifted")[0].reason).toBe(
      "not repaired: partitions are never removed, nor replicas moved",
    );
    expect(cluster.topics["infra-events"].partitions).toBe(9);
    expect(cluster.writes).toEqual([]);
  });

  test.concurrent.each<[string, Partial<KafkaFault>, RegExp]>([
    ["refuses connections", { output: COMPLAINTS.refused }, /could not be established|Timed out/],
    ["drops connections", { output: COMPLAINTS.reset }, /disconnected/],
    ["is not in the DNS yet", { output: COMPLAINTS.unresolvable }, /No resolvable bootstrap urls/],
    ["moves its controller", { output: COMPLAINTS.notController }, /not the correct controller/],
    ["cuts an answer off", { output: "Topic: infra-ev", exitCode: 1 }, /Topic: infra-ev/],
  ])("gets through when the cluster %s at every step", async (_name, fault, reason) => {
    const steps = [
      "list-endpoints",
      "--describe",
      "--create.*infra-events",
      "--create.*app.logs",
      "--describe",
    ];
    const cluster = fake({}, ...steps.map((on) => ({ on, ...fault })));
    const result = await run(cluster, { shell });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 2 });
    const reasons = linesOf(result, "retry").map((line) => line.reason);
    expect(reasons).toHaveLength(steps.length);
    expect(reasons.filter((text) => !reason.test(text))).toEqual([]);
    expect(Object.keys(cluster.topics)).toHaveLength(2);
  });

  test.concurrent("tries again when a broker is gone between the quorum and the create", async () => {
    const cluster = fake({}, { on: "--create", output: COMPLAINTS.tooFewBrokers });
    const result = await run(cluster, { shell });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 2, attempts: 2 });
  });

  test.concurrent("backs off further with every attempt, up to the cap", async () => {
    const faults = Array.from({ length: 6 }, () => ({
      on: "list-endpoints",
      output: COMPLAINTS.refused,
    }));
    const result = await run(fake({}, ...faults), { shell });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, attempts: 7 });
    expectBackoff(result, 6);
  });

  test.concurrent("gives up on a cluster that is slower than the deadline", async () => {
    const cluster = fake({}, { on: "list-endpoints", sleepMs: 20_000 });
    const result = await run(cluster, { shell, retry: { deadlineSeconds: 1 } });
    expect(exitLine(result)).toMatchObject({
      exit_code: 69,
      reason: expect.stringContaining("kafka-cluster: no answer within 1s"),
    });
    expect(result.durationMs).toBeLessThan(15_000);
    expect(cluster.writes).toEqual([]);
  });

  test.concurrent("fails at once with 77 when it is not authorised", async () => {
    const cluster = fake({}, { on: "--describe", output: COMPLAINTS.unauthorized });
    const result = await run(cluster, { shell });
    expect(exitLine(result)).toMatchObject({
      exit_code: 77,
      reason: expect.stringContaining("Authentication failed"),
    });
    expect(linesOf(result, "retry")).toEqual([]);
    expect(cluster.calls).toHaveLength(1);
  });

  test.concurrent("fails with 65 when the cluster rejects a topic, and creates the others", async () => {
    const topics = [...TOPICS, { name: "wrong", partitions: 1, configs: { "no.such.config": 1 } }];
    const cluster = fake();
    const result = await run(cluster, { shell, topics });
    expect(exitLine(result)).toMatchObject({
      exit_code: 65,
      reason: expect.stringContaining("Unknown topic config name: no.such.config"),
    });
    expect(linesOf(result, "retry")).toEqual([]);
    expect(Object.keys(cluster.topics).sort()).toEqual(["app.logs", "infra-events"]);
  });

  test.concurrent("provisions nothing with half a quorum and names what is missing", async () => {
    const cluster = fake();
    cluster.setBrokers(2);
    const result = await run(cluster, { shell, retry: { deadlineSeconds: 5 } });
    expect(exitLine(result)).toMatchObject({
      exit_code: 69,
      reason: expect.stringContaining("2 of 3 brokers are registered and unfenced"),
    });
    expect(cluster.writes).toEqual([]);
  });

  test.concurrent("waits for the quorum too when topics are there, and looks at them again after it", async () => {
    const cluster = fake(AS_DECLARED);
    cluster.setBrokers(2);
    setTimeout(() => cluster.setBrokers(3), 1500);
    const result = await run(cluster, { shell });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, unchanged: 2 });
    expect(linesOf(result, "retry").at(-1)?.reason).toBe(
      "2 of 3 brokers are registered and unfenced",
    );
    const steps = cluster.calls.map((call) => call.split(" ")[1]);
    expect(steps[0]).toBe("--describe");
    expect(steps.at(-2)).toBe("list-endpoints");
    expect(steps.at(-1)).toBe("--describe");
  });

  test.concurrent("exits 69 at the deadline when the target never appears", async () => {
    const faults = Array.from({ length: 60 }, () => ({ on: "", output: COMPLAINTS.refused }));
    const cluster = fake({}, ...faults);
    const result = await run(cluster, { shell, retry: { deadlineSeconds: 3 } });
    expect(exitLine(result)).toMatchObject({
      exit_code: 69,
      reason: expect.stringContaining("not ready within 3s"),
    });
    expect(result.durationMs).toBeGreaterThan(3000);
    expect(cluster.writes).toEqual([]);
  });

  test.concurrent("writes its last line when it is terminated in a wait", async () => {
    const cluster = fake({}, { on: "list-endpoints", output: COMPLAINTS.refused });
    const sidecar = start(cluster, {
      shell,
      jitter: "none",
      retry: { initialMs: 5000, maxMs: 5000, deadlineSeconds: 30 },
    });
    await sidecar.seen("retry");
    const sent = Date.now();
    sidecar.process.kill("SIGTERM");
    const result = await sidecar.done;
    expect(exitLine(result)).toMatchObject({ exit_code: 143, reason: "terminated" });
    expect(Date.now() - sent).toBeLessThan(4000);
    expect(cluster.calls).toHaveLength(2);
  });

  test.concurrent("writes its last line when its work is killed", async () => {
    const cluster = fake({}, { on: "list-endpoints", output: COMPLAINTS.refused });
    const sidecar = start(cluster, {
      shell,
      jitter: "none",
      retry: { initialMs: 5000, maxMs: 5000, deadlineSeconds: 30 },
    });
    await sidecar.seen("retry");
    process.kill(workerOf(sidecar), "SIGKILL");
    expect(exitLine(await sidecar.done)).toMatchObject({
      exit_code: 137,
      reason: "killed by signal 9",
    });
  });

  test.concurrent("exits 137 when the kernel kills a tool of the CLI", async () => {
    const cluster = fake({}, { on: "--describe", signal: "SIGKILL" });
    const result = await run(cluster, { shell });
    expect(exitLine(result)).toMatchObject({
      exit_code: 137,
      reason: "kafka-topics was killed by signal 9",
    });
    expect(cluster.writes).toEqual([]);
  });

  test.concurrent("exits 78 when the CLI is not there", async () => {
    const cluster = fake();
    cluster.remove();
    const result = await run(cluster, { shell });
    expect(exitLine(result)).toMatchObject({
      exit_code: 78,
      reason: expect.stringMatching(/not found|No such file/),
    });
  });

  test.concurrent("shares a race with another sidecar: every topic is created once", async () => {
    const cluster = fake();
    const results = await Promise.all([run(cluster, { shell }), run(cluster, { shell })]);
    expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    const total = (field: string) =>
      results.reduce((sum, result) => sum + exitLine(result)[field], 0);
    expect([total("created"), total("unchanged")]).toEqual([2, 2]);
    expect(Object.keys(cluster.topics)).toHaveLength(2);
  });

  test.concurrent("takes a topic that appears between its look and its write for the other's", async () => {
    const theirs = { name: "infra-events", partitions: 1, replicationFactor: 1, configs: {} };
    const cluster = fake({}, { on: "--create.*infra-events", createFirst: theirs });
    const result = await run(cluster, { shell });
    expect(exitLine(result)).toMatchObject({ exit_code: 73, created: 1, drifted: 1 });
    expect(cluster.topics["infra-events"].partitions).toBe(1);
  });
});
