import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { labSecured } from "../../lab/environments";
import { ensureKeyPairs, makeKeyPairs } from "../../secrets/platform-secrets";
import { contentsOf, nameAsBefore } from "../support/earlier-secrets";

const environment = { ...labSecured, name: "given-test" };
const FROM = join(__dirname, "..", "..", "environments", "secrets", environment.name);
const parent = mkdtempSync(join(tmpdir(), "given secrets-"));
const [made, given] = [join(parent, "made"), join(parent, "given")];
const ensure = () => ensureKeyPairs(environment, [{ name: "shop" }]);

beforeAll(() => makeKeyPairs(made, environment, [{ name: "shop" }]));
beforeEach(() => {
  rmSync(given, { recursive: true, force: true });
  cpSync(made, given, { recursive: true, preserveTimestamps: true });
  nameAsBefore(given);
  process.env.GROUNDWORK_SECRETS = given;
});
afterEach(() => {
  delete process.env.GROUNDWORK_SECRETS;
});
afterAll(() => rmSync(parent, { recursive: true }));

/** Returns the commands in the message that refuses the folder. */
async function refusal(): Promise<string> {
  const before = contentsOf(given);
  const message = await ensure().then(
    () => "nothing is refused",
    (error) => error.message,
  );
  expect(contentsOf(given)).toEqual(before);
  return message;
}

describe("a folder of GROUNDWORK_SECRETS with the names of an earlier version", () => {
  test("is rejected and left unchanged, with the missing files and the commands that rename them", async () => {
    const message = await refusal();
    expect(message).toMatch(
      /^GROUNDWORK_SECRETS is "\S+ \S+", where ca\/bundle.pem, key-pairs\/kafka-1.pem, /,
    );
    const [, commands] =
      / are missing: its files have the names of an earlier version; rename them with (.*)$/.exec(
        message,
      ) ?? [];
    expect(commands).toBe(
      `cd "${given}" && mv authority ca && mv ca/authority.pem ca/ca.pem && mv ca/trusted.pem ca/bundle.pem && mv identities key-pairs`,
    );
    execFileSync("sh", ["-c", commands]);
    await ensure();
    expect(contentsOf(given)).toEqual(contentsOf(made));
  });

  test("gets no command for the CA's key if it has none", async () => {
    rmSync(join(given, "authority", "authority.pem"));
    expect(await refusal()).toMatch(
      /&& mv authority ca && mv ca\/trusted.pem ca\/bundle.pem && mv identities key-pairs$/,
    );
  });

  test("gets only the remaining commands after some renames", async () => {
    execFileSync("sh", ["-c", `cd "${given}" && mv authority ca && mv identities key-pairs`]);
    expect(await refusal()).toBe(
      `GROUNDWORK_SECRETS is "${given}", where ca/bundle.pem is missing: its files have the names of an earlier version; rename them with cd "${given}" && mv ca/authority.pem ca/ca.pem && mv ca/trusted.pem ca/bundle.pem`,
    );
  });
});

test("secrets of an earlier version stay in place while GROUNDWORK_SECRETS is set", async () => {
  process.env.GROUNDWORK_SECRETS = made;
  cpSync(given, FROM, { recursive: true });
  try {
    await ensure();
    expect(contentsOf(FROM)).toEqual(contentsOf(given));
    expect(existsSync(join(__dirname, "..", "..", ".state", environment.name, "secrets"))).toBe(
      false,
    );
  } finally {
    rmSync(FROM, { recursive: true });
  }
});
