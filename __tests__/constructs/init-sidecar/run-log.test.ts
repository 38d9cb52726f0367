import { readSidecarRun } from "../../../constructs/init-sidecar/run-log";

test("a run's log names a topic as such, and an application by the kind in its name", () => {
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
