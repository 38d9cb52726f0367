import { execFile } from "node:child_process";
import { pbkdf2Sync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Application, KAFKA_IMAGE, resolveTopic, type Topic } from "../../../constructs";
import { renderApplications } from "../../../constructs/kafka/declared-applications";
import { renderTopics } from "../../../constructs/kafka/declared-topics";
import { configText, refusalOfConfig } from "../../../constructs/kafka/topic-config";
import topicConfigs from "../../../constructs/kafka/topic-configs.json";
import {
  buildAgain,
  type FakeKafka,
  JAR,
  type KafkaFault,
  KafkaHarness,
  type LiveTopic,
  type LiveUser,
} from "../../support/fake-kafka";
import {
  ALPINE_SHELL,
  exitLine,
  expectBackoff,
  INSTALLED_SHELLS,
  linesOf,
  SHELLS,
  type SidecarOptions,
  type SidecarRun,
  startSidecar,
  workerOf,
} from "../../support/sidecar";

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

let harness: KafkaHarness;
beforeAll(async () => {
  harness = await KafkaHarness.start();
});
afterAll(() => harness.stop());

interface Options extends Partial<SidecarOptions> {
  readonly topics?: readonly Topic[];
  /** @default - the cluster */
  readonly bootstrapServers?: string;
  /** Whether the run has a JVM of its own, as in its container. */
  readonly ownJvm?: boolean;
  readonly env?: (directory: string) => Record<string, string>;
}

function start(cluster: FakeKafka, options: Options = {}) {
  const { topics = TOPICS, bootstrapServers, ownJvm = false, env, ...others } = options;
  return startSidecar({
    script: "kafka/kafka-init.sh",
    beside: ["kafka/kafka-init.jar"],
    files: [
      { path: "topics.json", content: renderTopics(topics.map((topic) => resolveTopic(topic, 3))) },
    ],
    declared: topics.map(({ name }) => name).join(" "),
    tools: ownJvm ? {} : { java: harness.standIn },
    env: (directory) => ({
      KAFKA_LIBS: harness.libraries,
      KAFKA_BOOTSTRAP_SERVERS: bootstrapServers ?? `127.0.0.1:${cluster.port}`,
      KAFKA_BROKERS: "3",
      TOPICS_FILE: `${directory}/topics.json`,
      ...env?.(directory),
    }),
    ...others,
  });
}

const run = (...args: Parameters<typeof start>) => start(...args).done;

/** A run in a cluster that has these topics and faults. */
async function runIn(
  topics: Readonly<Record<string, LiveTopic>>,
  faults: KafkaFault[] = [],
  options?: Options,
) {
  const cluster = await harness.cluster(topics, ...faults);
  const result = await run(cluster, options);
  return { result, ...(await cluster.look()) };
}

const aboutTopics = (calls: readonly string[]) =>
  calls.filter((call) => call !== "DescribeCluster");

/** The declared topics with one policy for all. */
const withPolicy = (onDrift: Topic["onDrift"]) => TOPICS.map((topic) => ({ ...topic, onDrift }));

/** Values of every type, at the edges of every range and beyond. */
const SPELLINGS = [
  ...[
    "",
    " ",
    "0",
    "-0",
    "1",
    "-1",
    "-2",
    "-3",
    "4",
    "3",
    "9",
    "10",
    "17",
    "18",
    "22",
    "23",
    "007",
  ],
  ...["60000", " 60000 ", "+5", "--5", "+-5", "6 0", "1e6", "1.0", "0x10", "1_000", "1L", "ten"],
  ...["2147483647", "2147483648", "-2147483648", "-2147483649", "1048575", "1048576"],
  ...["9223372036854775807", "9223372036854775808", "-9223372036854775808"],
  ...["-9223372036854775809", "-131072", "-131073"],
  ...["0.5", ".5", "5.", "1e-4", "1.0E-4", "1.0000001", "-0.1", "+0.1", ".", "e1", "0,5"],
  ...["true", "TRUE", " False ", "yes", "on", "null", "[object Object]"],
  ...["compact", "delete", "compact,delete", " delete , compact ", "compact;delete"],
  ...["compact,compact", "compact,", ",", "Compact", "gzip", " gzip ", "GZIP", "producer", "none"],
  ...["CreateTime", "createtime", "LogAppendTime"],
  ...["0:1", "0:1,1:2", "0:1, 1:2", "0:1,", "*", " * ", "*,0:1", "0-1", "a:1", "0 :1", "a=b"],
];

/** A wait that a signal finds it in. */
const LONG_WAIT = {
  ownJvm: true,
  jitter: "none",
  retry: { initialMs: 600_000, maxMs: 600_000, deadlineSeconds: 1200 },
};

