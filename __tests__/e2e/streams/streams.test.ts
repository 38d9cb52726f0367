import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KAFKA_IMAGE } from "../../../constructs";
import { eventually } from "../../support/eventually";
import { expectDone } from "../../support/lab";
import { ROOT } from "../../support/root";
import { deployedSecuredLab, Guest } from "../../support/secured";

// Real clients with what they declare: a transactional producer, Kafka Streams and Kafka Connect.

const APPLICATIONS = `  {
    name: "payments",
    topics: { "infra-events": "write" },
    transactionalIds: ["payments-*"],
  },
  {
    name: "words",
    topics: { "infra-events": "read", "word-counts": "write" },
    streams: "word-count",
  },
  { name: "report", topics: { "word-counts": "read" }, consumerGroups: ["report"] },
  { name: "etl", topics: { lines: "readwrite" }, connect: "pipes" },
`;

const VERSION = KAFKA_IMAGE.split(":")[1];

const project = deployedSecuredLab((copy) => {
  copy.edit("catalog/topics.ts", "] = [\n", '] = [\n  { name: "word-counts", partitions: 1 },\n');
  copy.edit("catalog/topics.ts", "] = [\n", '] = [\n  { name: "lines", partitions: 1 },\n');
  copy.edit(
    "catalog/applications.ts",
    '  {\n    name: "shop"',
    `${APPLICATIONS}  {\n    name: "shop"`,
  );
  return copy.command("up");
});
const folder = mkdtempSync(join(tmpdir(), "groundwork-streams-"));
let client: Guest;

beforeAll(() => {
  client = new Guest("client", "project_net");
  const libraries = join(folder, "libraries");
  const pom = ["--file", join(__dirname, "pom.xml"), `-Dkafka.version=${VERSION}`];
  execFileSync("mvn", [
    ...["--batch-mode", "--quiet", ...pom, "dependency:copy-dependencies"],
    `-DoutputDirectory=${libraries}`,
  ]);
  execFileSync(process.execPath, [
    join(ROOT, "constructs", "kafka", "kafka-init", "build.mjs"),
    ...["--sources", __dirname, "--jar", join(folder, "clients.jar")],
    ...["--class-path", join(libraries, `kafka-streams-${VERSION}.jar`)],
  ]);
  client.copy(libraries, "libraries");
  client.copy(join(folder, "clients.jar"), "clients.jar");
  for (const name of ["payments", "words", "report", "etl"]) {
    const properties = project.credentials(name, "properties");
    // The console consumer reads a partition without a group.
    client.put(`${name}.properties`, properties.replace("group.id=report\n", ""));
  }
});

afterAll(() => {
  client.remove();
  rmSync(folder, { recursive: true });
});

const JAVA = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
const CLASS_PATH = ["-cp", "/opt/kafka/libs/*:/tmp/libraries/*:/tmp/clients.jar"];

const java = (...args: string[]) => client.run(...JAVA, ...CLASS_PATH, ...args).output;

/** Starts a program of the client's container in the background. Its output is in the file NAME.log. */
function start(name: string, ...args: string[]): void {
  const command = [...JAVA, ...CLASS_PATH, ...args];
  const script = 'name=$0; setsid "$@" >"$name.log" 2>&1 & echo $! >"$name.pid"';
  expectDone(client.run("sh", "-c", script, name, ...command));
}

const log = (name: string) => client.run("cat", `${name}.log`).output;

/** Ends a program at once, as a crash does. */
const kill = (name: string) => expectDone(client.run("sh", "-c", `kill -9 "$(cat ${name}.pid)"`));

/** Returns the topics that an application sees, of which it may describe no other. */
const topicsOf = (name: string) =>
  client
    .run(
      ...["/opt/kafka/bin/kafka-topics.sh", "--bootstrap-server", "kafka:9092"],
      ...["--command-config", `${name}.properties`, "--list"],
    )
    .output.trim()
    .split("\n")
    .sort();

const send = (...transactions: string[]) =>
  java("Transactions", "payments.properties", "infra-events", "payments-1", ...transactions);

describe("a transactional producer", () => {
  test("commits and aborts with its transactional id", () => {
    expect(send("commit", "to be or not to be", "abort", "to be aborted")).toBe("commit\nabort\n");
  });

  test.each([
    ["another transactional id", "infra-events", "refunds", "TransactionalIdAuthorization"],
    ["another topic", "word-counts", "payments-1", "TopicAuthorization"],
  ])("is refused %s", (_, topic, id, error) => {
    expect(java("Transactions", "payments.properties", topic, id, "commit", "no")).toContain(
      `failed org.apache.kafka.common.errors.${error}Exception: `,
    );
  });
});

