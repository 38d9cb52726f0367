import { collectErrors, describeFailure } from "../../commands/support/failure";
import { plainDisplay } from "../../commands/support/progress/display";
import { eventOf } from "../../commands/support/progress/events";
import { type Display, Progress } from "../../commands/support/progress/progress";
import { type ContainerState, statusOf } from "../../commands/support/progress/status";

const KAFKA_1 = "docker_container.kafka_kafka-1_D26A9404";
const OS_INIT = "docker_container.os-init_Sidecar_Container_CD6CC216";
const VOLUME = "docker_volume.kafka-1_1A";

/** A progress whose clock stands, and what it has shown. */
function follow(display: (said: string[], now: () => number) => Display) {
  let now = 0;
  const said: string[] = [];
  const progress = new Progress({
    display: display(said, () => now),
    stages: new Map([
      ["lab-data", "data"],
      ["lab-messaging", "messaging"],
    ]),
    subjects: new Map([
      [`lab-messaging ${KAFKA_1}`, "kafka-1"],
      [`lab-messaging ${VOLUME}`, "kafka-1-data"],
      [`lab-data ${OS_INIT}`, "os-init"],
    ]),
    now: () => now,
  });
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

test.each([
  [
    `lab-messaging  ${KAFKA_1} (kafka/kafka-1/Resource): Creating...`,
    { kind: "begin", address: KAFKA_1, doing: "creating" },
  ],
  [
    `${KAFKA_1}: Destroying... [id=0f4ccf]`,
    { kind: "begin", address: KAFKA_1, doing: "destroying" },
  ],
  [
    `               ${KAFKA_1} (kafka/kafka-1/Resource): Creation complete after 28s [id=0f4ccf]`,
    { kind: "end", address: KAFKA_1 },
  ],
  [
    "lab-data  Apply complete! Resources: 4 added, 0 changed, 1 destroyed.",
    { kind: "stack done", summary: "4 added, 1 destroyed" },
  ],
  [
    "lab-data  Apply complete! Resources: 0 added, 0 changed, 0 destroyed.",
    { kind: "stack done", summary: "no changes" },
  ],
  [
    `lab-messaging  ${KAFKA_1} (kafka/kafka-1/Resource): Still creating... [10s elapsed]`,
    undefined,
  ],
  [`lab-data  ${OS_INIT} (os-init/Resource) (local-exec): {"event":"exit"}`, undefined],
  ["                    + executable  = false", undefined],
  ["2 Stacks deploying     2 Stacks done     0 Stacks waiting", undefined],
])("the line %j tells of %j", (line, event) => {
  expect(eventOf(line)).toEqual(event);
});

test("a pipe gets a line when something begins, every ten seconds while it lasts, and when it ends", () => {
  const { progress, said, pass } = onPipe();
  progress.line(`lab-messaging  ${VOLUME} (kafka-1/Resource): Creating...`);
  progress.line(`lab-messaging  ${KAFKA_1} (kafka/kafka-1/Resource): Creating...`);
  for (let second = 1; second <= 22; second++) {
    pass(1);
    progress.status("kafka-1", "starts: does not answer yet");
    progress.draw();
  }
  progress.line(`               ${KAFKA_1} (kafka/kafka-1/Resource): Creation complete after 22s`);
  progress.line("lab-messaging  Apply complete! Resources: 2 added, 0 changed, 0 destroyed.");
  progress.line("lab-messaging  Apply complete! Resources: 2 added, 0 changed, 0 destroyed.");
  expect(said).toEqual([
    "  messaging: kafka-1: creating",
    "  messaging: kafka-1: 10 s, starts: does not answer yet",
    "  messaging: kafka-1: 20 s, starts: does not answer yet",
    "  messaging: kafka-1: created after 22 s",
    "  messaging: 2 added in 22 s",
  ]);
});

test("a terminal shows every stage with what is at work in it, and what that waits for", () => {
  const { progress, said, drawn, pass } = onTerminal();
  progress.line(`lab-messaging  ${KAFKA_1} (kafka/kafka-1/Resource): Creating...`);
  pass(2);
  progress.line(`lab-data  ${OS_INIT} (os-init/Resource): Creating...`);
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
  progress.line(`lab-data  ${OS_INIT} (os-init/Resource): Creation complete after 3s`);
  progress.line("lab-data  Apply complete! Resources: 1 added, 0 changed, 0 destroyed.");
  expect(drawn()).toEqual(["messaging: 5 s", "  kafka-1  5 s, creating"]);
  expect(said).toEqual(["data: os-init: created after 3 s", "data: 1 added in 3 s"]);
});

test("what goes is not waited for", () => {
  const { progress, drawn } = onTerminal();
  progress.line(`${KAFKA_1}: Destroying... [id=0f4ccf]`, "lab-messaging");
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

test.each<[string, ContainerState, string | undefined]>([
  ["that runs and is healthy", state({ health: "healthy" }), undefined],
  ["that is a job and has succeeded", state({ Status: "exited" }), undefined],
  [
    "that is a job and has failed",
    state({ Status: "exited", ExitCode: 69 }),
    "ended with 69, the cluster was not ready before the deadline: look at its containers, then deploy again",
  ],
  [
    "that does not stay up",
    state({ health: "starting", Status: "restarting", ExitCode: 127, restarts: 12 }),
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
    "ended with 137, it needed more than its limit of 512 MiB and the kernel killed it: raise its tier in constructs/service/memory.ts, restarted 2 times",
  ],
  [
    "that runs and never gets healthy",
    state({ health: "unhealthy", output: "not ready\n" }),
    'runs and is unhealthy: its health check says "not ready"',
  ],
])("of a container %s the failure is told", (_, container, failure) => {
  expect(describeFailure(container, 512)).toBe(failure);
});

test("an error is collected with what follows it", () => {
  const errors: string[] = [];
  const collect = collectErrors(errors);
  for (const line of [
    "lab-data  docker_container.x: Creating...",
    "lab-data  ╷",
    "          │ Error: container x did not reach the healthy state within 3m0s",
    "          │ ",
    "          │   with docker_container.x,",
    "          │   on cdk.tf.json line 275, in resource.docker_container.x:",
    "          │  275:       },",
    "          │ ",
    "          │ the provider said more",
    "2 Stacks deploying     2 Stacks done     0 Stacks waiting",
  ]) {
    collect(line);
  }
  expect(errors).toEqual([
    "Error: container x did not reach the healthy state within 3m0s",
    "  the provider said more",
  ]);
});
