import { type ContainerState, type End, endsIn } from "../../../operations/platform/containers";
import { plainDisplay } from "../../../operations/progress/display";
import { type Display, Progress, type Staged } from "../../../operations/progress/progress";
import { statusOf } from "../../../operations/progress/status";
import { describeFailure, explainSidecar, renderFailure } from "../../../operations/run/failure";
import type { Stack } from "../../../operations/synthesis/synthesize";
import { type Message, messageOf } from "../../../operations/terraform/messages";

const KAFKA_1 = "docker_container.kafka_kafka-1_D26A9404";
const OS_INIT = "docker_container.os-init_Sidecar_Container_CD6CC216";
const VOLUME = "docker_volume.kafka-1_1A";

/** A stack with resources by address and name. */
function stack(layer: string, names: Record<string, string>): Staged {
  return {
    layer,
    resources: Object.entries(names).map(([address, name]) => {
      const [type, id] = address.split(".");
      return { stack: `lab-${layer}`, type, id, body: { name } };
    }),
  };
}

const MESSAGING = stack("messaging", { [KAFKA_1]: "kafka-1", [VOLUME]: "kafka-1-data" });
const DATA = stack("data", { [OS_INIT]: "os-init" });

const begin = (address: string, doing: "creating" | "destroying" = "creating"): Message => ({
  kind: "begin",
  address,
  doing,
});
const end = (address: string): Message => ({ kind: "end", address });
const applied = (creating: number, destroying = 0): Message => ({
  kind: "applied",
  counts: { creating, changing: 0, destroying },
});

/** A progress whose clock stands, and what it has shown. */
function follow(display: (said: string[], now: () => number) => Display) {
  let now = 0;
  const said: string[] = [];
  const progress = new Progress(
    display(said, () => now),
    () => now,
  );
  const pass = (seconds: number) => {
    now += 1000 * seconds;
  };
  return { progress, said, pass };
}

const onPipe = () => follow((said, now) => plainDisplay((line) => said.push(line), now));
const onTerminal = () => {
  let drawn: readonly string[] = [];
  const followed = follow((said) => ({
    say: (text) => said.push(text),
    draw: (lines) => {
      drawn = lines;
    },
    remind: () => undefined,
    end: () => undefined,
  }));
  return { ...followed, drawn: () => drawn };
};

test.each<[object, Message | undefined]>([
  [
    { type: "planned_change", change: { resource: { addr: KAFKA_1 }, action: "replace" } },
    { kind: "planned", address: KAFKA_1, action: "replace" },
  ],
  [
    { type: "apply_start", hook: { resource: { addr: KAFKA_1 }, action: "create" } },
    begin(KAFKA_1),
  ],
  [
    { type: "apply_start", hook: { resource: { addr: KAFKA_1 }, action: "delete" } },
    begin(KAFKA_1, "destroying"),
  ],
  [
    { type: "apply_start", hook: { resource: { addr: "data.docker_network.x" }, action: "read" } },
    undefined,
  ],
  [
    { type: "apply_complete", hook: { resource: { addr: KAFKA_1 }, action: "create" } },
    end(KAFKA_1),
  ],
  [
    { type: "change_summary", changes: { operation: "apply", add: 4, change: 0, remove: 1 } },
    applied(4, 1),
  ],
  [
    { type: "change_summary", changes: { operation: "plan", add: 4, change: 0, remove: 1 } },
    undefined,
  ],
  [
    {
      type: "diagnostic",
      diagnostic: { severity: "error", summary: "no", detail: "why", address: KAFKA_1 },
    },
    { kind: "error", summary: "no", detail: "why", address: KAFKA_1 },
  ],
  [{ type: "diagnostic", diagnostic: { severity: "warning", summary: "old" } }, undefined],
  [{ type: "apply_progress", hook: { resource: { addr: KAFKA_1 }, action: "create" } }, undefined],
])("the line %j tells of %j", (line, message) => {
  expect(messageOf(JSON.stringify(line))).toEqual(message);
});