describe("kafka-init.jar", () => {
  test.concurrent("is what its sources compile to, byte for byte", async () => {
    // Differs? npm run jar
    expect(readFileSync(await buildAgain()).equals(readFileSync(JAR))).toBe(true);
  });

  test.concurrent("is compiled against the client library of the Kafka image", async () => {
    const pom = readFileSync(join(JAR, "..", "kafka-init", "pom.xml"), "utf8");
    expect(/<artifactId>kafka-clients<\/artifactId>\s*<version>(.*)</.exec(pom)?.[1]).toBe(
      KAFKA_IMAGE.split(":")[1],
    );
  });
});

describe("topic-configs.json", () => {
  test.concurrent("is what the libraries of the Kafka image say", async () => {
    // Differs? npm run topic-configs
    const folder = mkdtempSync(join(tmpdir(), "topic-configs-"));
    const again = join(folder, "again.json");
    await promisify(execFile)(process.execPath, [
      join(JAR, "..", "topic-configs", "make.mjs"),
      again,
    ]);
    expect(readFileSync(again, "utf8")).toBe(
      readFileSync(join(JAR, "..", "topic-configs.json"), "utf8"),
    );
    rmSync(folder, { recursive: true });
  });

  test.concurrent("is from the version of the Kafka image", async () => {
    const pom = readFileSync(join(JAR, "..", "kafka-init", "pom.xml"), "utf8");
    expect(/<artifactId>kafka-storage<\/artifactId>\s*<version>(.*)</.exec(pom)?.[1]).toBe(
      KAFKA_IMAGE.split(":")[1],
    );
  });

  test.concurrent("allows what a broker takes, and nothing else", async () => {
    const tried = [...Object.keys(topicConfigs), "no.such.config"].flatMap((key) =>
      SPELLINGS.map((value) => [key, value]),
    );
    const asked = async (configs: string[][]): Promise<(string | null)[]> =>
      (await harness.ask({ do: "validate", configs })).refusals;
    const [written, rendered] = [
      await asked(tried),
      await asked(tried.map(([key, value]) => [key, configText(key, value)])),
    ];
    expect(
      tried
        .map(([key, value], i) => ({
          config: `${key}=${value}`,
          here: refusalOfConfig(key, value) === undefined,
          written: written[i] === null,
          rendered: rendered[i] === null,
        }))
        .filter((told) => told.here !== told.written || told.here !== told.rendered),
    ).toEqual(
      // That takes brokers with a remote storage.
      ["true", "TRUE"].map((value) => ({
        config: `remote.storage.enable=${value}`,
        ...{ here: true, written: false, rendered: false },
      })),
    );
    expect(written).toContain("Unknown topic config name: no.such.config");
  });
});

for (const name of Object.keys(SHELLS).filter(
  (shell) => !INSTALLED_SHELLS.some(([installed]) => installed === shell),
)) {
  test.skip(`in ${name}, which is not installed`, () => undefined);
}

describe.each(ALPINE_SHELL)("in a JVM of its own, started by %s, kafka-init", (_, shell) => {
  test.concurrent("creates absent topics with their guarantees", async () => {
    const { result, topics } = await runIn({}, [], { shell, ownJvm: true });
    expect(result.log.map(({ event }) => event)).toEqual([
      ...["start", "ready", "created", "created", "exit"],
    ]);
    expect(exitLine(result)).toMatchObject({ level: "info", exit_code: 0, reason: "done" });
    expect(topics["infra-events"]).toEqual(INFRA_EVENTS);
  });

  test.concurrent("writes its last line when it is terminated in a wait", async () => {
    const cluster = await harness.cluster();
    await cluster.refuse();
    const sidecar = start(cluster, { ...LONG_WAIT, shell });
    await sidecar.seen("retry");
    sidecar.process.kill("SIGTERM");
    const result = await sidecar.done;
    expect(exitLine(result)).toMatchObject({ exit_code: 143, reason: "terminated" });
  });

  test.concurrent("writes its last line when its work is killed", async () => {
    const cluster = await harness.cluster();
    await cluster.refuse();
    const sidecar = start(cluster, { ...LONG_WAIT, shell });
    await sidecar.seen("retry");
    process.kill(workerOf(sidecar), "SIGKILL");
    expect(exitLine(await sidecar.done)).toMatchObject({
      exit_code: 137,
      reason: "killed by signal 9",
    });
  });

  test.concurrent("exits 78 when the image is not Kafka's", async () => {
    const cluster = await harness.cluster();
    const result = await run(cluster, { shell, env: () => ({ KAFKA_LIBS: "/nowhere" }) });
    expect(exitLine(result)).toMatchObject({
      exit_code: 78,
      reason: "there is no kafka-clients in /nowhere: the image has to be Kafka's",
    });
  });
});

