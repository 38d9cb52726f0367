import { readSidecarRun } from "../../../constructs/init-sidecar/run-log";

test("a run's log names topics by kind, and applications as they are", () => {
  const drift = { event: "drift", declared: "3", actual: "5" };
  const lines = [
    { event: "start" },
    { ...drift, resource: "orders", field: "partitions" },
    { ...drift, resource: "application/shop", field: "user" },
    { event: "exit", exit_code: 73, reason: "differs", created: 0, reconciled: 0 },
  ];
  const log = lines.map((line) => JSON.stringify(line)).join("\n");
  expect(readSidecarRun("kafka-init", log).findings).toEqual([
    "topic orders: partitions is 5, declared 3",
    "application/shop: user is 5, declared 3",
  ]);
});
