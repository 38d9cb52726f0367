import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { KAFKA_IMAGE, resolveTopic, type Topic, validateTopics } from "../../../constructs";
import { renderTopics } from "../../../constructs/kafka/declared-topics";
import table from "../../../constructs/kafka/topic-configs.json";
import { docker, freshLab, TRIAL } from "../../support/lab";
import { exitLine, linesOf, type SidecarRun, startSidecar } from "../../support/sidecar";

// One broker is enough: the number of brokers does not affect which configs they accept.
let container: string;
let address: string;
let libraries: string;

/** Runs the real kafka-init in this machine's shell and JRE, with the libraries of the image. */
function provision(topics: readonly Topic[]): Promise<SidecarRun> {
  validateTopics(topics, 1);
  return startSidecar({
    script: "kafka/kafka-init.sh",
    beside: ["kafka/kafka-init.jar"],
    files: [
      { path: "topics.json", content: renderTopics(topics.map((topic) => resolveTopic(topic, 1))) },
    ],
    declared: topics.map(({ name }) => name).join(" "),
    env: (directory) => ({
      KAFKA_LIBS: libraries,
      KAFKA_BOOTSTRAP_SERVERS: address,
      KAFKA_BROKERS: "1",
      TOPICS_FILE: `${directory}/topics.json`,
    }),
  }).done;
}

/** Returns a free port. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

beforeAll(async () => {
  await freshLab();
  const port = await freePort();
  address = `127.0.0.1:${port}`;
  const settings = {
    NODE_ID: "1",
    PROCESS_ROLES: "broker,controller",
    CONTROLLER_QUORUM_VOTERS: "1@127.0.0.1:9093",
    CONTROLLER_LISTENER_NAMES: "CONTROLLER",
    LISTENERS: `PLAINTEXT://:${port},CONTROLLER://127.0.0.1:9093`,
    ADVERTISED_LISTENERS: `PLAINTEXT://${address}`,
    LISTENER_SECURITY_PROTOCOL_MAP: "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    OFFSETS_TOPIC_REPLICATION_FACTOR: "1",
    LOG_DIRS: "/var/lib/kafka/data",
    HEAP_OPTS: "-Xmx512m",
  };
  container = docker(
    ...["run", ...TRIAL, "--detach", "--memory", "1g"],
    ...["--publish", `${address}:${port}`],
    ...["--env", "CLUSTER_ID=4L6g3nShT-eMCtK--X86sw"],
    ...Object.entries(settings).flatMap(([name, value]) => ["--env", `KAFKA_${name}=${value}`]),
    KAFKA_IMAGE,
  );
  libraries = mkdtempSync(join(tmpdir(), "libraries-"));
  const archive = execFileSync("docker", ["cp", `${container}:/opt/kafka/libs/.`, "-"], {
    maxBuffer: 1024 * 1024 * 1024,
    env: process.env,
  });
  execFileSync("tar", ["--extract", "--directory", libraries], { input: archive });
});

afterAll(() => {
  docker("rm", "--force", "--volumes", container);
  rmSync(libraries, { recursive: true });
});

test.each<[spelling: string, configs: NonNullable<Topic["configs"]>]>([
  ["a small number", { "min.cleanable.dirty.ratio": 0.0001 }],
  ["a small number as text", { "min.cleanable.dirty.ratio": "1e-4" }],
  ["a list with a space", { "cleanup.policy": "compact, delete" as never }],
  ["upper-case letters", { "unclean.leader.election.enable": "TRUE" }],
  ["zeros before a number", { "retention.ms": "0060000" as never }],
  ["a number beyond what JavaScript holds", { "flush.messages": "9223372036854775807" }],
  ["white space around a number", { "retention.bytes": " -1 " as never }],
  ["what is the default", { "retention.ms": 604_800_000, "cleanup.policy": "delete" }],
])("kafka-init creates a topic with %s and then finds it unchanged", async (spelling, configs) => {
  const topic = { name: spelling.replaceAll(" ", "-"), partitions: 1, configs };
  const created = await provision([topic]);
  expect(exitLine(created)).toMatchObject({ exit_code: 0, reason: "done", created: 1 });
  const again = await provision([topic]);
  expect(linesOf(again, "drift")).toEqual([]);
  expect(exitLine(again)).toMatchObject({ exit_code: 0, unchanged: 1 });
});

test("kafka-init names exactly the configs that were altered on the server, declared or not", async () => {
  const topic: Topic = {
    ...{ name: "altered", partitions: 1 },
    configs: { "retention.ms": 60_000, "cleanup.policy": "delete" },
  };
  await provision([topic]);
  docker(
    ...["exec", "--env", "KAFKA_HEAP_OPTS=-Xmx64m", container, "/opt/kafka/bin/kafka-configs.sh"],
    ...["--bootstrap-server", address, "--alter", "--entity-type", "topics"],
    ...["--entity-name", "altered", "--add-config", "retention.ms=70000,segment.ms=80000"],
  );
  const run = await provision([topic]);
  expect(
    linesOf(run, "drift").map(({ field, declared, actual }) => [field, declared, actual]),
  ).toEqual([["retention.ms", "60000", "70000"]]);
  expect(
    linesOf(run, "undeclared").map(({ resource, field, actual }) => [resource, field, actual]),
  ).toEqual([["altered", "segment.ms", "80000"]]);
  expect(exitLine(run).exit_code).toBe(73);
});

test.each<[string, NonNullable<Topic["configs"]>, string]>([
  [
    "a storage that the brokers do not have",
    { "remote.storage.enable": true },
    "Kafka rejects topic rejected: Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.",
  ],
  [
    "two configs that contradict each other",
    { "min.compaction.lag.ms": 2, "max.compaction.lag.ms": 1 },
    "Kafka rejects topic rejected: conflict topic config setting min.compaction.lag.ms (2) > max.compaction.lag.ms (1)",
  ],
])("kafka-init says why Kafka rejects a topic with %s", async (_, configs, reason) => {
  const run = await provision([{ name: "rejected", partitions: 1, configs }]);
  expect(exitLine(run)).toMatchObject({ exit_code: 65, reason });
});

/** Configs that allocate files at once, or need a storage that this broker does not have. */
const LEFT_OUT =
  /^(preallocate|internal\..*|.*\.?remote\..*|local\..*|.*replication\.throttled.*)$/;

