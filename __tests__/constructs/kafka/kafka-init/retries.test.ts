import type { KafkaFault } from "../../../support/fake-kafka";
import { AS_DECLARED, aboutTopics, harness, runIn, start } from "../../../support/kafka-init";
import { exitLine, expectBackoff, linesOf, RETRY } from "../../../support/sidecar";

describe("kafka-init", () => {
  test.concurrent.each<[string, Omit<KafkaFault, "on">, RegExp]>([
    ["refuses connections", { refuseMs: 200 }, /Connection refused|[Nn]ode|disconnect|Timed out/],
    ["drops connections", { disconnect: true }, /disconnect/],
    ["cuts an answer off", { cut: true }, /disconnect/],
    ["fails temporarily", { error: "UNKNOWN_SERVER_ERROR" }, /unexpected error/],
  ])("succeeds if the cluster %s at every step", async (_name, fault, reason) => {
    const steps = [
      ...["DescribeCluster", "DescribeTopicPartitions", "CreateTopics", "DescribeTopicPartitions"],
    ];
    const faults = steps.map((on) => ({ on, ...fault }));
    const { result, topics } = await runIn({}, faults);
    // What was created although the answer was lost is found as declared.
    const { exit_code, created, unchanged } = exitLine(result);
    expect([exit_code, created + unchanged]).toEqual([0, 2]);
    const reasons = linesOf(result, "retry").map((line) => line.reason);
    expect(reasons.filter((text) => reason.test(text)).length).toBeGreaterThanOrEqual(steps.length);
    // On a slow machine a call takes too long besides.
    const others = reasons.filter((text) => !reason.test(text));
    expect(others.filter((text) => !/^Timed out/.test(text))).toEqual([]);
    expect(Object.keys(topics)).toHaveLength(2);
  });

  test.concurrent("succeeds if the controller moves", async () => {
    const { result } = await runIn({}, [{ on: "CreateTopics", error: "NOT_CONTROLLER" }]);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 2, attempts: 2 });
    expect(linesOf(result, "retry")[0]).toMatchObject({
      what: "creating topics",
      reason: expect.stringContaining("not the correct controller"),
    });
  });

  test.concurrent("restarts the deadline when it makes progress", async () => {
    const topics = Array.from({ length: 4 }, (_, i) => ({ name: `slow-${i}`, partitions: 1 }));
    // Of each request the first topic is created, for the others it takes too long.
    const faults = [1, 2, 3].flatMap((done) =>
      topics
        .slice(done)
        .map(({ name }) => name)
        .slice(0, 1)
        .map((topic) => ({
          ...{ on: "CreateTopics", error: "REQUEST_TIMED_OUT", topic },
          passSeconds: RETRY.deadlineSeconds / 2,
        })),
    );
    const { result } = await runIn({}, faults, { topics });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 4 });
  });

  test.concurrent("retries if a broker leaves between the quorum and the create", async () => {
    const cluster = await harness.cluster({}, { on: "DescribeTopicPartitions", delayMs: 300 });
    const sidecar = start(cluster);
    await sidecar.seen("ready");
    await cluster.setBrokers(2);
    await sidecar.seen("retry");
    await cluster.setBrokers(3);
    const result = await sidecar.done;
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 2 });
    expect(linesOf(result, "retry")[0].reason).toContain(
      "cannot be reached because only 2 broker(s) are registered",
    );
  });

  test.concurrent("fails with 65 if there are enough brokers but Kafka places no replicas", async () => {
    const fault = {
      ...{ on: "CreateTopics", error: "INVALID_REPLICATION_FACTOR", message: "cordoned" },
      topic: "app.logs",
    };
    // Once may be of a moment in which a broker was gone.
    const { result, topics } = await runIn({}, [fault, fault]);
    expect(exitLine(result)).toMatchObject({
      ...{ exit_code: 65, created: 1 },
      reason: "Kafka rejects topic app.logs: cordoned",
    });
    expect(Object.keys(topics)).toEqual(["infra-events"]);
  });

  test.concurrent("backs off further with every attempt, up to the cap", async () => {
    const fault = { on: "DescribeCluster", error: "UNKNOWN_SERVER_ERROR" };
    const { result } = await runIn({}, Array(6).fill(fault));
    expect(exitLine(result)).toMatchObject({ exit_code: 0, attempts: 7 });
    expectBackoff(result, 6);
  });

  test.concurrent("succeeds if its target appears late", async () => {
    const cluster = await harness.cluster();
    await cluster.refuse();
    const retry = { initialMs: 50, maxMs: 400 };
    const sidecar = start(cluster, { retry });
    await sidecar.seen("retry", 6);
    await cluster.listen();
    const result = await sidecar.done;
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 2 });
    expectBackoff(result, 6, retry);
    expect(linesOf(result, "retry")[0]).toMatchObject({
      level: "warn",
      what: "Kafka with 3 brokers",
      attempt: 1,
      reason: `no broker is reachable: 127.0.0.1:${cluster.port}: Connection refused`,
    });
  });

  test.concurrent("succeeds as soon as DNS resolves any of the servers", async () => {
    const cluster = await harness.cluster();
    const servers = ["kafka-1", "kafka-2"].map((name) => `${name}.later:${cluster.port}`);
    const sidecar = start(cluster, { bootstrapServers: servers.join(",") });
    const { reason } = await sidecar.seen("retry");
    expect(reason).toBe(
      `no broker is reachable: ${servers[0]}: unknown host, ${servers[1]}: unknown host`,
    );
    harness.addHost("kafka-2.later");
    const known = Date.now();
    const result = await sidecar.done;
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 2 });
    // Java by itself remembers for ten seconds that there was no such name: some sixty retries.
    const later = linesOf(result, "retry").filter(({ ts }) => Date.parse(ts) > known);
    expect(later.length).toBeLessThan(10);
  });

  test.concurrent("gives up on a cluster that is slower than the deadline", async () => {
    const fault = { on: "DescribeCluster", delayMs: 600_000 };
    const { result, writes } = await runIn({}, [fault], { retry: { deadlineSeconds: 1 } });
    expect(exitLine(result)).toMatchObject({
      exit_code: 69,
      reason: expect.stringMatching(
        /^Kafka with 3 brokers: timed out after 1s and \d+ attempts?: .*([Tt]imed out|disconnected)/,
      ),
    });
    expect(writes).toEqual([]);
  });

  test.concurrent("exits 69 at the deadline when the target never appears", async () => {
    const cluster = await harness.cluster();
    await cluster.refuse();
    const sidecar = start(cluster);
    await sidecar.seen("retry");
    await cluster.pass(RETRY.deadlineSeconds / 2);
    await sidecar.seen("retry", 3);
    await cluster.pass(RETRY.deadlineSeconds / 2);
    expect(exitLine(await sidecar.done)).toMatchObject({
      exit_code: 69,
      reason: expect.stringMatching(
        /timed out after 300s and \d+ attempts: no broker is reachable/,
      ),
    });
  });

  test.concurrent("provisions nothing with half a quorum and names what is missing", async () => {
    const cluster = await harness.cluster(AS_DECLARED);
    await cluster.setBrokers(2);
    const sidecar = start(cluster);
    await sidecar.seen("retry");
    await cluster.inject({ on: "DescribeCluster", passSeconds: RETRY.deadlineSeconds });
    expect(exitLine(await sidecar.done)).toMatchObject({
      exit_code: 69,
      reason: expect.stringContaining("2 of 3 brokers registered and unfenced"),
    });
    const { calls } = await cluster.look();
    expect(aboutTopics(calls)).toEqual([]);
  });

  test.concurrent("describes topics only after the quorum is complete", async () => {
    const cluster = await harness.cluster(AS_DECLARED);
    await cluster.setBrokers(2);
    const sidecar = start(cluster);
    await sidecar.seen("retry");
    await cluster.setBrokers(3);
    const result = await sidecar.done;
    expect(exitLine(result)).toMatchObject({ exit_code: 0, unchanged: 2 });
    expect(linesOf(result, "retry").at(-1)?.reason).toBe("2 of 3 brokers registered and unfenced");
    const { calls } = await cluster.look();
    const asked = linesOf(result, "retry").length + 1;
    expect(calls.slice(0, asked)).toEqual(Array(asked).fill("DescribeCluster"));
    expect(aboutTopics(calls)).toHaveLength(2);
  });
});
