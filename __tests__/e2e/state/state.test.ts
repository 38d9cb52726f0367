import { execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { readLocks } from "../../../operations/machine/machine";
import { detectTerraform } from "../../../operations/terraform/binary";
import { migrateState } from "../../../operations/terraform/migrate-state";
import { run } from "../../support/lab";
import { openStateServer, type StateServer } from "../../support/state-server";

const execute = promisify(execFile);

let server: StateServer;
let folder: string;
const terraform = detectTerraform() as { command: string };

beforeAll(async () => {
  server = await openStateServer();
});
afterAll(() => server.close());

beforeEach(() => {
  server.states.clear();
  folder = mkdtempSync(join(tmpdir(), "state-"));
  mkdirSync(join(folder, "stack"));
  const declare = (backend: object) =>
    writeFileSync(
      join(folder, "stack", "cdk.tf.json"),
      JSON.stringify({
        terraform: { backend },
        resource: { terraform_data: { it: { input: 1 } } },
      }),
    );
  declare({ local: { path: "../local.tfstate" } });
  for (const args of [["init"], ["apply", "-auto-approve"]]) {
    const { exitCode, output } = run(terraform.command, [
      `-chdir=${join(folder, "stack")}`,
      ...args,
    ]);
    expect([exitCode, output]).toEqual([0, expect.any(String)]);
  }
  declare({ http: { address: `${server.address}/state` } });
});
afterEach(() => rmSync(folder, { recursive: true }));

const migrate = () => migrateState(join(folder, "stack"), join(folder, "local.tfstate"), terraform);

test("a local state moves to the backend, and the next plan is empty", async () => {
  expect(await migrate()).toBe("moved");
  expect(JSON.parse(server.states.get("/state") ?? "").resources).toHaveLength(1);
  expect(existsSync(join(folder, "local.tfstate"))).toBe(false);
  expect(existsSync(join(folder, "local.tfstate.moved"))).toBe(true);
  // Asynchronous, since this process is the backend.
  const { stdout } = await execute(terraform.command, [`-chdir=${join(folder, "stack")}`, "plan"]);
  expect(stdout).toContain("No changes");
  expect(await migrate()).toBe("nothing to move");
});

test("a state of other origin in the backend is left alone", async () => {
  const local = readFileSync(join(folder, "local.tfstate"), "utf8");
  const theirs = { ...JSON.parse(local), lineage: "11111111-2222-3333-4444-555555555555" };
  server.states.set("/state", JSON.stringify(theirs));
  await expect(migrate()).rejects.toThrow(
    /^the backend already has another state for .*, with 1 resource: no changes made; remove .*local\.tfstate to use the backend's state, or empty the backend first$/,
  );
  expect(server.states.get("/state")).toBe(JSON.stringify(theirs));
  expect(readFileSync(join(folder, "local.tfstate"), "utf8")).toBe(local);
});

test("a state is locked while Terraform works on it, and not after Terraform was killed", async () => {
  writeFileSync(
    join(folder, "stack", "cdk.tf.json"),
    JSON.stringify({
      terraform: { backend: { local: { path: "../local.tfstate" } } },
      resource: {
        terraform_data: {
          it: { provisioner: [{ "local-exec": { command: "sleep 5" } }], triggers_replace: 2 },
        },
      },
    }),
  );
  const stack = join(folder, "stack");
  await execute(terraform.command, [`-chdir=${stack}`, "init", "-reconfigure"]);
  const apply = spawn(terraform.command, [`-chdir=${stack}`, "apply", "-auto-approve"]);
  while (readLocks(folder).length === 0) {
    await setTimeout(100);
  }
  expect(readLocks(folder)).toEqual([
    { file: "local.tfstate", who: expect.stringContaining("@"), since: expect.any(String) },
  ]);
  apply.kill("SIGKILL");
  await new Promise((resolve) => apply.on("close", resolve));
  expect(existsSync(join(folder, ".local.tfstate.lock.info"))).toBe(true);
  expect(readLocks(folder)).toEqual([]);
});
