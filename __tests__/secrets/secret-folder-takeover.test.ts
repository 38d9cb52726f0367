import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretFolder } from "../../secrets/secret-folder";
import { contentsOf, nameAsBefore, readableByOthers } from "../support/earlier-secrets";

const path = mkdtempSync(join(tmpdir(), "secret-folder-takeover-"));
const errors = jest.spyOn(console, "error").mockImplementation(() => {});
afterAll(() => rmSync(path, { recursive: true }));

test("files of an earlier version are renamed, and one line says so once", async () => {
  const security = new SecretFolder(path);
  security.keyPairOf("kafka-1");
  security.credentialsOf("shop");
  await security.ensure();
  expect(errors).not.toHaveBeenCalled();
  const made = contentsOf(path);
  expect([...made.keys()]).toContain("key-pairs/kafka-1.pem");
  nameAsBefore(path);
  for (let times = 0; times < 2; times++) {
    await security.ensure();
    expect(contentsOf(path)).toEqual(made);
  }
  expect(readableByOthers(path)).toEqual([]);
  expect(errors.mock.calls).toEqual([
    [`renamed the secrets in ${path}: they had the names of an earlier version`],
  ]);
});
