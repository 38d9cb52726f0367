import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environments } from "../../../environments";
import { labThreeSecured } from "../../../lab/environments";
import { Platform } from "../../../operations/platform/platform";
import { JAR, KafkaHarness } from "../../support/fake-kafka";
import { ROOT } from "../../support/root";

const calls: { args: string[]; input: Buffer }[] = [];
let answer: { exitCode: number; output: string };

// An engine whose brokers' program prints the test's answer.
jest.mock("../../../operations/engine/docker", () => ({
  followDocker: async (
    _engine: unknown,
    { input, onLine }: { input: Buffer; onLine: (line: string) => void },
    ...args: string[]
  ) => {
    calls.push({ args, input });
    // An error is on standard error.
    const lines = answer.exitCode === 0 ? answer.output.split("\n").filter(Boolean) : [];
    lines.forEach(onLine);
    return answer;
  },
}));

function members(environment = environments.laptop, ...lines: object[]) {
  calls.length = 0;
  answer = { exitCode: 0, output: lines.map((line) => JSON.stringify(line)).join("\n") };
  return new Platform(environment).kafka.members;
}

/** Returns the arguments of the program in the last call. */
const asked = () => {
  const args = calls.at(-1)?.args ?? [];
  return args.slice(args.indexOf("KafkaMembers") + 1);
};

const variables = () => {
  const args = calls.at(-1)?.args ?? [];
  return args.filter((_, i) => args[i - 1] === "--env");
};

describe("Kafka's brokers", () => {
  test("are moved by the jar of kafka-init, in a broker's container", async () => {
    await members(undefined, { moves: { replicas: 0, bytes: 0 } }).describeDeparture("kafka-1", [
      "kafka-4",
    ]);
    const [{ args, input }] = calls;
    expect(input.equals(readFileSync(JAR))).toBe(true);
    expect(args.slice(0, 2)).toEqual(["exec", "--interactive"]);
    expect(args).toContain("kafka-1");
    expect(args).toContain(String(input.length));
    expect(variables()).toEqual([
      "KAFKA_BOOTSTRAP_SERVERS=kafka-1.infra_net:19092",
      "KAFKA_BOOTSTRAP_CONTROLLERS=kafka-1.infra_net:9093,kafka-2.infra_net:9093,kafka-3.infra_net:9093",
    ]);
  });

  test("are moved with the certificate of the broker in a secured environment", async () => {
    await members(labThreeSecured).forget("kafka-2", ["kafka-4"]);
    expect(variables()).toContain("KAFKA_CLIENT_CONFIG=/groundwork/client.properties");
    expect(variables()).toContain("KAFKA_BOOTSTRAP_SERVERS=kafka-2.infra-net:19092");
  });

  test("leave with what moves, or with all reasons why they cannot", async () => {
    const moves = { replicas: 12, bytes: 3_000_000 };
    const refusals = ["topic orders has replication factor 4", "the disk of kafka-1 is full"];
    const lines = [...refusals.map((refusal) => ({ refusal })), { moves }];
    expect(
      await members(undefined, ...lines).describeDeparture("kafka-1", ["kafka-4", "kafka-5"]),
    ).toEqual({ ...moves, refusals });
    expect(asked()).toEqual(["departure", "4,5"]);
  });

  test("are drained with a throttle of 50 MiB/s, and the progress is handed over", async () => {
    const left = [
      { replicas: 3, bytes: 900 },
      { replicas: 1, bytes: 100 },
    ];
    const seen: object[] = [];
    await members(undefined, ...left.map((each) => ({ left: each }))).drain(
      "kafka-1",
      ["kafka-4"],
      (each) => seen.push(each),
    );
    expect(asked()).toEqual(["drain", "4", "52428800"]);
    expect(seen).toEqual(left);
  });

  test("arrive on their machines", async () => {
    const moves = { replicas: 7, bytes: 70 };
    expect(
      await members(labThreeSecured, { moves }).describeArrival("kafka-1", ["kafka-4"]),
    ).toEqual({ ...moves, refusals: [] });
    expect(asked()).toEqual(["arrival", "4=a"]);
    await members(undefined, { moves }).describeArrival("kafka-1", ["kafka-4", "kafka-5"]);
    expect(asked()).toEqual(["arrival", "4,5"]);
  });

  test("are filled with a throttle of 50 MiB/s", async () => {
    await members().fill("kafka-1", () => undefined);
    expect(asked()).toEqual(["fill", "52428800"]);
  });

  test("are kept, and the lines say what was taken back", async () => {
    const undone = ["cancelled the moves of 2 partitions", "removed the replication throttle"];
    const kafka = members(undefined, ...undone.map((each) => ({ undone: each })));
    expect(await kafka.keep("kafka-1", ["kafka-1", "kafka-2", "kafka-3"])).toEqual(undone);
    expect(asked()).toEqual(["keep", "1,2,3"]);
  });

  test("fail with Kafka's words", async () => {
    const kafka = members();
    answer = { exitCode: 1, output: "Cluster authorization failed." };
    await expect(kafka.fill("kafka-3", () => undefined)).rejects.toThrow(
      "Kafka, asked through kafka-3: Cluster authorization failed.",
    );
  });

  test("are never taken for empty if the program says nothing", async () => {
    await expect(members().describeDeparture("kafka-1", ["kafka-4"])).rejects.toThrow(
      "kafka-1 does not tell what moves: run the same command again",
    );
  });
});

