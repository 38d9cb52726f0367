import { X509Certificate } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { laptop } from "../../environments/laptop";
import { labSecured } from "../../lab/environments";
import { rotate } from "../../operations/rotation/rotate";
import { ensureKeyPairs, principalsOf, secretsFolder } from "../../secrets/platform-secrets";
import {
  caRotationStepOf,
  endRotations,
  finishCaRotation,
  isBeingReplaced,
  replaceCredentials,
  replaceKeyPairs,
  takeCaRotationStep,
} from "../../secrets/rotation";
import { certificatesIn } from "../../secrets/secret-files";

const environment = { ...labSecured, name: "rotation-test" };
const folder = secretsFolder(environment);
const made = mkdtempSync(join(tmpdir(), "rotation-"));

const read = (file: string) => readFileSync(join(folder, file), "utf8");
const trusted = () =>
  certificatesIn(read("ca/bundle.pem")).map((pem) => new X509Certificate(pem).subject);
const issuers = () => [
  ...new Set(
    [...principalsOf(environment).keys()].map(
      (name) => new X509Certificate(read(`key-pairs/${name}.pem`)).issuer,
    ),
  ),
];
/** Runs the first step of a deploy. */
const synth = () => ensureKeyPairs(environment, [{ name: "shop" }]);

beforeAll(async () => {
  await synth();
  cpSync(folder, made, { recursive: true });
});
beforeEach(() => {
  rmSync(folder, { recursive: true });
  cpSync(made, folder, { recursive: true });
});
afterAll(() => {
  rmSync(folder, { recursive: true });
  rmSync(made, { recursive: true });
});

test("a new CA is trusted first, then signs certificates, then is the only trusted one", async () => {
  /** Takes a step, and takes it again as if it had been interrupted, which changes nothing more. */
  const take = async (step: number) => {
    await takeCaRotationStep(environment, step);
    await synth();
    const once = [trusted(), issuers()];
    await takeCaRotationStep(environment, step);
    await synth();
    expect([trusted(), issuers()]).toEqual(once);
    expect(caRotationStepOf(environment)).toBe(step);
  };
  const [old] = trusted();
  await take(1);
  const [, next] = trusted();
  expect(trusted()).toEqual([old, next]);
  expect(next).not.toBe(old);
  expect(issuers()).toEqual([old]);

  await take(2);
  expect(trusted()).toEqual([old, next]);
  expect(issuers()).toEqual([next]);

  await take(3);
  expect(trusted()).toEqual([next]);
  expect(issuers()).toEqual([next]);
  finishCaRotation(environment);
  expect(caRotationStepOf(environment)).toBeUndefined();
});

test.each([2, 3])("step %i of a rotation is refused if the next CA is missing", async (step) => {
  await takeCaRotationStep(environment, 1);
  rmSync(join(folder, "ca", "next.pem"));
  await expect(takeCaRotationStep(environment, step)).rejects.toThrow(
    `${folder}/ca/next.pem is missing, the CA that ca/bundle.pem trusts as the next one: put it back, or write 1 to ${folder}/ca/step to continue with another new CA`,
  );
  expect(trusted()).toHaveLength(2);
  await takeCaRotationStep(environment, 1);
  await synth();
  await takeCaRotationStep(environment, 2);
  await synth();
  expect(issuers()).toEqual([trusted()[1]]);
});

test.each(["", "4", "two", "1 2"])("a rotation does not continue with the step %j", (text) => {
  writeFileSync(join(folder, "ca", "step"), `${text}\n`);
  expect(() => caRotationStepOf(environment)).toThrow(
    `${folder}/ca/step is "${text}", and the step of a CA rotation is 1, 2 or 3: write the number of the last line "step <number> of 3" that npm run rotate -- ca printed`,
  );
});

/** Returns the files that a rotation keeps until its end. */
const kept = () =>
  (readdirSync(folder, { recursive: true }) as string[])
    .filter((file) => file.endsWith(".replaced"))
    .sort();

