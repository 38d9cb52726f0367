import { rmSync } from "node:fs";
import { join } from "node:path";
import { labThree } from "../../../lab/environments";
import { PROJECT_ROOT } from "../../../operations/synthesis/project";
import { expectDone, NODES, npm } from "../../support/lab";
import { expectNoChanges, loadOn, onMachines } from "../../support/machines";

onMachines();

test("npm run adopt recovers a lost state while everything runs, and no application notices", async () => {
  rmSync(join(PROJECT_ROOT, ".state", labThree.name), { recursive: true });
  const refused = npm("up");
  expect(refused).toEqual({
    exitCode: 1,
    output: expect.stringContaining("npm run adopt takes them over and keeps all stored data"),
  });
  const load = await loadOn("b");
  const adopted = npm("adopt");
  expectDone(adopted);
  for (const name of ["network infra_net", "network project_net", "volume kafka-3-data"]) {
    expect(adopted.output).toContain(`imported ${name}\n`);
  }
  for (const [cluster, nodes] of Object.entries(NODES)) {
    expect(adopted.output).toContain(`rolling replacement of ${cluster}: ${nodes.join(", ")}\n`);
  }
  expect(adopted.output).not.toMatch(/^\S+ +NO /m);
  load.finish();
  expectNoChanges(npm("up"));
});
