import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expectDone, run } from "../../support/lab";
import { deployedSecuredLab } from "../../support/secured";

const project = deployedSecuredLab();

test("applications write and read with exactly their permissions", () => {
  const hello = project.command("hello", "shop");
  expectDone(hello);
  expect(hello.output.match(/^(done|failed|skipped): .*$/gm)).toEqual([
    "done: write a record to topic infra-events",
    // Application ledger may join no group but "ledger".
    expect.stringMatching(/^done: read the record at offset 0 of partition [0-2]$/),
    "done: index a document in logs-shop-hello",
    "done: find the document in logs-shop-hello",
    "skipped: Loki: loki and alloy: in excludedServices of lab/environments.ts",
  ]);
  for (const application of ["shop", "ledger"]) {
    expect(hello.output).not.toContain(project.passwordOf(application));
  }
  const commands = hello.output.match(/^ {2}GROUNDWORK_ENV=.*$/gm) ?? [];
  expect(commands).toHaveLength(4);
  for (const command of commands) {
    expectDone(run("sh", ["-c", `set -e; ${command}`], {}, project.folder));
  }
});

test("the first application that may write does without a name, also into a data stream", () => {
  expectDone(project.command("hello"));
  const first = '"logs-shop-*": "write", "application-logs": "write"';
  project.edit("catalog/applications.ts", first, '"application-logs": "write"');
  const hello = project.command("hello");
  expectDone(hello);
  expect(hello.output).toContain("done: find the document in application-logs");
});

test("an application that is not deployed yet is refused with the remedy, and no secret is written", () => {
  const file = "catalog/applications.ts";
  project.edit(file, '    name: "shop"', '    name: "shop2"');
  const hello = project.command("hello", "shop2");
  project.edit(file, '    name: "shop2"', '    name: "shop"');
  expect(hello.exitCode).toBe(1);
  expect(hello.output).toMatch(
    /no changes made:\n- \S+\/shop2\.password is missing, and npm run hello writes no secrets: run npm run up first/,
  );
  expect(() => project.passwordOf("shop2")).toThrow("ENOENT");
});

test("a password that is not deployed yet fails with the server's words and the remedy", () => {
  writeFileSync(join(project.secrets, "applications", "shop.password"), "a".repeat(32));
  const hello = project.command("hello", "shop");
  expect(hello.exitCode).toBe(1);
  expect(hello.output).toMatch(
    /- write a record to topic infra-events: .*[Aa]uthentication.*npm run up/,
  );
  expect(hello.output).toMatch(
    /- index a document in \S+: .*401\nUnauthorized; deploy .*: npm run up/,
  );
});
