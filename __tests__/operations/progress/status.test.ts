import type { ContainerState } from "../../../operations/platform/containers";
import { statusOf } from "../../../operations/progress/status";
import { state } from "../../support/container-state";

const RETRY =
  '{"event":"retry","attempt":4,"delay_ms":7312,"reason":"2 of 3 brokers registered and unfenced"}';

test.each<[string, ContainerState, string, string]>([
  ["one that has not started", state({ Status: "created" }), "", "created, not started yet"],
  [
    "a sidecar that waits for a quorum",
    state({}),
    RETRY,
    "attempt 4 failed, next in 8 s: 2 of 3 brokers registered and unfenced",
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
    "a node of OpenSearch in a cluster with more nodes than it waits for",
    state({
      health: "starting",
      output: '{"status":"red","number_of_nodes":4}\ncurl: (22) The requested URL returned 408',
      test: ["CMD", "curl", "http://x/_cluster/health?wait_for_nodes=%3E%3D3"],
    }),
    "",
    "4 nodes joined, status red",
  ],
  [
    "one that listens nowhere yet",
    state({ health: "starting", output: "curl: (7) Failed to connect to 127.0.0.1" }),
    "",
    "starting: no answer yet",
  ],
  [
    "another health check",
    state({ health: "starting", output: "not ready: ingester\n" }),
    "",
    "starting: not ready: ingester",
  ],
  [
    "one that starts again and again",
    state({ health: "starting", Status: "restarting", ExitCode: 1, restarts: 3 }),
    "Invalid initial heap size",
    "restarted 3 times, last exit code 1: Invalid initial heap size",
  ],
  [
    "a sidecar that stays, and waits for its target",
    state({ health: "starting", output: "" }),
    RETRY,
    "attempt 4 failed, next in 8 s: 2 of 3 brokers registered and unfenced",
  ],
  [
    "a sidecar that started again",
    state({ health: "starting", restarts: 1 }),
    '{"event":"exit","exit_code":69,"reason":"timed out after 60s"}',
    "restarted once: timed out after 60s",
  ],
  [
    "one that has started once more and runs",
    state({ health: "starting", restarts: 1 }),
    "Invalid initial heap size",
    "restarted once: Invalid initial heap size",
  ],
])("the status of %s", (_, container, lastLine, status) => {
  expect(statusOf(container, lastLine)).toBe(status);
});
