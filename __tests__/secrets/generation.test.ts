import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { labSecured } from "../../lab/environments";
import { generationsIn, recordGeneration } from "../../secrets/generation";
import { ensureKeyPairs, makeKeyPairs } from "../../secrets/platform-secrets";
import { replaceCredentials, replaceKeyPairs, takeCaRotationStep } from "../../secrets/rotation";
import { SECRET_FILES, writeSecret } from "../../secrets/secret-files";
import { ownSecrets } from "../support/own-secrets";

const environment = { ...labSecured, name: "generation-test" };
const made = mkdtempSync(join(tmpdir(), "generation-"));
const own = ownSecrets(environment, made);
const ensure = () => ensureKeyPairs(environment, [{ name: "shop" }]);
const numbers = () => generationsIn(own).map(({ number }) => number);

beforeAll(() => makeKeyPairs(made, environment, [{ name: "shop" }]));
afterAll(() => rmSync(made, { recursive: true }));

test("secrets that do not change keep their generation", async () => {
  const before = generationsIn(own);
  expect(before).toEqual([{ number: 1, digest: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
  await ensure();
  expect(generationsIn(own)).toEqual(before);
});

test("every change of a secret is a new generation, and the earlier ones are remembered", async () => {
  const changes: (() => unknown)[] = [
    () => replaceCredentials(environment, { name: "shop" }),
    () => replaceKeyPairs(environment, []),
    () => takeCaRotationStep(environment, 1),
    () => takeCaRotationStep(environment, 2),
    () => takeCaRotationStep(environment, 3),
    () => writeFileSync(join(own, "applications", "shop.password"), "of my own\n"),
    () => ensureKeyPairs(environment, [{ name: "shop" }, { name: "ledger" }]),
    () => writeSecret(own, SECRET_FILES.oidcClientSecret, "of the identity provider\n"),
  ];
  const [first] = generationsIn(own);
  for (const [i, change] of changes.entries()) {
    await change();
    await ensure();
    expect(numbers()[0]).toBe(i + 2);
  }
  expect(numbers()).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
  expect(generationsIn(own).at(-1)).toEqual(first);
});

test("hashes, which follow from passwords, are no part of it", async () => {
  const before = generationsIn(own);
  rmSync(join(own, "applications", "shop.bcrypt"));
  await ensure();
  expect(generationsIn(own)).toEqual(before);
});

test("a number that a person wrote comes before the next generation", () => {
  writeFileSync(join(own, "generation"), "6\n");
  recordGeneration(own);
  expect(readFileSync(join(own, "generation"), "utf8")).toMatch(/^7 [0-9a-f]{64}\n6\n$/);
});

test("a malformed file is refused with its line", () => {
  writeFileSync(join(own, "generation"), "six\n");
  expect(() => generationsIn(own)).toThrow(
    `${own}/generation has the line "six": each line must be a number and a SHA-256, as Groundwork wrote them; put the file back, or write only the number of the deployed generation, which npm run up names`,
  );
});
