import type { ContainerState, End } from "../../../operations/platform/containers";
import {
  describeFailure,
  explainService,
  explainSidecar,
  renderFailure,
} from "../../../operations/run/failure";
import type { Stack } from "../../../operations/synthesis/synthesize";
import { state } from "../../support/container-state";
import { DATA, KAFKA_1, MESSAGING, OS_INIT } from "../../support/progress";

test.each<[string, ContainerState, End | undefined, string | undefined]>([
  ["that runs and is healthy", state({ health: "healthy" }), undefined, undefined],
  [
    "that does not stay up",
    state({ health: "starting", Status: "restarting", ExitCode: 127, restarts: 12 }),
    undefined,
    "exited with 127 (restarted 12 times): its command is not in the image",
  ],
  [
    "that exceeds its memory limit",
    state({
      health: "starting",
      Status: "restarting",
      ExitCode: 137,
      OOMKilled: true,
      restarts: 2,
    }),
    undefined,
    "exited with 137 (restarted 2 times): out of memory, killed by the kernel at its limit of 512 MiB; raise its tier in constructs/container/memory.ts",
  ],
  [
    "that runs and is unhealthy",
    state({ health: "unhealthy", output: "not ready\n" }),
    undefined,
    'is unhealthy: its health check says "not ready"',
  ],
  [
    "that was restarted and runs",
    state({ health: "starting", ExitCode: 0, restarts: 6 }),
    { exitCode: 1, oomKilled: false },
    "exited with 1 (restarted 6 times)",
  ],
  [
    "that the kernel killed and that was restarted",
    state({ health: "starting", ExitCode: 0, restarts: 1 }),
    { exitCode: 137, oomKilled: true },
    "exited with 137 (restarted once): out of memory, killed by the kernel at its limit of 512 MiB; raise its tier in constructs/container/memory.ts",
  ],
  [
    "that is healthy again",
    state({ health: "healthy", restarts: 1 }),
    { exitCode: 1, oomKilled: false },
    undefined,
  ],
  [
    "that runs for the first time, under a name with an earlier end",
    state({ health: "starting", output: "not ready\n" }),
    { exitCode: 143, oomKilled: false },
    'is still starting: its health check says "not ready"',
  ],
  [
    "that was restarted and whose end the engine has forgotten",
    state({ health: "starting", output: "not ready\n", restarts: 2 }),
    undefined,
    'is still starting (restarted 2 times): its health check says "not ready"',
  ],
])("describes the failure of a container %s", (_, container, lastEnd, failure) => {
  expect(describeFailure(container, lastEnd, 512)).toBe(failure);
});

test("a service is explained by the end of its log, and a sidecar that stays by its newest reason", () => {
  expect(explainService("kafka-1", "exited with 1", "one\ntwo")).toBe(
    "kafka-1 exited with 1; last lines of its log:\none\ntwo",
  );
  const log = [
    { event: "retry", reason: "first" },
    { event: "exit", reason: "OpenSearch may not write to /mnt/backups" },
    { event: "start" },
  ].map((line) => JSON.stringify(line));
  expect(explainService("os-backup", "is still starting", log.join("\n"))).toBe(
    [
      "os-backup is still starting",
      "  OpenSearch may not write to /mnt/backups",
      "  log: docker logs os-backup",
    ].join("\n"),
  );
});

/** A sidecar's log of two runs; the second counts. */
const LOG = [
  { event: "start" },
  { event: "drift", resource: "old", field: "partitions", declared: "1", actual: "2" },
  { event: "exit", exit_code: 73, reason: "drift from the declaration: old" },
  { event: "start" },
  { event: "drift", resource: "logs", field: "min.insync.replicas", declared: "2", actual: "1" },
  { event: "drift", resource: "own", field: "retention.ms", declared: "1", actual: "2" },
  { event: "drifted", resource: "logs", reason: "not applied: Kafka cannot remove partitions" },
  { event: "ignored", resource: "own", reason: "it differs, and onDrift is ignore" },
  { event: "exit", exit_code: 73, reason: "drift from the declaration: logs" },
]
  .map((line) => JSON.stringify(line))
  .join("\n");

test("a sidecar's failure has the meaning of its exit code, a line for each finding of its last run, and the remedy", () => {
  expect(explainSidecar("kafka-init", 73, LOG)).toBe(
    [
      "kafka-init exited with 73: a resource exists and differs from its declaration",
      "  topic logs: min.insync.replicas is 1, declared 2",
      "  topic logs: not applied: Kafka cannot remove partitions",
      "  remedy: change each field that the log names in the declaration or the cluster, or set onDrift; log: docker logs kafka-init",
    ].join("\n"),
  );
});

test("of many findings, the first are listed and the rest counted", () => {
  const drift = Array.from({ length: 30 }, (_, i) =>
    JSON.stringify({ event: "drift", resource: `t${i}`, field: "f", declared: "1", actual: "2" }),
  );
  const lines = explainSidecar("kafka-init", 73, drift.join("\n")).split("\n");
  expect(lines.slice(10, 12)).toEqual(["  topic t9: f is 2, declared 1", "  and 20 more"]);
});

test("a sidecar without drift is explained by its reason, and a killed one by its last line", () => {
  const rejected = JSON.stringify({ event: "exit", exit_code: 65, reason: "Kafka rejects it: no" });
  expect(explainSidecar("kafka-init", 65, rejected).split("\n")[1]).toBe("  Kafka rejects it: no");
  expect(explainSidecar("os-init", 137, "sh: cannot fork").split("\n").slice(0, 2)).toEqual([
    "os-init exited with 137: killed, usually because memory ran out",
    "  sh: cannot fork",
  ]);
});

test("Terraform's other errors follow, each once", () => {
  const explained = { stack: DATA as Stack, summary: "local-exec", detail: "exit 73" };
  const other = { stack: MESSAGING as Stack, summary: "no such image", detail: "try\n\nagain" };
  expect(
    renderFailure(
      [{ ...explained, address: OS_INIT }, { ...other, address: KAFKA_1 }, other, other],
      new Map([["os-init", "os-init exited with 73"]]),
      ".state/lab/terraform.log",
    ),
  ).toBe(
    [
      "os-init exited with 73",
      "messaging: kafka-1: no such image\n  try\n  again",
      "messaging: no such image\n  try\n  again",
      "Terraform's full log: .state/lab/terraform.log",
    ].join("\n"),
  );
});

test("a machine whose engine is gone is named once, instead of all errors on it", () => {
  const stack = { ...MESSAGING, engine: { host: "ssh://ops@b" } } as Stack;
  const refused = { stack, summary: "error during connect", detail: "", address: KAFKA_1 };
  expect(
    renderFailure([refused, { ...refused, address: undefined }], new Map(), "terraform.log", [
      {
        engine: { host: "ssh://ops@b" },
        description: "machine b: the Docker engine does not answer",
      },
    ]),
  ).toBe(
    ["machine b: the Docker engine does not answer", "Terraform's full log: terraform.log"].join(
      "\n",
    ),
  );
});
