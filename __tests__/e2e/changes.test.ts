import { execFile } from "node:child_process";
import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify, stripVTControlCharacters } from "node:util";
import { copyOfProject, editCopy } from "../../operations/bench/copy";
import {
  deploy,
  docker,
  expectDone,
  type Finished,
  freshLab,
  openSearch,
  run,
  TRIAL,
} from "../support/lab";
import {
  expectAllDocuments,
  expectAllRecords,
  goneOneByOne,
  type Load,
  underLoad,
} from "../support/load";
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
const edit = (file: string, from: string, to: string) => editCopy(copy, file, from, to);

/** `npm run up` in the copy, on a terminal or in a pipe. Its dependencies are the project's: nothing is to be installed. */
function up(where: "terminal" | "pipe"): Finished {
  const command = "node -r ./register.js commands/up.ts";
  return where === "pipe"
    ? run("sh", ["-c", command], {}, copy)
    : run(
        "script",
        ["--quiet", "--return", "--command", `stty rows 40 cols 120; ${command}`, "/dev/null"],
        { CI: "", TERM: "xterm" },
        copy,
      );
}

describe("a change that replaces every node of both clusters", () => {
  let finished: Finished;
  let load: Load;

  beforeAll(async () => {
    edit("environments/lab.ts", 'name: "lab",', 'name: "lab",\n  memoryScale: 0.6,');
    edit("stacks/storage-stack.ts", 'this.volume("loki")', 'this.volume("logs")');
    load = await underLoad("rolled", () => {
      finished = up("terminal");
    });
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
      expect(goneOneByOne(load, cluster)).toEqual(NODES[cluster]);
    },
  );

  test("the clusters lose theirs side by side", () => {
    const losses = load.events.filter(({ what }) => what === "destroy").map((lost) => lost.cluster);
    for (const cluster of Object.keys(NODES)) {
      // The last of the other's comes after the first of its own.
      expect(losses.slice(0, 4)).toContain(cluster);
    }
  });

  test("a producer has every record acknowledged meanwhile, and the topic has them all", () =>
    expectAllRecords(load));

  test("an indexer has every document acknowledged meanwhile, and the index has them all", () =>
    expectAllDocuments(load));

  test("a volume that is no longer declared is left with its data", () => {
    expect(finished.output).toContain(
      "volume loki-data is no longer declared: it stays with its data; docker volume rm removes it",
    );
    expect(docker("volume", "ls", "--quiet", "--filter", "name=^lo").split("\n").sort()).toEqual([
      "logs-data",
      "loki-data",
    ]);
    docker("volume", "rm", "loki-data");
  });

  test("a terminal shows what is at work and redraws it", () => {
    // Erases the line above, https://en.wikipedia.org/wiki/ANSI_escape_code#CSI
    expect(finished.output).toContain("\u001b[1A");
    const shown = stripVTControlCharacters(finished.output);
    // Of a frame only the lines are written that differ from the one before.
    expect(shown).toMatch(/^ {2}data: \d+ s\r?\n {4}opensearch-\d {2}\d+ s, /m);
    expect(shown).toMatch(/ {4}opensearch-\d {2}\d+ s, creating/);
    expect(shown).toMatch(/ {4}opensearch-\d {2}\d+ s, starts: does not answer yet/);
    expect(shown).toMatch(/^ {2}messaging: kafka-1: created after \d+ s/m);
  });
});

describe("a roll whose first node does not come back", () => {
  const roles = ['"broker,controller"', '"broker,controler"'] as const;
  // Else it would wait for three minutes.
  const patience = ["healthCheck: {", "healthCheck: { startPeriodSeconds: 20,"] as const;
  let finished: Finished;

  beforeAll(() => {
    edit("constructs/kafka/kafka-cluster.ts", ...roles);
    edit("constructs/kafka/kafka-cluster.ts", ...patience);
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
      /messaging: kafka-\d: \d+ s, restarted \d+ times(, last exit code 1)?: .*ConfigException: Invalid value controler/,
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
      ...["run", ...TRIAL, "--rm", "--network", "project_net"],
      ...["--entrypoint", "sh", "apache/kafka:4.3.1", "-c"],
      "/opt/kafka/bin/kafka-run-class.sh org.apache.kafka.tools.VerifiableProducer --bootstrap-server kafka:9092 --topic infra-events --acks -1 --max-messages 10",
    ]);
    expect(exitCode).toBe(0);
  });

  test("goes on once it is corrected, with the node that is missing first", () => {
    edit("constructs/kafka/kafka-cluster.ts", roles[1], roles[0]);
    edit("constructs/kafka/kafka-cluster.ts", patience[1], patience[0]);
    const { exitCode, output } = up("pipe");
    expect(output).toContain("kafka is rolled: ");
    expect(exitCode).toBe(0);
    const { status, number_of_nodes } = openSearch("GET", "/_cluster/health");
    expect([status, number_of_nodes]).toEqual(["green", 3]);
  });
});

describe("a state that is lost while everything runs", () => {
  let refused: Finished;
  let adopted: Finished;
  let again: Finished;
  let load: Load;
  /** Where each volume lies and since when: the engine's own date of creation follows what is written. */
  const volumes = () =>
    docker(
      ...["volume", "inspect", "--format", "{{.Mountpoint}}"],
      ...docker("volume", "ls", "--quiet").split("\n"),
    )
      .split("\n")
      .map((path) => [path, statSync(path).ino, statSync(path).birthtimeMs]);
  let before: ReturnType<typeof volumes>;

  beforeAll(async () => {
    rmSync(join(copy, ".state", "lab"), { recursive: true });
    before = volumes();
    refused = up("pipe");
    load = await underLoad("adopted", () => {
      adopted = run("sh", ["-c", "node -r ./register.js commands/adopt.ts"], {}, copy);
    });
    again = up("pipe");
  }, 900_000);

  test("is seen before anything is changed, with what is there, whose it is and what to do", () => {
    expect(refused.exitCode).toBe(1);
    expect(refused.output).toMatch(
      /nothing was changed, because:\n- the engine has 3 networks and 11 containers \(.*, .*, .* and 11 more\) of environment "lab" that this state does not know, since another clone deployed them or the state was lost: npm run adopt takes them over and loses nothing that is stored\n/,
    );
    expect(refused.output).not.toContain("Error:");
  });

  test("is made good by npm run adopt: networks and volumes as they are, containers replaced", () => {
    expectDone(adopted);
    for (const name of ["network infra_net", "network project_net", "volume kafka-1-data"]) {
      expect(adopted.output).toContain(`took over ${name}\n`);
    }
    expect(adopted.output).toContain("kafka is rolled: kafka-1, kafka-2, kafka-3");
    expect(before).toHaveLength(10);
    expect(volumes()).toEqual(before);
    expect(again.output.match(/: no changes/g)).toHaveLength(5);
  });

  test.each(["opensearch", "kafka"] as const)(
    "%s serves meanwhile: a node goes when the one before is back",
    (cluster) => {
      expect(goneOneByOne(load, cluster)).toEqual(NODES[cluster]);
    },
  );

  test("and nothing that was acknowledged is lost", () => {
    expectAllRecords(load);
    expectAllDocuments(load);
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
    (await execute("node", ["-r", "./register.js", file], { cwd: copy, env: process.env })).stdout;

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
