import { X509Certificate } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { labSecured } from "../../lab/environments";
import { rotate } from "../../operations/rotation/rotate";
import { ensureKeyPairs, makeKeyPairs, secretsFolder } from "../../secrets/platform-secrets";
import { caRotationStepOf, takeCaRotationStep } from "../../secrets/rotation";
import { nameAsBefore } from "../support/earlier-secrets";

const environment = { ...labSecured, name: "rotation-takeover-test" };

/** A deploy, reduced to what it does with secrets. */
jest.mock("../../operations/deploy/deploy", () => ({
  deployPlatform: () => ensureKeyPairs(environment),
}));

jest.mock("../../operations/deploy/prepare", () => ({ checkDeploy: async () => undefined }));

const FROM = join(__dirname, "..", "..", "environments", "secrets", environment.name);
const folder = secretsFolder(environment);
const made = mkdtempSync(join(tmpdir(), "rotation-takeover-"));
const lines: string[] = [];
jest.spyOn(console, "log").mockImplementation((line) => lines.push(line));
const errors = jest.spyOn(console, "error").mockImplementation(() => {});

const node = () => new X509Certificate(readFileSync(join(folder, "key-pairs", "kafka-1.pem")));
const bundle = () => readFileSync(join(folder, "ca", "bundle.pem"), "utf8");

/** Puts the secrets into the folder of an earlier version. */
function putBack(from: string): void {
  cpSync(from, FROM, { recursive: true, preserveTimestamps: true });
  nameAsBefore(FROM);
}

beforeAll(() => makeKeyPairs(made, environment, []));
beforeEach(() => {
  lines.length = 0;
  errors.mockClear();
  rmSync(folder, { recursive: true, force: true });
  putBack(made);
});
afterAll(() => {
  rmSync(FROM, { recursive: true, force: true });
  rmSync(join(folder, ".."), { recursive: true, force: true });
  rmSync(made, { recursive: true });
});

test("certificates of an earlier version are replaced and signed by the same CA", async () => {
  const before = new X509Certificate(readFileSync(join(FROM, "identities", "kafka-1.pem")));
  const trusted = readFileSync(join(FROM, "authority", "trusted.pem"), "utf8");
  await rotate(environment, [], "certificates");
  expect(node().serialNumber).not.toBe(before.serialNumber);
  expect(bundle()).toBe(trusted);
  expect(errors).toHaveBeenCalledTimes(1);
});

test("a CA rotation of an earlier version continues with its step", async () => {
  // Step 1 of that version: both CAs are trusted.
  await ensureKeyPairs(environment);
  const old = node().issuer;
  await takeCaRotationStep(environment, 1);
  await takeCaRotationStep(environment, 2);
  putBack(folder);
  rmSync(folder, { recursive: true });
  errors.mockClear();

  await rotate(environment, [], "ca");
  expect(lines).toContain("CA rotation in progress: continuing with step 2 of 3");
  expect(node().issuer).not.toBe(old);
  expect(new X509Certificate(bundle()).subject).toBe(node().issuer);
  expect(bundle().match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
  expect(caRotationStepOf(environment)).toBeUndefined();
  expect(errors).toHaveBeenCalledTimes(1);
});
