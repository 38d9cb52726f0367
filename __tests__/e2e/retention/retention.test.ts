import { eventually } from "../../support/eventually";
import {
  docker,
  expectDone,
  type Finished,
  freshLab,
  kafka,
  NODES,
  openSearch,
  records,
  run,
  topic,
} from "../../support/lab";
import { projectCopy } from "../../support/project-copy";

const project = projectCopy();

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const COUNT = 5 * 1024;
const TOPICS = ["by-size", "by-age"] as const;

const WITHOUT_PLUGIN = "raiseUlimits: false, indexManagement: false },";
const WITH_PLUGIN = "raiseUlimits: false, indexManagement: true },";

const git = (...args: string[]) => expectDone(run("git", args, {}, project.folder));

/** Returns the offset of the first record that each topic still has. */
const firstOffsets = () =>
  TOPICS.map((name) =>
    Number(kafka("kafka-get-offsets", ["--topic", name, "--time", "earliest"]).split(":")[2]),
  );

/** Returns the segments of the topics on the disk of each broker, including those that are about to be deleted. */
const segments = (name: string) =>
  NODES.kafka.map(
    (broker) =>
      docker("exec", broker, "find", `/var/lib/kafka/data/${name}-0`, "-name", "*.log*").split("\n")
        .length,
  );

beforeAll(async () => {
  await freshLab();
  project.edit(
    "catalog/topics.ts",
    "\n];",
    `
  { name: "by-size", partitions: 1, configs: { "segment.bytes": ${MIB}, "retention.bytes": ${9 * GIB} } },
  { name: "by-age", partitions: 1, configs: { "segment.bytes": ${MIB} } },
];`,
  );
  project.edit(
    "lab/environments.ts",
    WITHOUT_PLUGIN,
    `${WITHOUT_PLUGIN}
  kafka: { ...laptop.kafka, diskGiB: 8 },
  prometheus: { retentionDays: 3, retentionGiB: 2 },`,
  );
  git("init", "--quiet");
  git("add", "--all", "--", ":!node_modules", ":!.state");
  git("-c", "user.name=e2e", "-c", "user.email=e2e@example.com", "commit", "--quiet", "-m", "all");
  expectDone(project.command("up", "--at-once"));
  const lines = Array.from({ length: COUNT }, (_, i) => `${i}`.padEnd(1024, "."));
  for (const name of TOPICS) {
    kafka("kafka-console-producer", ["--topic", name], lines.join("\n"));
  }
});

test("npm run preview warns of topics that may take more than the disk of a broker, and names those without a limit", () => {
  const { output } = project.command("preview");
  expect(output).toContain(
    "topics on each broker 9 of 8 GiB (113 %), and those without a limit: infra-events, application-logs, by-age\n",
  );
  expect(output).toContain(
    "topics may take 9 GiB on each broker, and kafka.diskGiB is 8: lower retention.bytes, segment.bytes or partitions, or add disk or brokers\n",
  );
});

test("Prometheus runs with the retention of the environment", () => {
  const flags = docker(
    ...["exec", "opensearch-1", "curl", "--silent", "--fail"],
    "http://prometheus:9090/api/v1/status/flags",
  );
  expect(JSON.parse(flags).data).toMatchObject({
    "storage.tsdb.retention.time": "3d",
    "storage.tsdb.retention.size": "2GiB",
  });
});

describe("once the retention of topics is declared shorter", () => {
  const LOSSES = [
    `topic by-size: retention.bytes ${9 * GIB} -> ${2 * MIB}: Kafka deletes the oldest records of partitions larger than ${2 * MIB} bytes`,
    "topic by-age: retention.ms unset (604800000) -> 1000: Kafka deletes records older than 1000 ms",
  ];

  beforeAll(() => {
    project.edit(
      "catalog/topics.ts",
      `"retention.bytes": ${9 * GIB} }`,
      `"retention.bytes": ${2 * MIB} }`,
    );
    project.edit(
      "catalog/topics.ts",
      `"by-age", partitions: 1, configs: {`,
      `"by-age", partitions: 1, configs: { "retention.ms": 1000,`,
    );
  });

  test("npm run preview lists what is deleted as destructive", () => {
    const { exitCode, output } = project.command("preview");
    for (const loss of LOSSES) {
      expect(output).toContain(loss.replace(/^topic \S+ /, ""));
    }
    expect(output).toContain("topics on each broker 0 of 8 GiB (0 %)");
    expect(output).not.toContain("topics may take");
    expect(exitCode).toBe(3);
  });

  test("npm run up asks, and changes nothing if nobody can answer", () => {
    const { exitCode, output } = project.command("up");
    expect(exitCode).toBe(1);
    expect(output).toContain("or run npm run up -- --allow-data-loss\n");
    for (const loss of LOSSES) {
      expect(output).toContain(`- ${loss}`);
    }
    expect(topic("by-age").configs).not.toContain("retention.ms");
    expect(firstOffsets()).toEqual([0, 0]);
  });

  test("brokers delete old segments after npm run up -- --allow-data-loss", async () => {
    expectDone(project.command("up", "--at-once", "--allow-data-loss"));
    expect(topic("by-size").configs).toContain(`retention.bytes=${2 * MIB}`);
    // A broker looks for segments to delete 30 s after its start, and then every 5 minutes.
    docker("restart", ...NODES.kafka);
    await eventually(() => {
      const [bySize, byAge] = firstOffsets();
      return [
        ...(bySize > 0 ? [] : ["by-size"]),
        // All of its records are too old.
        ...(byAge === COUNT ? [] : ["by-age"]),
      ];
    });
    const kept = records("by-size") - firstOffsets()[0];
    expect(kept * 1024).toBeGreaterThan(MIB);
    expect(kept).toBeLessThan(COUNT);
  });
});

describe("retention policies of the catalog, with an OpenSearch that lacks the index management plugin,", () => {
  let refused: Finished;

  beforeAll(() => {
    project.edit(
      "catalog/retention.ts",
      "Retention = {}",
      `Retention = { "application-logs": { rollover: { days: 1 }, delete: { days: 30 } } }`,
    );
    project.edit("lab/environments.ts", WITHOUT_PLUGIN, WITH_PLUGIN);
    refused = project.command("up", "--at-once");
  });

  test("fail the deploy with the reason and the remedy", () => {
    expect(refused.exitCode).toBe(1);
    expect(refused.output).toContain(
      "retention policy application-logs: OpenSearch has no index management plugin, which the official image has: use an image with the plugin, or set openSearch.indexManagement to false in the environment, which leaves retention policies out",
    );
    expect(docker("inspect", "--format", "{{.State.ExitCode}}", "os-init")).toBe("65");
  });

  test("are left out once the environment says so, and the deploy goes on", () => {
    project.edit("lab/environments.ts", WITH_PLUGIN, WITHOUT_PLUGIN);
    const { exitCode, output } = project.command("up", "--at-once");
    expect({ output, exitCode }).toEqual({ output, exitCode: 0 });
    expect(openSearch("GET", "/_index_template/application-logs").index_templates).toHaveLength(1);
    expectDone(project.command("drift"));
  });
});

test("the deleted segments are gone from the disk of every broker", () =>
  eventually(() => [
    ...segments("by-size").filter((count) => count > 3),
    ...segments("by-age").filter((count) => count > 1),
  ]));