describe("kafka-init", () => {
  test.concurrent("creates all absent topics in one request, and a broker has them when it ends", async () => {
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

  test.concurrent("takes two spellings of a value for the same, after creating and when it finds it", async () => {
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
      linesOf(differs, "drift").map(({ field, declared, actual }) => [field, declared, actual]),
    ).toEqual([
      ["min.cleanable.dirty.ratio", "1e-5", "1.0E-4"],
      ["flush.messages", "9223372036854775807", "9223372036854775806"],
    ]);
    expect(exitLine(differs)).toMatchObject({ exit_code: 73, drifted: 1 });
  });

  test.concurrent("has nothing to do when no topics are declared", async () => {
    const { result, writes } = await runIn({}, [], { topics: [] });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 0, unchanged: 0 });
    expect(writes).toEqual([]);
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
    const { result, topics } = await runIn(before);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, unchanged: 2 });
    expect(topics).toEqual(before);
  });

  describe.each(["fail", "ignore", "reconcile"] as const)("with onDrift %s", (onDrift) => {
    test.concurrent("names every config that a declared topic sets and nobody declares, and leaves it", async () => {
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

  test.concurrent("names what nobody declares of a topic that another run created first", async () => {
    const configs = { ...INFRA_EVENTS.configs, "retention.ms": "60000" };
    const { result } = await runIn({ "app.logs": APP_LOGS }, [
      { on: "CreateTopics", createFirst: { "infra-events": { ...INFRA_EVENTS, configs } } },
    ]);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 0, unchanged: 2 });
    expect(linesOf(result, "undeclared")).toEqual([
      expect.objectContaining({ resource: "infra-events", field: "retention.ms", actual: "60000" }),
    ]);
  });

  test.concurrent("compares a config that the topic leaves to the broker with what is in effect", async () => {
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
      reason: "differs from its declaration: infra-events",
    });
    expect(writes).toEqual([]);
    expect(topics).toEqual(edited);
  });

  test.concurrent("creates what is absent although something else differs", async () => {
    const { result, topics } = await runIn({ "infra-events": { ...INFRA_EVENTS, partitions: 9 } });
    expect(exitLine(result)).toMatchObject({ exit_code: 73, created: 1, drifted: 1 });
    expect(Object.keys(topics).sort()).toEqual(["app.logs", "infra-events"]);
  });

  test.concurrent("ignores drift when told to, but reports it", async () => {
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
        "not repaired: partitions are never removed, nor replicas moved",
      );
      expect(after).toEqual(more);
      expect(writes).toEqual([]);
    });

    test.concurrent("repairs what can be, and fails for the rest", async () => {
      const mixed = {
        ...AS_DECLARED,
        "infra-events": { ...INFRA_EVENTS, partitions: 1, replicationFactor: 2 },
      };
      const { result, topics: after } = await runIn(mixed, [], { topics });
      expect(exitLine(result)).toMatchObject({ exit_code: 73, drifted: 1, reconciled: 0 });
      expect(after["infra-events"]).toMatchObject({ partitions: 3, replicationFactor: 2 });
    });

    test.concurrent("goes on when another run was quicker to add the partitions", async () => {
      const { result } = await runIn(
        few,
        [{ on: "CreatePartitions", createFirst: { "infra-events": INFRA_EVENTS } }],
        { topics },
      );
      expect(exitLine(result)).toMatchObject({ exit_code: 0, reconciled: 2 });
    });

    test.concurrent("tries what could not be written again", async () => {
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

    test.concurrent("fails with 65 for a config that Kafka does not know, and repairs the others", async () => {
      const wrong = { ...topics[0], configs: { "min.insync.replicas": 2, "no.such.config": 1 } };
      const { result, topics: after } = await runIn(few, [], { topics: [wrong, topics[1]] });
      expect(exitLine(result)).toMatchObject({
        ...{ exit_code: 65, reconciled: 1 },
        reason: "Kafka rejects topic infra-events: Unknown topic config name: no.such.config",
      });
      expect(after["app.logs"].configs["cleanup.policy"]).toBe("compact,delete");
    });
  });

  test.concurrent.each<[string, Omit<KafkaFault, "on">, RegExp]>([
    ["refuses connections", { refuseMs: 200 }, /Connection refused|[Nn]ode|disconnect|Timed out/],
    ["drops connections", { disconnect: true }, /disconnect/],
    ["cuts an answer off", { cut: true }, /disconnect/],
    ["fails for a moment", { error: "UNKNOWN_SERVER_ERROR" }, /unexpected error/],
  ])("gets through when the cluster %s at every step", async (_name, fault, reason) => {
    const steps = [
      ...["DescribeCluster", "DescribeTopicPartitions", "CreateTopics", "DescribeTopicPartitions"],
    ];
    const faults = steps.map((on) => ({ on, ...fault }));
    const { result, topics } = await runIn({}, faults);
    // What was created although the answer was lost is found as declared.
    const { exit_code, created, unchanged } = exitLine(result);
    expect([exit_code, created + unchanged]).toEqual([0, 2]);
    const reasons = linesOf(result, "retry").map((line) => line.reason);
    expect(reasons.length).toBeGreaterThanOrEqual(steps.length);
    expect(reasons.filter((text) => !reason.test(text))).toEqual([]);
    expect(Object.keys(topics)).toHaveLength(2);
  });

  test.concurrent("gets through when the controller moves", async () => {
    const { result } = await runIn({}, [{ on: "CreateTopics", error: "NOT_CONTROLLER" }]);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 2, attempts: 2 });
    expect(linesOf(result, "retry")[0]).toMatchObject({
      what: "creating topics",
      reason: expect.stringContaining("not the correct controller"),
    });
  });

  test.concurrent("creates again only what was not created", async () => {
    const fault = { on: "CreateTopics", error: "REQUEST_TIMED_OUT", topic: "app.logs" };
    const { result, writes } = await runIn({}, [fault]);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 2, attempts: 2 });
    expect(linesOf(result, "retry")[0].reason).toMatch(/^topic app\.logs: /);
    expect(writes).toEqual(["CreateTopics infra-events app.logs", "CreateTopics app.logs"]);
  });

  test.concurrent("starts the deadline anew when it makes progress", async () => {
    const topics = Array.from({ length: 4 }, (_, i) => ({ name: `slow-${i}`, partitions: 1 }));
    // Of each request the first topic is created, for the others it takes too long.
    const faults = [1, 2, 3].flatMap((done) =>
      topics
        .slice(done)
        .map(({ name }) => name)
        .slice(0, 1)
        .map((topic) => ({
          ...{ on: "CreateTopics", error: "REQUEST_TIMED_OUT", delayMs: 2000, topic },
        })),
    );
    const retry = { initialMs: 1, maxMs: 1, deadlineSeconds: 4 };
    const { result } = await runIn({}, faults, { topics, retry });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 4 });
    expect(result.durationMs).toBeGreaterThan(1000 * retry.deadlineSeconds);
  });

  test.concurrent("tries again when a broker is gone between the quorum and the create", async () => {
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

  test.concurrent("fails with 65 when there are brokers enough and Kafka places no replicas all the same", async () => {
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

  test.concurrent("waits until a broker knows what the controller has created, and asks again only for what is missing", async () => {
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

  test.concurrent("exits 69 when no broker ever has what was created", async () => {
    const lag = { on: "DescribeTopicPartitions", error: "UNKNOWN_TOPIC_OR_PARTITION" };
    const { result } = await runIn({}, Array(99).fill(lag), { retry: { deadlineSeconds: 3 } });
    expect(linesOf(result, "retry")[0]).toMatchObject({
      what: "verifying the topics",
      reason: "not visible yet: topics infra-events, app.logs",
    });
    expect(exitLine(result)).toMatchObject({
      ...{ exit_code: 69, created: 2 },
      reason: expect.stringMatching(
        /^verifying the topics: not ready within 3s, after \d+ attempts: /,
      ),
    });
  });

  test.concurrent("reports a topic that was created with something else in effect", async () => {
    const topics = [{ ...TOPICS[0], configs: { "min.insync.replicas": 2 } }];
    const theirs = { "infra-events": { ...INFRA_EVENTS, configs: {} } };
    const fault = { on: "CreateTopics", createFirst: theirs };
    const { result } = await runIn({}, [fault], { topics });
    expect(linesOf(result, "drift")).toEqual([
      expect.objectContaining({ field: "min.insync.replicas", declared: "2", actual: '""' }),
    ]);
    expect(exitLine(result)).toMatchObject({ exit_code: 73, created: 0, drifted: 1 });
  });

  test.concurrent("backs off further with every attempt, up to the cap", async () => {
    const fault = { on: "DescribeCluster", error: "UNKNOWN_SERVER_ERROR" };
    const { result } = await runIn({}, Array(6).fill(fault));
    expect(exitLine(result)).toMatchObject({ exit_code: 0, attempts: 7 });
    expectBackoff(result, 6);
  });

  test.concurrent("goes on when its target appears late", async () => {
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
      reason: `no broker listens: 127.0.0.1:${cluster.port}: Connection refused`,
    });
  });

  test.concurrent("goes on when its target is in the DNS at last, whichever server answers", async () => {
    const cluster = await harness.cluster();
    const servers = ["kafka-1", "kafka-2"].map((name) => `${name}.later:${cluster.port}`);
    const sidecar = start(cluster, { bootstrapServers: servers.join(",") });
    const { reason } = await sidecar.seen("retry");
    expect(reason).toBe(
      `no broker listens: ${servers[0]}: unknown host, ${servers[1]}: unknown host`,
    );
    harness.addHost("kafka-2.later");
    const known = Date.now();
    const result = await sidecar.done;
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 2 });
    // Java by itself remembers for ten seconds that there was no such name: some sixty retries.
    const later = linesOf(result, "retry").filter(({ time }) => Date.parse(time) > known);
    expect(later.length).toBeLessThan(10);
  });

  test.concurrent("gives up on a cluster that is slower than the deadline", async () => {
    const fault = { on: "DescribeCluster", delayMs: 600_000 };
    const { result, writes } = await runIn({}, [fault], { retry: { deadlineSeconds: 1 } });
    expect(exitLine(result)).toMatchObject({
      exit_code: 69,
      reason: expect.stringMatching(
        /^Kafka with 3 brokers: not ready within 1s, after \d+ attempts: .*([Tt]imed out|disconnected)/,
      ),
    });
    expect(writes).toEqual([]);
  });

  test.concurrent("exits 69 at the deadline when the target never appears", async () => {
    const cluster = await harness.cluster();
    await cluster.refuse();
    const result = await run(cluster, { retry: { deadlineSeconds: 2 } });
    expect(exitLine(result)).toMatchObject({
      exit_code: 69,
      reason: expect.stringMatching(/not ready within 2s, after \d+ attempts: no broker listens/),
    });
    expect(result.durationMs).toBeGreaterThan(2000);
  });

  test.concurrent("provisions nothing with half a quorum and names what is missing", async () => {
    const cluster = await harness.cluster(AS_DECLARED);
    await cluster.setBrokers(2);
    const result = await run(cluster, { retry: { deadlineSeconds: 1 } });
    expect(exitLine(result)).toMatchObject({
      exit_code: 69,
      reason: expect.stringContaining("2 of 3 brokers are registered and unfenced"),
    });
    const { calls } = await cluster.look();
    expect(aboutTopics(calls)).toEqual([]);
  });

  test.concurrent("looks at the topics when it has seen the quorum, not before", async () => {
    const cluster = await harness.cluster(AS_DECLARED);
    await cluster.setBrokers(2);
    const sidecar = start(cluster);
    await sidecar.seen("retry");
    await cluster.setBrokers(3);
    const result = await sidecar.done;
    expect(exitLine(result)).toMatchObject({ exit_code: 0, unchanged: 2 });
    expect(linesOf(result, "retry").at(-1)?.reason).toBe(
      "2 of 3 brokers are registered and unfenced",
    );
    const { calls } = await cluster.look();
    const asked = linesOf(result, "retry").length + 1;
    expect(calls.slice(0, asked)).toEqual(Array(asked).fill("DescribeCluster"));
    expect(aboutTopics(calls)).toHaveLength(2);
  });

  describe("without a right", () => {
    const denied = "TOPIC_AUTHORIZATION_FAILED";
    const few = { "infra-events": { ...INFRA_EVENTS, partitions: 1, configs: {} } };

    test.concurrent.each<[string, string, Record<string, LiveTopic>]>([
      ["Describe", "DescribeTopicPartitions", {}],
      ["DescribeConfigs", "DescribeConfigs", few],
      ["Create", "CreateTopics", {}],
      ["AlterConfigs", "IncrementalAlterConfigs", few],
      ["Alter", "CreatePartitions", few],
    ])("fails at once with 77 and names %s", async (permission, on, topics) => {
      const fault = { on, error: denied, topic: "infra-events" };
      const { result } = await runIn(topics, [fault], { topics: withPolicy("reconcile") });
      expect(exitLine(result)).toMatchObject({
        exit_code: 77,
        reason: `not authorised: the sidecar needs ${permission} on topic infra-events`,
      });
      expect(linesOf(result, "retry")).toEqual([]);
    });

    test.concurrent("names the first few of many topics", async () => {
      const topics = Array.from({ length: 9 }, (_, i) => ({ name: `many-${i}`, partitions: 1 }));
      const { result } = await runIn({}, [{ on: "CreateTopics", error: denied }], { topics });
      expect(exitLine(result).reason).toBe(
        "not authorised: the sidecar needs Create on topics many-0, many-1, many-2, many-3, many-4 and 4 more",
      );
    });

    test.concurrent("looks itself when the answer to a create does not say what is in effect", async () => {
      const fault = { on: "CreateTopics", hideConfigs: true };
      const { result, calls } = await runIn({}, [fault]);
      expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 2, unchanged: 0 });
      expect(calls.at(-1)).toBe("DescribeConfigs app.logs infra-events");
    });

    test.concurrent("of any kind fails at once with 77", async () => {
      const fault = { on: "DescribeCluster", error: "SASL_AUTHENTICATION_FAILED" };
      const { result, calls } = await runIn({}, [fault]);
      expect(exitLine(result)).toMatchObject({
        exit_code: 77,
        reason: "not authenticated: SASL Authentication failed.",
      });
      expect(calls).toEqual(["DescribeCluster"]);
    });
  });

  test.concurrent("fails with 65 when Kafka rejects topics, names each, and creates the others", async () => {
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
    ["KAFKA_BROKERS", "three", 'KAFKA_BROKERS is "three": it has to be a whole number'],
    ["KAFKA_BOOTSTRAP_SERVERS", "", "KAFKA_BOOTSTRAP_SERVERS is not set"],
    [
      "KAFKA_BOOTSTRAP_SERVERS",
      "kafka-1",
      'KAFKA_BOOTSTRAP_SERVERS has "kafka-1": it has to be host:port, with others after a comma',
    ],
    [
      "TOPICS_FILE",
      "/nowhere",
      'TOPICS_FILE is "/nowhere", which cannot be read: java.nio.file.NoSuchFileException: /nowhere',
    ],
  ])("exits 78 when %s is %j", async (variable, value, reason) => {
    const { result } = await runIn({}, [], { env: () => ({ [variable]: value }) });
    expect(exitLine(result)).toMatchObject({ exit_code: 78, reason });
  });

  test.concurrent.each<[string, string, RegExp]>([
    ["is not JSON", "infra-events 3 3 fail", /Unrecognized token 'infra'/],
    ["ends too early", '[{"name": "infra-events"', /Unexpected end-of-input/],
    ["lacks a field", '[{"name": "infra-events", "configs": {}}]', /NullPointerException/],
  ])("exits 78 when the file of topics %s", async (_, content, reason) => {
    const { result } = await runIn({}, [], { files: [{ path: "topics.json", content }] });
    expect(exitLine(result)).toMatchObject({
      exit_code: 78,
      reason: expect.stringMatching(/^TOPICS_FILE is "\S+", which cannot be read: /),
    });
    expect(exitLine(result).reason).toMatch(reason);
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

  test.concurrent("takes a topic that appears between its look and its write for the other's", async () => {
    const createFirst = {
      "infra-events": { partitions: 1, replicationFactor: 1, configs: {} },
      "app.logs": APP_LOGS,
    };
    const { result, topics } = await runIn({}, [{ on: "CreateTopics", createFirst }]);
    expect(exitLine(result)).toMatchObject({
      ...{ exit_code: 73, created: 0, unchanged: 1, drifted: 1 },
    });
    expect(linesOf(result, "drifted")[0]).toMatchObject({
      resource: "infra-events",
      reason: "another run created it in the meantime, and it differs",
    });
    expect(topics["infra-events"].partitions).toBe(1);
  });
});

