import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { labSecured } from "../../../lab/environments";
import { Platform } from "../../../operations/platform/platform";
import { Run, type RunOptions } from "../../../operations/run/run";
import type { Stack } from "../../../operations/synthesis/synthesize";
import { CommandError } from "../../../operations/terminal/terminal";
import { programsOnPath } from "../../support/programs";

const { folder, program } = programsOnPath();
const work = mkdtempSync(join(tmpdir(), "run-"));
afterAll(() => rmSync(work, { recursive: true }));

const environment = { ...labSecured, name: "run-test" };
afterAll(() => rmSync(join(".state", environment.name), { recursive: true, force: true }));

const container = (name: string, cluster?: string) => ({
  type: "docker_container",
  id: name,
  body: { name, labels: cluster ? [{ label: "groundwork.cluster", value: cluster }] : [] },
});

/** A stack with two nodes and the job of one of them. */
function stackOf(resources: readonly object[]): Stack {
  const stackFolder = mkdtempSync(join(work, "stack-"));
  mkdirSync(join(stackFolder, ".terraform"));
  return {
    ...{ name: "run-test-messaging", layer: "messaging", folder: stackFolder, dependencies: [] },
    ...{ resources, settings: {}, providers: ["docker"], variables: [] },
  } as unknown as Stack;
}

/** Has Terraform print this plan and log its arguments. Returns what it was called with. */
function terraform(changes: readonly object[] = []) {
  const log = join(folder, "log");
  rmSync(log, { force: true });
  program("docker", "echo 8");
  program(
    "terraform",
    `echo "$*" >>${log}
case "$2" in
  plan) ${changes.length > 0 ? `printf '%s\\n' '${JSON.stringify({ type: "planned_change", change: changes[0] })}'; exit 2` : "exit 0"} ;;
  show) printf '%s' '${JSON.stringify({ resource_changes: changes })}' ;;
esac`,
  );
  return () => readFileSync(log, "utf8").trimEnd().split("\n");
}

const BINARY = {
  command: join(folder, "terraform"),
  product: "Terraform",
  version: "1.11.4",
  choice: "",
} as const;
const runOf = (stack: Stack, options?: RunOptions) =>
  new Run(new Platform(environment), [stack], BINARY, options);

test("a deploy that replaces nodes replaces each once, and neither jobs nor sidecars", async () => {
  jest.spyOn(console, "log").mockImplementation(() => undefined);
  const stack = stackOf([
    container("kafka-1", "kafka"),
    container("kafka-2", "kafka"),
    container("kafka-1-certificates"),
    container("kafka-init"),
  ]);
  const calls = terraform();
  const run = runOf(stack, { replaceNodes: true });
  await run.plan();
  await run.apply([{ stack, addresses: ["docker_container.kafka-1"] }]);
  await run.deploy();
  const replaced = calls().flatMap((line) => {
    const [, command] = line.split(" ");
    return ["plan", "apply"].includes(command)
      ? [[command, ...(line.match(/(?<=-replace=docker_container\.)\S+/g) ?? [])]]
      : [];
  });
  expect(replaced).toEqual([
    ["plan", "kafka-1", "kafka-2"],
    ["apply", "kafka-1"],
    ["plan", "kafka-2"],
  ]);
});

test("what an apply of some resources left to do is planned again once, and then deployed from that plan", async () => {
  jest.spyOn(console, "log").mockImplementation(() => undefined);
  const stack = stackOf([container("kafka-1", "kafka")]);
  const address = "docker_container.kafka-4";
  const calls = terraform([{ action: "delete", resource: { addr: address } }]);
  const run = runOf(stack);
  await run.plan();
  await run.apply([{ stack, addresses: ["docker_container.kafka-1"] }]);
  expect(run.planned).toEqual([]);
  await run.replan();
  await run.replan();
  expect(run.planned.map(({ actions }) => [...actions])).toEqual([[[address, "delete"]]]);
  await run.deploy();
  await run.replan();
  const commands = calls().map((line) => line.split(" ")[1]);
  expect(commands).toEqual(["init", "plan", "apply", "plan", "apply"]);
});

test("Terraform changes nothing once another command has the lock", async () => {
  jest.spyOn(console, "log").mockImplementation(() => undefined);
  const stack = stackOf([container("kafka-1", "kafka")]);
  const address = "docker_volume.x";
  const action = {
    ...{ address, action: "delete", resource: { addr: address } },
    change: { before: { name: "kafka-4-data" } },
  };
  const calls = terraform([action]);
  const run = runOf(stack, {
    async stillHeld() {
      throw new CommandError("another command has the lock");
    },
  });
  await run.plan();
  const steps = [
    () => run.keepVolumes(),
    () => run.apply([{ stack, addresses: ["docker_container.kafka-1"] }]),
    () => run.import(stack, "docker_network.infra", "infra_net"),
    () => run.deploy(),
    () => run.destroy("messaging"),
  ];
  for (const step of steps) {
    await expect(step()).rejects.toThrow("another command has the lock");
  }
  const commands = calls().map((line) => line.split(" ")[1]);
  expect(commands.filter((one) => /apply|destroy|import|state/.test(one))).toEqual([]);
});

test.each([
  ["is only shown takes no lock on the state, so that no deploy waits for it", true, [true]],
  ["is applied locks the state", false, [false]],
])("a plan that %s", async (_, readOnly, expected) => {
  const calls = terraform();
  await runOf(stackOf([]), { readOnly }).plan();
  const plans = calls().filter((line) => line.split(" ")[1] === "plan");
  expect(plans.map((line) => line.split(" ").includes("-lock=false"))).toEqual(expected);
});

test.each([
  ["keeps its data volume", "kafka-4-data", ["docker_volume.x"]],
  ["loses its certificates", "kafka-4-certificates", []],
])("a node that is no longer declared %s", async (_, name, forgotten) => {
  jest.spyOn(console, "log").mockImplementation(() => undefined);
  const action = {
    ...{ address: "docker_volume.x", action: "delete", resource: { addr: "docker_volume.x" } },
    change: { before: { name } },
  };
  const calls = terraform([action]);
  const run = runOf(stackOf([]));
  await run.plan();
  await run.keepVolumes();
  const removed = calls().flatMap(
    (line) => /state rm -lock-timeout=\S+ (.*)$/.exec(line)?.[1] ?? [],
  );
  expect(removed).toEqual(forgotten);
});