describe("Kafka Streams", () => {
  const running = (name: string) =>
    eventually(() => (/state RUNNING/.test(log(name)) ? [] : [log(name)]));
  const count = (name: string, ...topics: string[]) =>
    start(name, "WordCount", `${name}.properties`, ...topics);

  /** Waits for the last count of each word, read with the isolation level of exactly once. */
  const expectCounts = (expected: Readonly<Record<string, number>>) =>
    eventually(() => {
      const { output } = client.run(
        ...["/opt/kafka/bin/kafka-console-consumer.sh", "--bootstrap-server", "kafka:9092"],
        ...["--command-config", "report.properties", "--topic", "word-counts"],
        ...["--partition", "0", "--offset", "earliest"],
        ...["--command-property", "enable.auto.commit=false", "--timeout-ms", "5000"],
        ...["--isolation-level", "read_committed", "--formatter-property", "print.key=true"],
      );
      const counts = Object.fromEntries(
        [...output.matchAll(/^(\w+)\t(\d+)$/gm)].map(([, word, number]) => [word, Number(number)]),
      );
      const sorted = (all: object) => JSON.stringify(Object.entries(all).sort());
      return sorted(counts) === sorted(expected) ? [] : [counts, output.slice(-1000)];
    });

  test("counts each committed word exactly once, with internal topics that it creates", async () => {
    count("words", "infra-events", "word-counts");
    await running("words");
    await expectCounts({ to: 2, be: 2, or: 1, not: 1 });
    expect(topicsOf("words")).toEqual([
      "infra-events",
      ...["word-count-counts-changelog", "word-count-counts-repartition"],
      "word-counts",
    ]);
  });

  test("goes on from its changelog after a crash", async () => {
    kill("words");
    expect(send("commit", "not to count")).toBe("commit\n");
    count("words", "infra-events", "word-counts");
    await running("words");
    await expectCounts({ to: 3, be: 2, or: 1, not: 2, count: 1 });
    expect(log("words")).not.toContain("failed");
  });

  test.each([
    ["with another application.id", "word-counter", "word-counts", "(Topic|Group)Authorization"],
    ["that writes to another topic", "word-count", "application-logs", "TopicAuthorization"],
  ])("is refused %s", async (_, id, topic, error) => {
    kill("words");
    const properties = project.credentials("words", "properties");
    client.put(
      "refused.properties",
      properties.replace("application.id=word-count\n", `application.id=${id}\n`),
    );
    count("refused", "infra-events", topic);
    send("commit", "again");
    await eventually(() =>
      new RegExp(`org\\.apache\\.kafka\\.common\\.errors\\.${error}Exception`).test(log("refused"))
        ? []
        : [log("refused")],
    );
    count("words", "infra-events", "word-counts");
    await running("words");
  });

  test("is reset by its own user, which deletes its internal topics", () => {
    kill("words");
    const { output, exitCode } = client.run(
      ...[...JAVA, ...CLASS_PATH, "org.apache.kafka.tools.StreamsResetter", "--force"],
      ...["--bootstrap-server", "kafka:9092", "--config-file", "words.properties"],
      ...["--application-id", "word-count", "--input-topics", "infra-events"],
    );
    expect({ exitCode, output }).toEqual({ exitCode: 0, output });
    expect(topicsOf("words")).toEqual(["infra-events", "word-counts"]);
  });
});

describe("Kafka Connect", () => {
  const REST = "http://localhost:8083/connectors";

  /** The settings of the worker, and the same for its connectors' clients. */
  const worker = () => {
    const login = project.credentials("etl", "properties");
    const prefixed = ["producer.", "consumer.", "admin."].map((prefix) =>
      login.replace(/^(?=\S)/gm, prefix),
    );
    return [
      ...[login, ...prefixed, "group.id=pipes"],
      ...["config", "offset", "status"].map(
        (kind) =>
          `${kind}.storage.topic=pipes-${{ config: "configs", offset: "offsets", status: "status" }[kind]}`,
      ),
      ...["key", "value"].map(
        (part) => `${part}.converter=org.apache.kafka.connect.storage.StringConverter`,
      ),
      ...["listeners=http://localhost:8083", "exactly.once.source.support=enabled"],
      ...["plugin.path=/tmp/plugins", "plugin.discovery=only_scan", ""],
    ].join("\n");
  };

  const connect = (name: string, config: Readonly<Record<string, string>>) =>
    client.run(
      ...["curl", "--silent", "--request", "PUT", "--header", "Content-Type: application/json"],
      ...["--data-binary", JSON.stringify(config), `${REST}/${name}/config`],
    ).output;

  const statusOf = (name: string) =>
    client.run("curl", "--silent", `${REST}/${name}/status`).output;

  beforeAll(() => {
    client.put("connect.properties", worker());
    client.put("in.txt", "first\nsecond\n");
    client.run("sh", "-c", "mkdir plugins && mv libraries/connect-file-*.jar plugins");
    start("connect", "org.apache.kafka.connect.cli.ConnectDistributed", "/tmp/connect.properties");
  });

  test("copies lines with a source and a sink, exactly once", async () => {
    const file = "org.apache.kafka.connect.file.FileStream";
    await eventually(() => {
      const answers = [
        connect("lines-in", {
          ...{ "connector.class": `${file}SourceConnector`, file: "/tmp/in.txt", topic: "lines" },
        }),
        connect("lines-out", {
          ...{ "connector.class": `${file}SinkConnector`, file: "/tmp/out.txt", topics: "lines" },
        }),
      ];
      return answers.every((answer) => answer.includes('"tasks"'))
        ? []
        : [...answers, log("connect").slice(-2000)];
    });
    await eventually(() => {
      const { output } = client.run("cat", "out.txt");
      return output === "first\nsecond\n"
        ? []
        : [output, statusOf("lines-in"), statusOf("lines-out")];
    });
    expect(topicsOf("etl")).toEqual(["lines", "pipes-configs", "pipes-offsets", "pipes-status"]);
  });

  test("is refused a topic that it does not declare", async () => {
    connect("elsewhere", {
      "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
      ...{ file: "/tmp/elsewhere.txt", topics: "infra-events" },
    });
    await eventually(() => {
      const status = statusOf("elsewhere");
      return /"state":"FAILED".*TopicAuthorizationException/.test(status) ? [] : [status];
    });
  });
});