/** Returns a value that brokers accept for a config, in one of its spellings. */
function spellingsOf({
  type,
  valid = "",
}: {
  type: string;
  valid?: string;
}): fc.Arbitrary<unknown> {
  const [least = "-1", most = "10000000"] =
    /^\[(.*?),\.\.\.(?:,(.*?))?\]/.exec(valid)?.slice(1) ?? [];
  const words = /^\[(\w+(?:, \w+)*)\]$/.exec(valid)?.[1].split(", ") ?? [];
  switch (type) {
    case "BOOLEAN":
      return fc.constantFrom(true, false, "TRUE", " false ", "True");
    case "INT":
    case "LONG":
      return fc
        .tuple(
          // Keeps small what a broker allocates at once for a segment or its index.
          fc.integer({ min: Number(least), max: Math.min(Number(most ?? 10_000_000), 10_000_000) }),
          fc.constantFrom<((value: number) => unknown)[]>(
            (value) => value,
            (value) => `${value}`,
            (value) => ` ${value} `,
            (value) => (value < 0 ? `${value}` : `+${value}`),
            (value) => (value < 0 ? `${value}` : `00${value}`),
          ),
        )
        .map(([value, spell]) => spell(value));
    case "DOUBLE":
      return fc.constantFrom(0, 1, 0.5, "5e-1", ".5", 0.0001, "1.0E-4", 1e-7, "0.00010");
    case "LIST":
      return fc
        .shuffledSubarray(words, { minLength: 1 })
        .chain((some) => fc.constantFrom(some.join(","), some.join(", "), ` ${some.join(" , ")} `));
    default:
      return fc.constantFrom(...words);
  }
}

const configs = fc
  .subarray(
    Object.entries(table).filter(
      ([name]) => !LEFT_OUT.test(name) && name !== "min.insync.replicas",
    ),
  )
  .chain((some) =>
    fc.record(Object.fromEntries(some.map(([name, config]) => [name, spellingsOf(config)]))),
  )
  .filter(
    ({ "min.compaction.lag.ms": least = 0, "max.compaction.lag.ms": most = Infinity }) =>
      Number(least) <= Number(most),
  );

let made = 0;

test("kafka-init creates a topic in any spelling that brokers accept, and then finds it unchanged", () =>
  fc.assert(
    fc.asyncProperty(fc.array(configs, { minLength: 10, maxLength: 30 }), async (declared) => {
      const topics = declared.map(
        (some): Topic => ({ name: `made-${made++}`, partitions: 1, configs: some as never }),
      );
      const created = await provision(topics);
      expect(linesOf(created, "drift")).toEqual([]);
      expect(exitLine(created)).toMatchObject({ exit_code: 0, created: topics.length });
      const again = await provision(topics);
      expect(linesOf(again, "drift")).toEqual([]);
      expect(exitLine(again)).toMatchObject({ exit_code: 0, unchanged: topics.length });
    }),
    { numRuns: 5, endOnFailure: true },
  ));