test("every principal gets a new certificate from the same CA, and the old one is kept until the end", async () => {
  const names = [...principalsOf(environment).keys()];
  const serials = (suffix = "") =>
    names.map((name) => new X509Certificate(read(`key-pairs/${name}.pem${suffix}`)).serialNumber);
  const before = [trusted(), serials()];
  await replaceKeyPairs(environment, []);
  await synth();
  const after = serials();
  expect(trusted()).toEqual(before[0]);
  expect(after.filter((serial) => before[1].includes(serial))).toEqual([]);
  expect(serials(".replaced")).toEqual(before[1]);
  expect(isBeingReplaced(environment, "certificates")).toBe(true);

  endRotations(environment);
  expect(kept()).toEqual([]);
  expect(isBeingReplaced(environment, "certificates")).toBe(false);
  expect(serials()).toEqual(after);
});

test("certificates that an interrupt left halfway are finished, and none is made twice", async () => {
  const files = [...principalsOf(environment).keys()].map((name) => `key-pairs/${name}.pem`);
  const before = files.map(read);
  await replaceKeyPairs(environment, []);
  const once = files.map(read);
  // As after an interrupt before the second was written, and one before the third was kept.
  writeFileSync(join(folder, files[1]), before[1]);
  writeFileSync(join(folder, files[2]), before[2]);
  rmSync(join(folder, `${files[2]}.replaced`));
  await replaceKeyPairs(environment, []);
  const twice = files.map(read);
  expect(files.filter((_, i) => twice[i] !== once[i])).toEqual(files.slice(1, 3));
  expect(before.filter((pem) => twice.includes(pem))).toEqual([]);
  expect(files.map((file) => read(`${file}.replaced`))).toEqual(before);
});

test("no certificate is replaced without the CA's key", async () => {
  rmSync(join(folder, "ca", "ca.pem"));
  await expect(replaceKeyPairs(environment, [])).rejects.toThrow(`${folder}/ca/ca.pem is missing`);
  expect(kept()).toEqual([]);
});

test("an application gets a new password and hash once, the old one is kept until the end, and nothing else changes", async () => {
  const before = ["applications/shop.password", "applications/shop.bcrypt"].map(read);
  const node = read("key-pairs/kafka-1.pem");
  await replaceCredentials(environment, { name: "shop" });
  await synth();
  const password = read("applications/shop.password");
  expect(before).not.toContain(password);
  expect(before).not.toContain(read("applications/shop.bcrypt"));
  expect(read("applications/shop.password.replaced")).toBe(before[0]);
  expect(read("key-pairs/kafka-1.pem")).toBe(node);

  await replaceCredentials(environment, { name: "shop" });
  expect(read("applications/shop.password")).toBe(password);
  expect(isBeingReplaced(environment, { name: "shop" })).toBe(true);
  endRotations(environment);
  expect(kept()).toEqual([]);
  await replaceCredentials(environment, { name: "shop" });
  expect(read("applications/shop.password")).not.toBe(password);
});

describe("nothing is rotated", () => {
  test.each([
    [
      undefined,
      "npm run rotate needs an argument: allowed are ca, certificates and declared applications (shop)",
    ],
    ["shpo", 'cannot rotate "shpo": allowed are ca, certificates and declared applications (shop)'],
  ])("for %s", async (what, message) => {
    await expect(rotate(environment, [{ name: "shop" }], what)).rejects.toThrow(message);
  });

  test("in an environment without TLS", async () => {
    await expect(rotate(laptop, [], "ca")).rejects.toThrow(
      'environment "laptop" has nothing to rotate, because TLS is not enabled: set security: "tls" in environments/laptop.ts to enable it',
    );
  });

  test("if GROUNDWORK_SECRETS is set", async () => {
    process.env.GROUNDWORK_SECRETS = made;
    try {
      await expect(rotate(environment, [], "certificates")).rejects.toThrow(
        `GROUNDWORK_SECRETS provides the secrets of environment "rotation-test" (${made}): rotate them at their source, in the order that docs/how-to/rotate.md gives`,
      );
    } finally {
      delete process.env.GROUNDWORK_SECRETS;
    }
  });
});
