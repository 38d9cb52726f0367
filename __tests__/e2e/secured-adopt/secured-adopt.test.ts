import { rmSync } from "node:fs";
import { join } from "node:path";
import { labSecured } from "../../../lab/environments";
import { expectDone, freshLab } from "../../support/lab";
import { SecuredProject } from "../../support/secured";

let project: SecuredProject;

beforeAll(async () => {
  await freshLab(labSecured);
  project = new SecuredProject();
  expectDone(project.command("up"));
});

afterAll(() => project.remove());

test("a state that is lost while everything runs is made good by npm run adopt, node by node, and rights and passwords stay", () => {
  rmSync(join(project.folder, ".state", labSecured.name), { recursive: true });
  const refused = project.command("up");
  expect(refused.exitCode).toBe(1);
  expect(refused.output).toContain("npm run adopt takes them over and loses nothing");
  const adopted = project.command("adopt");
  expectDone(adopted);
  for (const cluster of ["opensearch", "kafka"]) {
    expect(adopted.output).toContain(
      `${cluster} is rolled: ${cluster}-1, ${cluster}-2, ${cluster}-3`,
    );
  }
  expect(adopted.output).not.toMatch(/^\S+ +NO /m);
  const again = project.command("up");
  expect(again.output.match(/: no changes/g)).toHaveLength(5);
});