describe("in a secured cluster, kafka-init", () => {
  const ORDERS: Application = {
    name: "orders",
    topics: { "infra-events": "write", "app.*": "read" },
    consumerGroups: ["orders-*"],
  };
  const mark = (name: string) => `User:${name} ALLOW DESCRIBE GROUP LITERAL groundwork.application`;
  const ORDERS_ACLS = [
    mark("orders"),
    "User:orders ALLOW DESCRIBE TOPIC LITERAL infra-events",
    "User:orders ALLOW DESCRIBE TOPIC PREFIXED app.",
    "User:orders ALLOW READ GROUP PREFIXED orders-",
    "User:orders ALLOW READ TOPIC PREFIXED app.",
    "User:orders ALLOW WRITE TOPIC LITERAL infra-events",
  ];
  const LEFT_BEHIND = [
    mark("billing"),
    "User:billing ALLOW READ TOPIC LITERAL *",
    "User:billing DENY WRITE TOPIC LITERAL payments",
  ];
  const OTHERS = ["User:admin ALLOW ALTER CLUSTER LITERAL kafka-cluster"];

  interface SecuredOptions {
    readonly applications?: readonly Application[];
    readonly monitors?: readonly string[];
    /** Contents of the files by application. */
    readonly passwords?: Readonly<Record<string, string>>;
    readonly env?: Record<string, string>;
  }

  const runSecured = (cluster: FakeKafka, options: SecuredOptions = {}) => {
    const { applications = [ORDERS], monitors, passwords = { orders: "secret\n" }, env } = options;
    return run(cluster, {
      files: [
        {
          path: "topics.json",
          content: renderTopics(TOPICS.map((topic) => resolveTopic(topic, 3))),
        },
        { path: "applications.json", content: renderApplications(applications, monitors) },
        ...Object.entries(passwords).map(([path, content]) => ({ path, content })),
      ],
      env: (directory) => ({
        APPLICATIONS_FILE: `${directory}/applications.json`,
        PASSWORDS_DIR: directory,
        ...env,
      }),
    });
  };

  /** A cluster with the declared topics, and with what kafka-init made of the application in an earlier run. */
  const provisioned = async (acls: readonly string[] = ORDERS_ACLS, ...faults: KafkaFault[]) => {
    const cluster = await harness.cluster(AS_DECLARED, ...faults);
    await cluster.addAcls(...acls);
    await cluster.addUser("orders");
    return cluster;
  };

  const hasPassword = ({ salt, iterations, saltedPassword }: LiveUser, password: string) =>
    pbkdf2Sync(password, Buffer.from(salt, "base64"), iterations, 64, "sha512").toString(
      "base64",
    ) === saltedPassword;

  const changes = (result: SidecarRun, event: "granted" | "revoked") =>
    linesOf(result, event).map(
      ({ resource, rights, reason }) => `${resource}: ${rights}; ${reason}`,
    );

  test.concurrent("makes the user of an application, with its rights and no others, marked before anything else", async () => {
    const cluster = await harness.cluster(AS_DECLARED);
    const result = await runSecured(cluster);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 1, unchanged: 2, revoked: 0 });
    expect(changes(result, "granted")).toEqual([
      "application/orders: Read on group orders-*; Describe, Read on topic app.*; Describe, Write on topic infra-events; declared",
    ]);
    const { acls, users, writes } = await cluster.look();
    expect(acls).toEqual([...ORDERS_ACLS].sort());
    expect(Object.keys(users)).toEqual(["orders"]);
    // SCRAM-SHA-512
    expect(users.orders).toMatchObject({ mechanism: 2, iterations: 8192 });
    expect(hasPassword(users.orders, "secret")).toBe(true);
    expect(writes.map((call) => call.split(" ")[0])).toEqual([
      ...["CreateAcls", "AlterUserScramCredentials", "CreateAcls"],
    ]);
    expect(writes[0]).toBe(`CreateAcls ${mark("orders")}`);
    expect(JSON.stringify(result.log)).not.toContain("secret");
  });

  test.concurrent("finds an application unchanged, and sets its password all the same, since Kafka gives none back", async () => {
    const cluster = await provisioned();
    const result = await runSecured(cluster, { passwords: { orders: "rotated\n" } });
    expect(exitLine(result)).toMatchObject({
      ...{ exit_code: 0, created: 0, unchanged: 3, reconciled: 0, revoked: 0 },
    });
    const { users, writes } = await cluster.look();
    expect(writes).toEqual(["AlterUserScramCredentials orders"]);
    expect(hasPassword(users.orders, "rotated")).toBe(true);
  });

  test.concurrent("grants and revokes what the declaration of an application gained and lost", async () => {
    const cluster = await provisioned([
      ...ORDERS_ACLS.filter((acl) => !acl.includes("READ GROUP")),
      "User:orders ALLOW READ TOPIC LITERAL payments",
    ]);
    const result = await runSecured(cluster);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, reconciled: 1, revoked: 1 });
    expect(changes(result, "granted")).toEqual([
      "application/orders: Read on group orders-*; declared",
    ]);
    expect(changes(result, "revoked")).toEqual([
      "application/orders: Read on topic payments; not declared any more",
    ]);
    expect((await cluster.look()).acls).toEqual([...ORDERS_ACLS].sort());
  });

  test.concurrent("revokes an application that is not declared any more, its mark last, and nothing of others", async () => {
    const cluster = await provisioned([...ORDERS_ACLS, ...LEFT_BEHIND, ...OTHERS]);
    await cluster.addUser("billing");
    await cluster.addUser("admin");
    const result = await runSecured(cluster);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, unchanged: 3, revoked: 1 });
    expect(changes(result, "revoked")).toEqual([
      "application/billing: Read on topic *; no Write on topic payments; the application is not declared any more",
    ]);
    const { acls, users, writes } = await cluster.look();
    expect(acls).toEqual([...OTHERS, ...ORDERS_ACLS].sort());
    expect(Object.keys(users)).toEqual(["admin", "orders"]);
    expect(writes).toEqual([
      `DeleteAcls ${LEFT_BEHIND[1]} ${LEFT_BEHIND[2]}`,
      "AlterUserScramCredentials -billing orders",
      `DeleteAcls ${mark("billing")}`,
    ]);
  });

  test.concurrent("lets who measures see every topic and group, by its certificate alone, and changes nothing when it is run again", async () => {
    const cluster = await harness.cluster(AS_DECLARED);
    const declared = { applications: [], passwords: {}, monitors: ["alloy"] };
    const result = await runSecured(cluster, declared);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 1 });
    expect(changes(result, "granted")).toEqual([
      "application/alloy: Describe on group *; Describe on topic *; declared",
    ]);
    const { acls, users, writes } = await cluster.look();
    expect(acls).toEqual(
      [
        mark("alloy"),
        "User:alloy ALLOW DESCRIBE GROUP LITERAL *",
        "User:alloy ALLOW DESCRIBE TOPIC LITERAL *",
      ].sort(),
    );
    expect(users).toEqual({});
    const again = await runSecured(cluster, declared);
    expect(exitLine(again)).toMatchObject({ exit_code: 0, created: 0, unchanged: 3 });
    expect((await cluster.look()).writes).toEqual(writes);
  });

  test.concurrent("revokes the last application too", async () => {
    const cluster = await provisioned();
    const result = await runSecured(cluster, { applications: [], passwords: {} });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, revoked: 1 });
    const { acls, users } = await cluster.look();
    expect([acls, users]).toEqual([[], {}]);
  });

  test.concurrent("takes nothing over from someone else: exits 73, and provisions the other applications", async () => {
    const theirs = "User:orders ALLOW ALL TOPIC LITERAL *";
    const cluster = await provisioned([theirs]);
    const { users: before } = await cluster.look();
    const result = await runSecured(cluster, {
      applications: [ORDERS, { name: "audit" }],
      passwords: { orders: "secret", audit: "other" },
    });
    expect(
      linesOf(result, "drift").map(({ resource, field, declared, actual }) => [
        ...[resource, field, declared, actual],
      ]),
    ).toEqual([
      ["application/orders", "user", "made by kafka-init", "made by someone else"],
      [
        ...["application/orders", "rights", "made by kafka-init"],
        "made by someone else: All on topic *",
      ],
    ]);
    expect(linesOf(result, "drifted")[0].reason).toBe(
      "the cluster has it from someone else: remove it there, or give the application another name",
    );
    expect(exitLine(result)).toMatchObject({
      ...{ exit_code: 73, created: 1, drifted: 1 },
      reason: "differs from its declaration: application/orders",
    });
    const { acls, users } = await cluster.look();
    expect(users.orders).toEqual(before.orders);
    expect(acls).toEqual([mark("audit"), theirs]);
  });

  test.concurrent.each<[string, string, string]>([
    ["Describe", "DescribeAcls", "CLUSTER_AUTHORIZATION_FAILED"],
    ["Describe", "DescribeUserScramCredentials", "CLUSTER_AUTHORIZATION_FAILED"],
    ["Alter", "CreateAcls", "CLUSTER_AUTHORIZATION_FAILED"],
    ["Alter", "AlterUserScramCredentials", "CLUSTER_AUTHORIZATION_FAILED"],
    ["Alter", "DeleteAcls", "CLUSTER_AUTHORIZATION_FAILED"],
  ])("fails at once with 77 and names %s when it may not %s", async (permission, on, error) => {
    const cluster = await provisioned(LEFT_BEHIND.concat(mark("orders")), { on, error });
    const result = await runSecured(cluster);
    expect(exitLine(result)).toMatchObject({
      exit_code: 77,
      reason: `not authorised: the sidecar needs ${permission} on the cluster`,
    });
    expect(linesOf(result, "retry")).toEqual([]);
  });

  test.concurrent("tries again what failed for a moment, at every step", async () => {
    const error = "UNKNOWN_SERVER_ERROR";
    const steps = [
      ...["DescribeAcls", "DescribeUserScramCredentials", "CreateAcls"],
      ...["AlterUserScramCredentials", "DeleteAcls"],
    ];
    const cluster = await harness.cluster(AS_DECLARED, ...steps.map((on) => ({ on, error })));
    await cluster.addAcls(...LEFT_BEHIND);
    const result = await runSecured(cluster);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 1, revoked: 1 });
    expect(linesOf(result, "retry").map(({ what }) => what)).toEqual([
      ...["describing the applications", "creating ACLs", "deleting ACLs", "setting passwords"],
    ]);
    expect((await cluster.look()).acls).toEqual([...ORDERS_ACLS].sort());
  });

  test.concurrent("revokes although Kafka rejects a topic, and says what it rejects", async () => {
    const fault = { on: "CreateTopics", error: "POLICY_VIOLATION", message: "too many" };
    const cluster = await harness.cluster({}, fault);
    await cluster.addAcls(...LEFT_BEHIND);
    const result = await runSecured(cluster);
    expect(exitLine(result)).toMatchObject({
      ...{ exit_code: 65, revoked: 1 },
      reason: "Kafka rejects topics infra-events, app.logs: too many",
    });
  });

  test.concurrent("fails with 65 when Kafka does not take a password", async () => {
    const error = "UNACCEPTABLE_CREDENTIAL";
    const cluster = await provisioned(ORDERS_ACLS, { on: "AlterUserScramCredentials", error });
    expect(exitLine(await runSecured(cluster))).toMatchObject({
      exit_code: 65,
      reason: expect.stringMatching(/^Kafka rejects application\/orders: /),
    });
  });

  test.concurrent("fails with 78 when the brokers have no authorizer", async () => {
    const fault = { on: "DescribeAcls", error: "SECURITY_DISABLED" };
    const cluster = await harness.cluster(AS_DECLARED, fault);
    expect(exitLine(await runSecured(cluster))).toMatchObject({
      exit_code: 78,
      reason: "the brokers know no rights, since they have no authorizer: secure the cluster first",
    });
  });

  test.concurrent.each<[string, Record<string, string>, RegExp]>([
    [
      "is not there",
      {},
      /^the password in \S+\/orders cannot be read: java\.nio\.file\.NoSuchFileException/,
    ],
    [
      "is empty",
      { orders: "\n" },
      /^\S+\/orders has to have a password in one line, and nothing else$/,
    ],
    [
      "has a second line",
      { orders: "secret\nsecret\n" },
      /^\S+\/orders has to have a password in one line, and nothing else$/,
    ],
  ])(
    "exits 78 before it asks the cluster anything when a password %s",
    async (_, passwords, reason) => {
      const cluster = await harness.cluster();
      const result = await runSecured(cluster, { passwords });
      expect(exitLine(result)).toMatchObject({
        exit_code: 78,
        reason: expect.stringMatching(reason),
      });
      expect((await cluster.look()).calls).toEqual([]);
    },
  );

  test.concurrent("exits 78 when its client's configuration cannot be read", async () => {
    const cluster = await harness.cluster();
    const env = { KAFKA_CLIENT_CONFIG: "/nowhere" };
    expect(exitLine(await runSecured(cluster, { env }))).toMatchObject({
      exit_code: 78,
      reason:
        'KAFKA_CLIENT_CONFIG is "/nowhere", which cannot be read: java.nio.file.NoSuchFileException: /nowhere',
    });
  });
});
