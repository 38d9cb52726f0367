import { readSidecarRun } from "../../../constructs/init-sidecar/run-log";
import { describeUndeclared } from "../../../operations/checks/acceptance";
import { renderAcceptance } from "../../../operations/checks/row";

test("undeclared configs are noted for each topic, only from the last run, and are no failure", () => {
  const retention = { event: "undeclared", field: "retention.ms", actual: "60000" };
  const segment = { event: "undeclared", field: "segment.ms", actual: "5" };
  const lines = [
    { event: "start" },
    { ...retention, resource: "removed-since" },
    { event: "exit", exit_code: 0, reason: "done", created: 0, reconciled: 0 },
    { event: "start" },
    { ...retention, resource: "orders" },
    { ...segment, resource: "orders" },
    { ...segment, resource: "bills" },
    { event: "exit", exit_code: 0, reason: "done", created: 0, reconciled: 0 },
  ];
  const run = readSidecarRun("kafka-init", lines.map((line) => JSON.stringify(line)).join("\n"));
  expect(run.findings).toEqual([]);
  const notes = describeUndeclared(run);
  expect(notes).toEqual([
    "topic orders has undeclared configs, left unchanged: retention.ms=60000, segment.ms=5. Declare them, or remove them with kafka-configs.sh --alter --entity-type topics --entity-name orders --delete-config retention.ms,segment.ms (see docs/how-to/topic.md)",
    "topic bills has undeclared configs, left unchanged: segment.ms=5. Declare them, or remove them with kafka-configs.sh --alter --entity-type topics --entity-name bills --delete-config segment.ms (see docs/how-to/topic.md)",
  ]);
  const guarantee = "topics exist with their guarantees: orders, bills";
  expect(
    renderAcceptance([{ requirement: "AUT-002", guarantee, failures: [], notes }]).split("\n"),
  ).toEqual([
    "requirement  holds  guarantee",
    `AUT-002      yes    ${guarantee}`,
    ...notes.map((note) => `                    ${note}`),
  ]);
});
