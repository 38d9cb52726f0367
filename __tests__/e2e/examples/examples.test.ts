import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runLabScript } from "../../../lab/scripts";
import { detectTerraform } from "../../../operations/terraform/binary";
import { docker, expectDone, type Finished, freshLab, run } from "../../support/lab";

const output = mkdtempSync(join(tmpdir(), "examples-"));

/** Runs Terraform in the folder of the example's stack. */
function terraform(...args: string[]): Finished {
  const { command } = detectTerraform() as { command: string };
  return run(command, [`-chdir=${join(output, "stacks", "orders")}`, ...args]);
}

/** Runs a tool of the Kafka CLI in the broker. */
const kafka = (tool: string, ...args: string[]) =>
  docker(
    ...["exec", "--env", "KAFKA_HEAP_OPTS=-Xmx64m", "kafka-1", `/opt/kafka/bin/${tool}.sh`],
    ...["--bootstrap-server", "kafka-1.kafka-infra:19092", ...args],
  );

/** Removes everything that the example created, including its data. */
function removeExample(): void {
  const ofExample = ["--quiet", "--filter", "label=groundwork.environment=default"];
  for (const [kind, list, remove] of [
    ["container", ["ls", "--all"], ["rm", "--force"]],
    ["network", ["ls"], ["rm"]],
    ["volume", ["ls"], ["rm"]],
  ] as const) {
    const ids = docker(kind, ...list, ...ofExample);
    if (ids !== "") {
      docker(kind, ...remove, ...ids.split("\n"));
    }
  }
}

beforeAll(async () => {
  await runLabScript("engine.sh", "bookworm");
  // Left by a killed run: the lab refuses to start on an engine with unknown containers.
  removeExample();
  await freshLab(undefined, { sharedClasses: false });
});
afterAll(() => {
  removeExample();
  rmSync(output, { recursive: true });
});

test("kafka-only deploys with Terraform alone", () => {
  expectDone(
    run("node", ["-r", "./tools/register.js", "examples/kafka-only/main.ts"], {
      CDKTF_OUTDIR: output,
    }),
  );
  expectDone(terraform("init", "-input=false"));
  expectDone(terraform("apply", "-input=false", "-auto-approve"));
});

test("the broker has the declared topic", () => {
  expect(kafka("kafka-topics", "--describe", "--topic", "orders")).toMatch(
    /PartitionCount: 3\s+ReplicationFactor: 1\s/,
  );
});

test("a second plan has nothing to do", () => {
  expectDone(terraform("plan", "-input=false", "-detailed-exitcode"));
});

test("terraform destroy refuses to remove the data", () => {
  const { exitCode, output: said } = terraform("destroy", "-input=false", "-auto-approve");
  expect(exitCode).toBe(1);
  expect(said).toContain("Instance cannot be destroyed");
  expect(docker("volume", "ls", "--quiet", "--filter", "name=kafka-1-data")).toBe("kafka-1-data");
});
