import { type ChildProcess, execFile, spawn } from "node:child_process";
import { openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify, stripVTControlCharacters } from "node:util";
import {
  copyOfProject,
  deploy,
  docker,
  type Finished,
  freshLab,
  openSearch,
  records,
  run,
} from "../support/lab";
import type { Json } from "../support/platform";
import { openStateServer, type StateServer } from "../support/state-server";

const NODES = {
  opensearch: ["opensearch-1", "opensearch-2", "opensearch-3"],
  kafka: ["kafka-1", "kafka-2", "kafka-3"],
} as const;

let copy: string;

beforeAll(async () => {
  await freshLab();
  const { exitCode, output } = deploy();
  if (exitCode !== 0) {
    throw new Error(output);
  }
  copy = copyOfProject();
}, 600_000);

afterAll(() => rmSync(copy, { recursive: true }));

/** Changes a file of the copy. */
function edit(file: string, from: string, to: string): void {
  const path = join(copy, file);
  const text = readFileSync(path, "utf8");
  expect(text).toContain(from);
  writeFileSync(path, text.replace(from, to));
}

/** `npm run up` in the copy, on a terminal or in a pipe. Its dependencies are the project's: nothing is to be installed. */
function up(where: "terminal" | "pipe"): Finished {
  const command = "node -r sucrase/register commands/up.ts";
  return where === "pipe"
    ? run("sh", ["-c", command], {}, copy)
    : run(
        "script",
        ["--quiet", "--return", "--command", `stty rows 40 cols 120; ${command}`, "/dev/null"],
        { CI: "", TERM: "xterm" },
        copy,
      );
}

/** Everything that a process printed, once it has ended. */
function outputOf(child: ChildProcess): Promise<string> {
  let output = "";
  child.stdout?.on("data", (chunk) => {
    output += chunk;
  });
  return new Promise((resolve) => child.on("close", () => resolve(output)));
}

describe("a change that replaces every node of both clusters", () => {
  let finished: Finished;
  let produced: Json[];
  let indexed: { acknowledged: number; failed: number[] };
  let events: { cluster: string; name: string; what: string }[];

  beforeAll(async () => {
    edit("environments/lab.ts", 'name: "lab",', 'name: "lab",\n  memoryScale: 0.6,');
    // No retries is the tool's default, endless ones are every other producer's.
    const produce =
      "echo retries=2147483647 >/tmp/producer; exec /opt/kafka/bin/kafka-run-class.sh org.apache.kafka.tools.VerifiableProducer --bootstrap-server kafka:9092 --topic infra-events --acks -1 --throughput 50 --command-config /tmp/producer";
    docker(
      ...["run", "--detach", "--name", "producer", "--network", "project_net"],
      ...["--entrypoint", "sh", "apache/kafka:4.3.1", "-c", produce],
    );
    const indexer = spawn("node", [
      join(__dirname, "..", "support", "indexer.mjs"),
      ...["logs-rolled", "9200", "9201", "9202"],
    ]);
    const fromIndexer = outputOf(indexer);
    // Followed, since the engine keeps 256 events only; into a file, since this process waits for another.
    const file = join(copy, "events");
    const follower = spawn(
      "docker",
      [
        ...["events", "--filter", "label=groundwork.cluster", "--format", "{{json .}}"],
        ...["--filter", "event=destroy", "--filter", "event=health_status"],
      ],
      { stdio: ["ignore", openSync(file, "w"), "inherit"] },
    );
    try {
      finished = up("terminal");
    } finally {
      docker("stop", "producer");
      indexer.kill("SIGTERM");
      follower.kill();
    }
    produced = docker("logs", "producer")
      .split("\n")
      .map((line) => JSON.parse(line));
    docker("rm", "producer");
    indexed = JSON.parse(await fromIndexer);
    events = readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
      .map(({ Action, Actor }) => ({
        cluster: Actor.Attributes["groundwork.cluster"],
        name: Actor.Attributes.name,
        what: Action,
      }));
  }, 600_000);

  test("ends with every guarantee in force", () => {
    expect(finished.output).toContain(
      "opensearch is rolled: opensearch-1, opensearch-2, opensearch-3",
    );
    expect(finished.output).toContain("kafka is rolled: kafka-1, kafka-2, kafka-3");
    expect(finished.exitCode).toBe(0);
  });

  test.each(["opensearch", "kafka"] as const)(
    "%s loses a node when the one before is back, and no other",
    (cluster) => {
      const gone: string[] = [];
      let missing: string | undefined;
      for (const { name, what } of events.filter((event) => event.cluster === cluster)) {
        if (what === "destroy") {
          expect({ gone: name, missing }).toEqual({ gone: name, missing: undefined });
          gone.push(name);
          missing = name;
        } else if (what === "health_status: healthy" && name === missing) {
          missing = undefined;
        }
      }
      expect(missing).toBeUndefined();
      expect([...gone].sort()).toEqual(NODES[cluster]);
    },
  );

  test("a producer has every record acknowledged meanwhile, and the topic has them all", () => {
    const sent = (name: string) => produced.filter((line) => line.name === name);
    expect(sent("producer_send_error")).toEqual([]);
    const acknowledged = sent("producer_send_success").length;
    expect(acknowledged).toBeGreaterThan(500);
    expect(records("infra-events")).toBe(acknowledged);
  });

  test("an indexer has every document acknowledged meanwhile, and the index has them all", () => {
    expect(indexed.failed).toEqual([]);
    expect(indexed.acknowledged).toBeGreaterThan(500);
    openSearch("POST", "/logs-rolled/_refresh");
    expect(openSearch("GET", "/logs-rolled/_count").count).toBe(indexed.acknowledged);
  });

  test("a terminal shows what is at work and redraws it", () => {
    // Erases the line above, https://en.wikipedia.org/wiki/ANSI_escape_code#CSI
    expect(finished.output).toContain("\u001b[1A");
    const shown = stripVTControlCharacters(finished.output);
    expect(shown).toMatch(/^ {2}data: \d+ s\r?\n {4}opensearch-\d {2}\d+ s, creating/m);
    expect(shown).toMatch(/^ {4}opensearch-\d {2}\d+ s, starts: does not answer yet/m);
    expect(shown).toMatch(/^ {2}messaging: kafka-1: created after \d+ s/m);
  });
});

