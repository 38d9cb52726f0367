import { readFileSync } from "node:fs";
import { join } from "node:path";
import { catalog } from "../../../catalog";
import { readSidecarRun } from "../../../constructs/init-sidecar/run-log";
import { environments } from "../../../environments";
import { checkWithoutChanges, describeUndeclared } from "../../../operations/checks/acceptance";
import { renderAcceptance } from "../../../operations/checks/row";
import { Platform } from "../../../operations/platform/platform";
import type { SynthesizedContainer } from "../../../operations/synthesis/container";
import { programsOnPath } from "../../support/programs";

const { folder, program } = programsOnPath();

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

test("what happens to the indices that a retention policy manages is a note, and no failure", () => {
  const reason = "2 indices change to this version at the next run of index state management";
  const lines = [
    { event: "start" },
    { event: "managed_indices", resource: "retention-policy/logs", changed: 2, reason },
    { event: "exit", exit_code: 0, reason: "done", created: 0, reconciled: 0 },
  ];
  const run = readSidecarRun("os-init", lines.map((line) => JSON.stringify(line)).join("\n"));
  expect(run.findings).toEqual([]);
  expect(run.notes).toEqual([`retention-policy/logs: ${reason}`]);
});

test("the checks that only read start no sidecar, and say what does not hold", async () => {
  const { security: _, ...environment } = environments.laptop;
  const MiB = 1024 * 1024;
  const states = [
    { Name: "/os-init", HostConfig: { MemoryReservation: 64 * MiB } },
    { Name: "/loki", HostConfig: { MemoryReservation: 5 * MiB } },
  ];
  program(
    "docker",
    `echo "$*" >>${folder}/log
case "$*" in
  container*) printf '%s\\n' ${states.map((state) => `'${JSON.stringify(state)}'`).join(" ")} ;;
  logs*) echo '{"container":"os-init","exit_code":0}' ;;
esac`,
  );
  const containers = [
    { name: "os-init", memory_reservation: 64, must_run: false },
    { name: "loki", memory_reservation: 128 },
    { name: "kafka-1", memory_reservation: 512 },
  ] as SynthesizedContainer[];
  const rows = await checkWithoutChanges(new Platform(environment), catalog, containers);
  expect(rows.map(({ requirement, failures }) => [requirement, failures])).toEqual([
    [
      "AUT-003",
      [
        "loki: declared memory reservation 128 MiB, has 5 MiB",
        "kafka-1: the container does not exist",
      ],
    ],
    ["NFR-VIS", []],
  ]);
  const calls = readFileSync(join(folder, "log"), "utf8").trimEnd().split("\n");
  expect(calls.filter((call) => /^container (?!inspect)/.test(call))).toEqual([]);
  expect([...new Set(calls.map((call) => call.split(" ")[0]))].sort()).toEqual([
    "container",
    "logs",
  ]);
});

test("containers of an engine that dies are not called missing", async () => {
  program(
    "docker",
    `case "$*" in
  container*) echo 'Cannot connect to the Docker daemon' >&2; exit 1 ;;
  logs*) echo '{"container":"os-init","exit_code":0}' ;;
esac`,
  );
  const { security: _, ...environment } = environments.laptop;
  const containers = [
    { name: "os-init", memory_reservation: 64, must_run: false },
    { name: "loki", memory_reservation: 64 },
  ];
  const rows = await checkWithoutChanges(
    new Platform(environment),
    catalog,
    containers as unknown as SynthesizedContainer[],
  );
  const [memory] = rows.filter(({ requirement }) => requirement === "AUT-003");
  expect(memory.failures).toEqual([
    "the Docker engine stopped answering: Cannot connect to the Docker daemon; run the same command again when it is back",
  ]);
});