test("a line that is no JSON, as a provider's panic, tells of nothing", () => {
  expect(messageOf("panic: runtime error")).toBeUndefined();
});

test("a pipe gets a line when something begins, every ten seconds while it lasts, and when it ends", () => {
  const { progress, said, pass } = onPipe();
  progress.message(MESSAGING, begin(VOLUME));
  progress.message(MESSAGING, begin(KAFKA_1));
  for (let second = 1; second <= 22; second++) {
    pass(1);
    progress.status("kafka-1", "starts: does not answer yet");
    progress.draw();
  }
  progress.message(MESSAGING, end(KAFKA_1));
  progress.message(MESSAGING, applied(2));
  progress.unchanged(DATA);
  expect(said).toEqual([
    "  messaging: kafka-1: creating",
    "  messaging: kafka-1: 10 s, starts: does not answer yet",
    "  messaging: kafka-1: 20 s, starts: does not answer yet",
    "  messaging: kafka-1: created after 22 s",
    "  messaging: 2 added in 22 s",
    "  data: no changes",
  ]);
});

test("a terminal shows every stage with what is at work in it, and what that waits for", () => {
  const { progress, said, drawn, pass } = onTerminal();
  progress.message(MESSAGING, begin(KAFKA_1));
  pass(2);
  progress.message(DATA, begin(OS_INIT));
  pass(3);
  expect(progress.waitedFor()).toEqual(["kafka-1", "os-init"]);
  progress.status("os-init", "attempt 4, next in 8 s: 2 of 3 nodes have joined");
  progress.draw();
  expect(drawn()).toEqual([
    "messaging: 5 s",
    "  kafka-1  5 s, creating",
    "data: 3 s",
    "  os-init  3 s, attempt 4, next in 8 s: 2 of 3 nodes have joined",
  ]);
  progress.message(DATA, end(OS_INIT));
  progress.message(DATA, applied(1, 1));
  expect(drawn()).toEqual(["messaging: 5 s", "  kafka-1  5 s, creating"]);
  expect(said).toEqual(["data: os-init: created after 3 s", "data: 1 added, 1 destroyed in 3 s"]);
});

test("what failed is told at once, and is at work no more, while the rest goes on", () => {
  const { progress, said, drawn } = onTerminal();
  progress.message(MESSAGING, begin(KAFKA_1));
  progress.message(DATA, begin(OS_INIT));
  progress.message(MESSAGING, {
    kind: "error",
    summary: "unable to start container\nmore of it",
    detail: "",
    address: KAFKA_1,
  });
  expect(said).toEqual(["messaging: kafka-1: failed"]);
  expect(drawn().join("\n")).not.toContain("kafka-1");
  expect(progress.waitedFor()).toEqual(["os-init"]);
});

test("what goes is not waited for", () => {
  const { progress, drawn } = onTerminal();
  progress.message(MESSAGING, begin(KAFKA_1, "destroying"));
  expect(progress.waitedFor()).toEqual([]);
  expect(drawn()).toEqual(["messaging: 0 s", "  kafka-1  0 s, destroying"]);
});

/** What the engine says of a container that runs. */
function state({
  health,
  output = "",
  test: check = [],
  restarts = 0,
  ...state
}: {
  health?: string;
  output?: string;
  test?: string[];
  restarts?: number;
  Status?: string;
  ExitCode?: number;
  OOMKilled?: boolean;
}): ContainerState {
  return {
    Name: "/it",
    RestartCount: restarts,
    HostConfig: { MemoryReservation: 0 },
    State: {
      ...{ Status: "running", ExitCode: 0, OOMKilled: false, ...state },
      Health: health ? { Status: health, Log: [{ ExitCode: 1, Output: output }] } : undefined,
    },
    Config: { Healthcheck: health ? { Test: check } : undefined },
  };
}

const RETRY =
  '{"event":"retry","attempt":4,"delay_ms":7312,"reason":"2 of 3 brokers are registered and unfenced"}';

