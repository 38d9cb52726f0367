import { rmSync } from "node:fs";
import { join } from "node:path";
import { expectDone, type Finished, freshLab, kafka, openSearch } from "../../support/lab";
import type { Json } from "../../support/platform";
import { projectCopy } from "../../support/project-copy";

const project = projectCopy();

/** What the shipped catalog declares and the copy no longer does, with the data stream of its template. */
const LEFT_OVER = [
  "topic/application-logs",
  "component-template/application-logs",
  "ingest-pipeline/application-logs",
  "index-template/application-logs",
  "data-stream/application-logs",
];

const COMMANDS = LEFT_OVER.map((id) => `npm run inventory -- --remove ${id}`);

const remove = (...ids: string[]) => project.command("inventory", "--remove", ...ids, "--yes");

/** Returns the ids of the resources by their state, without the system's. */
function inventory(): Record<string, string[]> {
  const listed = project.command("inventory", "--format", "json");
  expectDone(listed);
  const { items }: { items: Json[] } = JSON.parse(listed.output.slice(listed.output.indexOf("{")));
  const ids = (state: string) =>
    items.filter((item) => item.state === state).map(({ kind, name }) => `${kind}/${name}`);
  return { declared: ids("declared"), "left-over": ids("left-over"), unmanaged: ids("unmanaged") };
}

let undeclared: Finished;

beforeAll(async () => {
  await freshLab();
  expectDone(project.command("up", "--at-once"));
  openSearch("POST", "/application-logs/_doc", { "@timestamp": "2026-01-31T10:15:00Z" });
  openSearch("PUT", "/_index_template/theirs", { index_patterns: ["theirs-*"], priority: 900 });
  kafka("kafka-topics", ["--create", "--topic", "theirs", "--partitions", "1"]);
  for (const folder of ["component-templates", "data-streams", "ingest-pipelines"]) {
    rmSync(join(project.folder, "catalog", folder, "application-logs.json"));
  }
  rmSync(join(project.folder, "catalog", "ingest-pipelines", "application-logs.tests.json"));
  project.edit("catalog/topics.ts", '  { name: "application-logs", partitions: 6 },\n', "");
  undeclared = project.command("up", "--at-once");
});

test("npm run up and npm run drift list what is left over, with the command that removes each, and it is no drift", () => {
  expectDone(undeclared);
  const drift = project.command("drift");
  expectDone(drift);
  for (const { output } of [undeclared, drift]) {
    expect(output).toContain("left over: 5 resources");
    for (const command of COMMANDS) {
      expect(output).toContain(command);
    }
  }
});

test("the inventory tells apart what is declared, left over and somebody else's, without the system's own", () => {
  expect(inventory()).toEqual({
    declared: ["topic/infra-events", "index-template/logs_template"],
    "left-over": LEFT_OVER,
    unmanaged: ["topic/theirs", "index-template/theirs"],
  });
  const shown = project.command("inventory");
  expectDone(shown);
  expect(shown.output).toMatch(
    /^Kafka +topic theirs +unmanaged +1 partition, replication factor \d$/m,
  );
  expect(shown.output).toContain('environment "lab": 2 declared, 5 left over and 2 unmanaged. Not');
});

test("what is declared, used or somebody else's is not removed", () => {
  const refused = remove(
    "topic/infra-events",
    "topic/theirs",
    "topic/__consumer_offsets",
    "index-template/theirs",
  );
  expect(refused.exitCode).toBe(1);
  expect(refused.output).toContain("topic infra-events is declared: ");
  expect(refused.output).toContain("topic theirs is not Groundwork's: ");
  expect(refused.output).toContain("index template theirs is not Groundwork's: ");
  const used = remove("component-template/application-logs", "ingest-pipeline/application-logs");
  expect(used.exitCode).toBe(1);
  expect(used.output).toContain(
    "component template application-logs is used by index template application-logs: ",
  );
  expect(used.output).toMatch(
    /ingest pipeline application-logs is used by .*index \.ds-application-logs-/,
  );
  const unconfirmed = project.command("inventory", "--remove", "topic/application-logs");
  expect(unconfirmed.exitCode).toBe(1);
  expect(unconfirmed.output).toContain("add --yes");
  expect(inventory()["left-over"]).toEqual(LEFT_OVER);
});

test("what is left over is removed, and nothing else", () => {
  const removed = remove(...LEFT_OVER);
  expectDone(removed);
  expect(removed.output).toContain("removed topic application-logs");
  expect(inventory()).toEqual({
    declared: ["topic/infra-events", "index-template/logs_template"],
    "left-over": [],
    unmanaged: ["topic/theirs", "index-template/theirs"],
  });
  const drift = project.command("drift");
  expectDone(drift);
  expect(drift.output).not.toContain("left over");
});

test("a topic with another name is refused before it is created, with the way to do it", () => {
  project.edit("catalog/topics.ts", "infra-events", "events");
  for (const [command, exitCode] of [
    ["up", 1],
    ["plan", 3],
  ] as const) {
    const refused = project.command(command);
    expect([command, refused.exitCode]).toEqual([command, exitCode]);
    expect(refused.output).toContain(
      "topic infra-events is no longer declared, and topic events, which is declared like it, is new: Kafka cannot rename a topic",
    );
  }
  expect(kafka("kafka-topics", ["--list"]).split("\n")).not.toContain("events");
});
