import { stripVTControlCharacters } from "node:util";
import { eventually } from "../../support/eventually";
import {
  deploy,
  docker,
  expectDone,
  type Finished,
  freshLab,
  kafka,
  NODES,
  OF_THE_LAB,
  openSearch,
  run,
  TRIAL,
} from "../../support/lab";
import {
  expectAllDocuments,
  expectAllRecords,
  goneOneByOne,
  type Load,
  underLoad,
} from "../../support/load";
import { projectCopy } from "../../support/project-copy";

const copy = projectCopy();

beforeAll(async () => {
  await freshLab();
  expectDone(deploy());
});

/** Runs `npm run up` in the copy, on a terminal or in a pipe. The copy shares the project's dependencies. */
function up(where: "terminal" | "pipe"): Finished {
  const onTerminal = "stty rows 40 cols 120; node commands/groundwork.mjs up";
  return where === "pipe"
    ? copy.command("up")
    : run(
        "script",
        ["--quiet", "--return", "--command", onTerminal, "/dev/null"],
        { CI: "", TERM: "xterm" },
        copy.folder,
      );
}

describe("a change that replaces every node of both clusters", () => {
  let finished: Finished;
  let load: Load;

  beforeAll(async () => {
    copy.edit("lab/environments.ts", 'name: "lab",', 'name: "lab",\n  memoryScale: 0.6,');
    copy.edit("stacks/storage-stack.ts", 'this.volume("loki")', 'this.volume("logs")');
    load = await underLoad("rolled", () => {
      finished = up("terminal");
    });
  });

  test("rolls both clusters and succeeds", () => {
    expect(finished.output).toContain(
      "rolling replacement of opensearch: opensearch-1, opensearch-2, opensearch-3",
    );
    expect(finished.output).toContain("rolling replacement of kafka: kafka-1, kafka-2, kafka-3");
    expect(finished.exitCode).toBe(0);
  });

  test.each(["opensearch", "kafka"] as const)(
    "a node of %s stops only when the previous one is back",
    (cluster) => {
      expect(goneOneByOne(load, cluster)).toEqual(NODES[cluster]);
    },
  );

  test("both clusters roll at the same time", () => {
    const losses = load.events.filter(({ what }) => what === "destroy").map((lost) => lost.cluster);
    for (const cluster of Object.keys(NODES)) {
      // The last of the other cluster's three nodes stops after the first of this one.
      expect(losses.slice(0, 3)).toContain(cluster);
    }
  });

  test("a producer gets an acknowledgment for every record, and the topic has them all", () =>
    expectAllRecords(load));

  test("an indexer gets an acknowledgment for every document, and the index has them all", () =>
    expectAllDocuments(load));

  test("a volume that is no longer declared stays with its data", () => {
    expect(finished.output).toContain(
      "volume loki-data is no longer declared and keeps its data. Declare it again to use it again, or run npm run volumes -- --remove-orphans after this deploy to delete it",
    );
    expect(docker("volume", "ls", "--quiet", "--filter", "name=^lo").split("\n").sort()).toEqual([
      "logs-data",
      "loki-data",
    ]);
    docker("volume", "rm", "loki-data");
  });

  test("a terminal shows what is running and redraws it", () => {
    // Erases the line above, https://en.wikipedia.org/wiki/ANSI_escape_code#CSI
    expect(finished.output).toContain("\u001b[1A");
    const shown = stripVTControlCharacters(finished.output);
    // Only lines that differ from the previous frame are written.
    expect(shown).toMatch(/^ {2}data: \d+ s\r?\n {4}opensearch-\d {2}\d+ s, /m);
    expect(shown).toMatch(/ {4}opensearch-\d {2}\d+ s, creating/);
    expect(shown).toMatch(/ {4}opensearch-\d {2}\d+ s, starting: no answer yet/);
    expect(shown).toMatch(/^ {2}messaging: kafka-1: created after \d+ s/m);
  });
});

describe("a roll whose first node does not come back", () => {
  const roles = ['"broker,controller"', '"broker,controler"'] as const;
  let patience: [before: string, after: string];
  let finished: Finished;

  beforeAll(() => {
    const status = kafka("kafka-metadata-quorum", ["describe", "--status"]);
    const [, leader] = /^LeaderId:\s+(\d+)/m.exec(status) ?? [];
    const first = NODES.kafka.find((name) => name !== `kafka-${leader}`);
    // Only the first replaced node is given up after 30 s. Others have three minutes to come back.
    patience = [
      "healthCheck: {",
      `healthCheck: { startPeriodSeconds: name === "${first}" ? 30 : 180,`,
    ];
    copy.edit("constructs/kafka/kafka-cluster.ts", ...roles);
    copy.edit("constructs/kafka/kafka-cluster.ts", ...patience);
    finished = up("pipe");
  });

  test("stops at this node, and quotes the reason from the container's log", () => {
    expect(finished.exitCode).toBe(1);
    const [, node, others] =
      /kafka: (kafka-\d) did not come back; the other nodes \((.*)\) were left unchanged/.exec(
        finished.output,
      ) ?? [];
    expect(others.split(", ")).toEqual(NODES.kafka.filter((name) => name !== node));
    expect(finished.output).toMatch(
      new RegExp(
        `^${node} exited with 1 \\(restarted (?:once|\\d+ times)\\); last lines of its log:$`,
        "m",
      ),
    );
    expect(finished.output).toContain("controler");
    expect(finished.output).toMatch(
      /messaging: kafka-\d: \d+ s, restarted \d+ times(, last exit code 1)?: .*ConfigException: Invalid value controler/,
    );
  });

  test("leaves the cluster available", async () => {
    const brokers = ["--filter", "label=groundwork.cluster=kafka", ...OF_THE_LAB];
    await eventually(() => {
      const healthy = docker("ps", "--quiet", "--filter", "health=healthy", ...brokers);
      return healthy.split("\n").length === 2 ? [] : [docker("ps", ...brokers)];
    });
    const { exitCode } = run("docker", [
      ...["run", ...TRIAL, "--rm", "--network", "project_net"],
      ...["--entrypoint", "sh", "apache/kafka:4.3.1", "-c"],
      "/opt/kafka/bin/kafka-run-class.sh org.apache.kafka.tools.VerifiableProducer --bootstrap-server kafka:9092 --topic infra-events --acks -1 --max-messages 10",
    ]);
    expect(exitCode).toBe(0);
  });

  test("continues with the missing node after the mistake is corrected", () => {
    copy.edit("constructs/kafka/kafka-cluster.ts", roles[1], roles[0]);
    copy.edit("constructs/kafka/kafka-cluster.ts", patience[1], patience[0]);
    const { exitCode, output } = up("pipe");
    expect(output).toContain("rolling replacement of kafka: ");
    expect(exitCode).toBe(0);
    const { status, number_of_nodes } = openSearch("GET", "/_cluster/health");
    expect([status, number_of_nodes]).toEqual(["green", 3]);
  });
});