test.each<[string, ContainerState, string, string]>([
  ["one that has not started", state({ Status: "created" }), "", "is being prepared"],
  [
    "a sidecar that waits for a quorum",
    state({}),
    RETRY,
    "attempt 4, next in 8 s: 2 of 3 brokers are registered and unfenced",
  ],
  [
    "a sidecar at work",
    state({}),
    '{"event":"created","resource":"infra-events"}',
    "created infra-events",
  ],
  ["a sidecar that speaks no JSON", state({}), "one\ntwo\n", "two"],
  [
    "a node of OpenSearch",
    state({
      health: "starting",
      output: '{"status":"yellow","number_of_nodes":2}\ncurl: (22) The requested URL returned 408',
      test: ["CMD", "curl", "http://x/_cluster/health?wait_for_nodes=%3E%3D3"],
    }),
    "",
    "2 of 3 nodes joined, status yellow",
  ],
  [
    "one that listens nowhere yet",
    state({ health: "starting", output: "curl: (7) Failed to connect to 127.0.0.1" }),
    "",
    "starts: does not answer yet",
  ],
  [
    "another health check",
    state({ health: "starting", output: "not ready: ingester\n" }),
    "",
    "starts: not ready: ingester",
  ],
  [
    "one that starts again and again",
    state({ health: "starting", Status: "restarting", ExitCode: 1, restarts: 3 }),
    "Invalid initial heap size",
    "restarted 3 times, last exit code 1: Invalid initial heap size",
  ],
  [
    "one that has started once more and runs",
    state({ health: "starting", restarts: 1 }),
    "Invalid initial heap size",
    "restarted once: Invalid initial heap size",
  ],
])("%s says what it is at", (_, container, lastLine, status) => {
  expect(statusOf(container, lastLine)).toBe(status);
});

test.each<[string, ContainerState, End | undefined, string | undefined]>([
  ["that runs and is healthy", state({ health: "healthy" }), undefined, undefined],
  [
    "that does not stay up",
    state({ health: "starting", Status: "restarting", ExitCode: 127, restarts: 12 }),
    undefined,
    "ended with 127, its command is not in the image, restarted 12 times",
  ],
  [
    "that needs more memory than it may have",
    state({
      health: "starting",
      Status: "restarting",
      ExitCode: 137,
      OOMKilled: true,
      restarts: 2,
    }),
    undefined,
    "ended with 137, it needed more than its limit of 512 MiB and the kernel killed it: raise its tier in constructs/container/memory.ts, restarted 2 times",
  ],
  [
    "that runs and never gets healthy",
    state({ health: "unhealthy", output: "not ready\n" }),
    undefined,
    'runs and is unhealthy: its health check says "not ready"',
  ],
  [
    "that was started again and runs",
    state({ health: "starting", ExitCode: 0, restarts: 6 }),
    { exitCode: 1, oomKilled: false },
    "ended with 1, its log says why, restarted 6 times",
  ],
  [
    "that the kernel killed and that runs again",
    state({ health: "starting", ExitCode: 0, restarts: 1 }),
    { exitCode: 137, oomKilled: true },
    "ended with 137, it needed more than its limit of 512 MiB and the kernel killed it: raise its tier in constructs/container/memory.ts, restarted 1 times",
  ],
  [
    "that is healthy again",
    state({ health: "healthy", restarts: 1 }),
    { exitCode: 1, oomKilled: false },
    undefined,
  ],
  [
    "that runs for the first time since it was deployed, under a name that has ended before",
    state({ health: "starting", output: "not ready\n" }),
    { exitCode: 143, oomKilled: false },
    'runs and is starting: its health check says "not ready"',
  ],
  [
    "that was started again, and whose end no engine knows any more",
    state({ health: "starting", output: "not ready\n", restarts: 2 }),
    undefined,
    'runs and is starting, restarted 2 times: its health check says "not ready"',
  ],
])("of a container %s the failure is told", (_, container, lastEnd, failure) => {
  expect(describeFailure(container, lastEnd, 512)).toBe(failure);
});

