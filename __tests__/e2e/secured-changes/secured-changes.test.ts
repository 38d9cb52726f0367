import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { labSecured } from "../../../environments/lab-secured";
import { expectDone, freshLab, rerun } from "../../support/lab";
import { Visitors } from "../../support/rights";
import { Guest, SecuredProject } from "../../support/secured";

let project: SecuredProject;
let visitors: Visitors;
const folder = mkdtempSync(join(tmpdir(), "groundwork-guests-"));

beforeAll(async () => {
  await freshLab(labSecured);
  project = new SecuredProject();
  expectDone(project.command("up"));
  visitors = new Visitors(
    project,
    {
      project_net: new Guest("client", "project_net"),
      infra_net: new Guest("insider", "infra_net"),
    },
    folder,
  );
  await visitors.putIdentities();
});

afterAll(() => {
  visitors.remove();
  project.remove();
  rmSync(folder, { recursive: true });
});

/** As the administrator, to OpenSearch's security API. */
const asAdmin = (...args: string[]) =>
  visitors.guests.infra_net.run(
    ...["curl", "--silent", "--fail", "--cacert", "ca.pem", "--cert", "os-admin.pem"],
    ...["--header", "Content-Type: application/json", ...args],
  );

test("who took an application's user over is told, with the requirement that does not hold, and not touched", () => {
  const user = "https://opensearch:9200/_plugins/_security/api/internalusers/shop";
  const theirs = JSON.stringify({ password: "one-that-is-Long-3nough", description: "of others" });
  expect(asAdmin("--request", "PUT", "--data", theirs, user)).toMatchObject({ exitCode: 0 });
  const taken = project.command("up");
  expect(taken).toMatchObject({ exitCode: 1 });
  expect(taken.output).toMatch(/^NFR-SEC +NO +applications have .*: shop, ledger$/m);
  expect(taken.output).toContain(
    "application shop: user is internalusers/shop, made by someone else, declared made by Groundwork",
  );
  expect(asAdmin(user).output).toContain("of others");

  expect(asAdmin("--request", "DELETE", user)).toMatchObject({ exitCode: 0 });
  const again = project.command("up");
  expectDone(again);
  expect(again.output).toMatch(/^NFR-SEC +yes /m);
});

describe("what is not declared any more", () => {
  test("is revoked by the next deploy, and nothing else", () => {
    const file = join(project.folder, "catalog", "applications.ts");
    const [ledger] = / {2}\{\n {4}name: "ledger"[\s\S]*?\n {2}\},\n/.exec(
      readFileSync(file, "utf8"),
    ) as unknown as [string];
    project.edit("catalog/applications.ts", ledger, "");
    const { exitCode, output } = project.command("up");
    expect({ exitCode, output }).toEqual({ exitCode: 0, output });
    for (const sidecar of ["kafka-init", "os-security"]) {
      const { log } = rerun(sidecar);
      expect(log.at(-1)).toMatchObject({ exit_code: 0, revoked: 0 });
    }
  });
});

describe("a state that is lost while everything runs", () => {
  test("is made good by npm run adopt, node by node, and rights and passwords stay", () => {
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
});