describe("a roll whose first node does not come back", () => {
  const roles = ['"broker,controller"', '"broker,controler"'] as const;
  let finished: Finished;

  beforeAll(() => {
    edit("constructs/kafka/kafka-cluster.ts", ...roles);
    // Else it would wait for three minutes.
    edit(
      "constructs/kafka/kafka-cluster.ts",
      "healthCheck: {",
      "healthCheck: { startPeriodSeconds: 20,",
    );
    finished = up("pipe");
  }, 300_000);

  test("stops there, and says why with the container's own words", () => {
    expect(finished.exitCode).toBe(1);
    const [, node, others] =
      /kafka: (kafka-\d) did not come back, so the others \((.*)\) were left as they are/.exec(
        finished.output,
      ) ?? [];
    expect(others.split(", ")).toEqual(NODES.kafka.filter((name) => name !== node));
    expect(finished.output).toMatch(
      new RegExp(
        `^${node} ended with 1, its log says why, restarted \\d+ times; its last lines:$`,
        "m",
      ),
    );
    expect(finished.output).toContain("controler");
    expect(finished.output).toMatch(
      /messaging: kafka-\d: 1\d s, restarted \d+ times(, last exit code 1)?: .*ConfigException: Invalid value controler/,
    );
  });

  test("leaves the cluster serving", () => {
    const serving = docker(
      ...[
        "ps",
        "--filter",
        "label=groundwork.cluster=kafka",
        "--filter",
        "health=healthy",
        "--quiet",
      ],
    );
    expect(serving.split("\n")).toHaveLength(2);
    const { exitCode } = run("docker", [
      ...[
        "run",
        "--rm",
        "--network",
        "project_net",
        "--entrypoint",
        "sh",
        "apache/kafka:4.3.1",
        "-c",
      ],
      "/opt/kafka/bin/kafka-run-class.sh org.apache.kafka.tools.VerifiableProducer --bootstrap-server kafka:9092 --topic infra-events --acks -1 --max-messages 10",
    ]);
    expect(exitCode).toBe(0);
  });

  test("goes on once it is corrected, with the node that is missing first", () => {
    edit("constructs/kafka/kafka-cluster.ts", roles[1], roles[0]);
    const { exitCode, output } = up("pipe");
    expect(output).toContain("kafka is rolled: ");
    expect(exitCode).toBe(0);
    const { status, number_of_nodes } = openSearch("GET", "/_cluster/health");
    expect([status, number_of_nodes]).toEqual(["green", 3]);
  });
});

describe("a state that moves to where the whole team finds it", () => {
  const execute = promisify(execFile);
  const LAYERS = ["network", "storage", "data", "messaging", "observability"];
  let server: StateServer;
  let moved: string;
  let deployed: string;

  /** Not blocking: this process is the backend. */
  const command = async (file: string) =>
    (await execute("node", ["-r", "sucrase/register", file], { cwd: copy, env: process.env }))
      .stdout;

  beforeAll(async () => {
    server = await openStateServer();
    const state = `state: { kind: "http", address: "${server.address}" }`;
    edit("environments/lab.ts", 'name: "lab",', `name: "lab",\n  ${state},`);
    moved = await command("commands/migrate-state.ts");
    deployed = await command("commands/up.ts");
  }, 300_000);
  afterAll(() => server.close());

  test("is moved by one command, every stack", () => {
    for (const layer of LAYERS) {
      expect(moved).toMatch(new RegExp(`^lab-${layer} +moved$`, "m"));
    }
    expect([...server.states.keys()].sort()).toEqual(LAYERS.map((name) => `/lab-${name}`).sort());
  });

  test("is the state that the next deploy finds, locks, and has nothing to do with", () => {
    for (const layer of LAYERS) {
      expect(deployed).toContain(`${layer}: no changes`);
    }
    expect(server.locked()).toBeGreaterThanOrEqual(LAYERS.length);
  });
});