test("how a container ended last is in its engine's events, with a kill by the kernel told before or after", () => {
  const event = (Action: string, name: string, time: number, exitCode?: string) =>
    JSON.stringify({ Action, time, Actor: { Attributes: { name, exitCode } } });
  const ends = endsIn([
    event("die", "kafka-1", 100, "1"),
    event("die", "kafka-1", 110, "2"),
    event("oom", "kafka-2", 100),
    event("die", "kafka-2", 100, "137"),
    event("die", "kafka-3", 100, "137"),
    event("oom", "kafka-3", 101),
    event("oom", "loki", 100),
    event("die", "loki", 300, "137"),
    "Error response from daemon: it stops",
  ]);
  expect(Object.fromEntries(ends)).toEqual({
    "kafka-1": { exitCode: 2, oomKilled: false },
    "kafka-2": { exitCode: 137, oomKilled: true },
    "kafka-3": { exitCode: 137, oomKilled: true },
    loki: { exitCode: 137, oomKilled: false },
  });
});

/** A sidecar's log of two runs, of which the first is an old one. */
const LOG = [
  { event: "start" },
  { event: "drift", resource: "old", field: "partitions", declared: "1", actual: "2" },
  { event: "exit", exit_code: 73, reason: "differs from its declaration: old" },
  { event: "start" },
  { event: "drift", resource: "logs", field: "min.insync.replicas", declared: "2", actual: "1" },
  { event: "drift", resource: "own", field: "retention.ms", declared: "1", actual: "2" },
  { event: "ignored", resource: "own", reason: "it differs, and onDrift is ignore" },
  { event: "exit", exit_code: 73, reason: "differs from its declaration: logs" },
]
  .map((line) => JSON.stringify(line))
  .join("\n");

test("a sidecar's failure is told by what its exit code means, a line a finding of its last run, and the remedy", () => {
  expect(explainSidecar("kafka-init", 73, LOG)).toBe(
    [
      "kafka-init ended with 73: something exists and differs from its declaration",
      "  topic logs: min.insync.replicas is 1, declared 2",
      "  remedy: the log names each field; change the declaration, the cluster or onDrift; its log: docker logs kafka-init",
    ].join("\n"),
  );
});

test("of many findings the first are told, and how many there are", () => {
  const drift = Array.from({ length: 30 }, (_, i) =>
    JSON.stringify({ event: "drift", resource: `t${i}`, field: "f", declared: "1", actual: "2" }),
  );
  const lines = explainSidecar("kafka-init", 73, drift.join("\n")).split("\n");
  expect(lines.slice(10, 12)).toEqual(["  topic t9: f is 2, declared 1", "  and 20 more"]);
});

test("a sidecar without drift is told by its reason, and one that was killed before it could say any by its last line", () => {
  const rejected = JSON.stringify({ event: "exit", exit_code: 65, reason: "Kafka rejects it: no" });
  expect(explainSidecar("kafka-init", 65, rejected).split("\n")[1]).toBe("  Kafka rejects it: no");
  expect(explainSidecar("os-init", 137, "sh: cannot fork").split("\n").slice(0, 2)).toEqual([
    "os-init ended with 137: killed, by the kernel when memory ran out",
    "  sh: cannot fork",
  ]);
});

test("Terraform's errors follow, without those of containers that are explained, and each once", () => {
  const explained = { stack: DATA as Stack, summary: "local-exec", detail: "exit 73" };
  const other = { stack: MESSAGING as Stack, summary: "no such image", detail: "try\n\nagain" };
  expect(
    renderFailure(
      [{ ...explained, address: OS_INIT }, { ...other, address: KAFKA_1 }, other, other],
      new Map([["os-init", "os-init ended with 73"]]),
      ".state/lab/terraform.log",
    ),
  ).toBe(
    [
      "os-init ended with 73",
      "messaging: kafka-1: no such image\n  try\n  again",
      "messaging: no such image\n  try\n  again",
      "everything that Terraform said: .state/lab/terraform.log",
    ].join("\n"),
  );
});

test("a machine whose engine is gone is named once, in place of all that failed on it", () => {
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
    [
      "machine b: the Docker engine does not answer",
      "everything that Terraform said: terraform.log",
    ].join("\n"),
  );
});
