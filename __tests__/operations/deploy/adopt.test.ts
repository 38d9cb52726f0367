import { adoptUnmanaged } from "../../../operations/deploy/adopt";
import type { UnmanagedResource } from "../../../operations/deploy/unmanaged";
import type { Run } from "../../../operations/run/run";

const steps: string[] = [];
jest.mock("../../../operations/engine/docker", () => ({
  removeContainers: async (_: unknown, ids: string[]) => steps.push(`remove ${ids.join()}`),
}));
jest.mock("../../../operations/rolling/rolling", () => ({
  rollClusters: async (_: unknown, names: string[]) => steps.push(`roll ${names.join()}`),
}));
beforeEach(() => {
  jest.spyOn(console, "log").mockImplementation(() => undefined);
});

const found = (kind: UnmanagedResource["kind"], name: string) =>
  ({ kind, name, id: name, stack: {}, address: `docker_${kind}.${name}` }) as UnmanagedResource;

test("npm run adopt removes the jobs before it replaces nodes: a replaced node needs a new one of the same name", async () => {
  const run = {
    planned: [],
    containers: [
      { name: "kafka-1", must_run: true },
      { name: "kafka-1-certificates", must_run: false },
      { name: "kafka-init", must_run: false },
    ],
    import: async (_: unknown, address: string) => steps.push(`import ${address}`),
    plan: async () => steps.push("plan"),
    stillHeld: async () => steps.push("held?"),
  } as unknown as Run;
  await adoptUnmanaged(run, [
    found("container", "kafka-1"),
    found("container", "kafka-1-certificates"),
    found("container", "kafka-init"),
    found("volume", "kafka-1-certificates"),
  ]);
  expect(steps).toEqual([
    "import docker_volume.kafka-1-certificates",
    "plan",
    ...["held?", "remove kafka-1-certificates", "held?", "remove kafka-init"],
    "roll kafka-1,kafka-1-certificates,kafka-init",
    // Those that are gone already are not found again.
    ...["held?", "remove kafka-1"],
    ...["held?", "remove kafka-1-certificates"],
    ...["held?", "remove kafka-init"],
  ]);
});