describe("kafka-program.sh", () => {
  const folder = mkdtempSync(join(tmpdir(), "kafka-program-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  const SCRIPT = join(ROOT, "operations", "platform", "kafka-program.sh");

  /** Runs the script with a java that prints its arguments and its standard input. */
  function runScript(jar: string, size: number, input: string) {
    writeFileSync(join(folder, "java"), '#!/bin/sh\necho "ran $*"\ncat\n', { mode: 0o755 });
    const { status, stdout } = spawnSync(
      "sh",
      [SCRIPT, join(folder, jar), String(size), "KafkaMembers", "keep", "1,2,3"],
      { input, encoding: "utf8", env: { PATH: `${folder}:${process.env.PATH}` } },
    );
    return { status, stdout };
  }
  const jars = () => readdirSync(folder).filter((name) => name.startsWith("groundwork-"));

  test("runs the program of the jar that it gets, and keeps only that jar", () => {
    writeFileSync(join(folder, "groundwork-old.jar"), "old");
    const { status, stdout } = runScript("groundwork-new.jar", 3, "new");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ran -Xmx96m .*groundwork-new\.jar.* KafkaMembers keep 1,2,3\n$/);
    expect(jars()).toEqual(["groundwork-new.jar"]);
  });

  test("hands the program what follows the jar, whether it is there or not", () => {
    for (const _ of ["not there yet", "there"]) {
      const { stdout } = runScript("groundwork-rest.jar", 3, `jar{"topics": []}`);
      expect(stdout.split("\n")[1]).toBe('{"topics": []}');
    }
    expect(readFileSync(join(folder, "groundwork-rest.jar"), "utf8")).toBe("jar");
  });

  test("runs no jar of which the end is missing", () => {
    const { status, stdout } = runScript("groundwork-cut.jar", 100, "cut");
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(jars().filter((name) => name.includes("cut"))).toEqual([]);
  });
});

describe("the program in a broker's container", () => {
  let harness: KafkaHarness;
  beforeAll(async () => {
    harness = await KafkaHarness.start();
  });
  afterAll(() => harness.stop());

  test("ends when the command that runs it has ended", async () => {
    // A broker that never answers.
    const silent = createServer(() => undefined);
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as { port: number };
    const program = spawn(
      "java",
      [
        ...["-XX:TieredStopAtLevel=1", "-cp", `${JAR}:${harness.libraries}/*`],
        ...["KafkaMembers", "keep", "1,2,3"],
      ],
      {
        env: { ...process.env, KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${port}` },
        stdio: ["pipe", "ignore", "ignore"],
      },
    );
    const [connection] = await once(silent, "connection");
    expect(program.exitCode).toBeNull();
    program.stdin.end();
    expect(await once(program, "exit")).toEqual([1, null]);
    connection.destroy();
    silent.close();
  });
});
