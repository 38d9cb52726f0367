import { execFileSync } from "node:child_process";
import fs, { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { labSecured } from "../../lab/environments";
import { checkSecrets } from "../../operations/machine/secrets";
import { ensureKeyPairs, makeKeyPairs } from "../../secrets/platform-secrets";
import { contentsOf, nameAsBefore, RENAMES, readableByOthers } from "../support/earlier-secrets";

const ROOT = join(__dirname, "..", "..");
const environment = { ...labSecured, name: "takeover-test" };
const FROM = "environments/secrets/takeover-test";
const TO = ".state/takeover-test/secrets";
const [from, to] = [join(ROOT, FROM), join(ROOT, TO)];

/** Secrets with the names of now, and as a version before has made them. */
const made = mkdtempSync(join(tmpdir(), "takeover-"));
const earlier = mkdtempSync(join(tmpdir(), "takeover-"));
const errors = jest.spyOn(console, "error").mockImplementation(() => {});

const take = () => ensureKeyPairs(environment, ["shop"]);
const said = () => errors.mock.calls.map(([line]) => line);
const MOVED = `moved the secrets of takeover-test from ${FROM} to ${TO}`;
const expectMoved = () => {
  expect(contentsOf(to)).toEqual(contentsOf(made));
  expect(readableByOthers(to)).toEqual([]);
  expect(existsSync(from)).toBe(false);
  expect(said()).toEqual([MOVED]);
};

beforeAll(async () => {
  await makeKeyPairs(made, environment, ["shop"]);
  cpSync(made, earlier, { recursive: true, preserveTimestamps: true });
  nameAsBefore(earlier);
});
beforeEach(() => {
  errors.mockClear();
  cpSync(earlier, from, { recursive: true, preserveTimestamps: true });
});
afterEach(() => {
  rmSync(from, { recursive: true, force: true });
  rmSync(join(ROOT, ".state", environment.name), { recursive: true, force: true });
});
afterAll(() => {
  rmSync(made, { recursive: true });
  rmSync(earlier, { recursive: true });
});

describe("secrets that an earlier version made", () => {
  test("are moved and renamed, for this user's eyes only, which one line says once", async () => {
    await take();
    expectMoved();
    await take();
    expectMoved();
  });

  test("are as good as before: none is made again", async () => {
    expect(await checkSecrets(environment, [{ name: "shop" }])).toContainEqual({
      name: "secrets",
      found: TO,
    });
    expectMoved();
  });

  test("are not touched by an environment without TLS", async () => {
    await ensureKeyPairs({ ...environment, security: "none" });
    expect(contentsOf(from)).toEqual(contentsOf(earlier));
    expect(existsSync(to)).toBe(false);
  });

  test.each(RENAMES.map((_, renamed) => renamed))(
    "are whole where the command was killed after the move and %i renames",
    async (renamed) => {
      mkdirSync(join(to, ".."), { recursive: true });
      renameSync(from, to);
      for (const [before, now] of RENAMES.slice(0, renamed)) {
        renameSync(join(to, before), join(to, now));
      }
      await take();
      expect(contentsOf(to)).toEqual(contentsOf(made));
      expect(readableByOthers(to)).toEqual([]);
      expect(said()).toEqual([]);
    },
  );

  test("are refused, and stay, where the new place has others", async () => {
    cpSync(made, to, { recursive: true });
    rmSync(join(to, "applications", "shop.bcrypt"));
    const before = [contentsOf(from), contentsOf(to)];
    await expect(take()).rejects.toThrow(
      `${FROM} and ${TO} both have secrets: keep those that the platform was deployed with and remove the others, with rm -r ${FROM} or rm -r ${TO}`,
    );
    expect([contentsOf(from), contentsOf(to)]).toEqual(before);
    expect(said()).toEqual([]);

    rmSync(to, { recursive: true });
    await take();
    expectMoved();
  });

  test("are never written over within a folder that has both names", async () => {
    await take();
    cpSync(join(earlier, "identities"), join(to, "identities"), { recursive: true });
    const before = contentsOf(to);
    const [one, other] = [join(to, "identities"), join(to, "key-pairs")];
    await expect(take()).rejects.toThrow(
      `${one} and ${other} both have secrets, the first under the name of an earlier version: keep those in use and remove the others, with rm -r ${one} or rm -r ${other}`,
    );
    expect(contentsOf(to)).toEqual(before);
  });
});

describe("secrets that are moved to another file system", () => {
  test("are copied, for this user's eyes only, then removed", async () => {
    const rename = jest.spyOn(fs, "renameSync").mockImplementationOnce(() => {
      throw Object.assign(new Error("cross-device link not permitted"), { code: "EXDEV" });
    });
    try {
      // What an interrupted copy has left.
      cpSync(join(earlier, "authority"), `${to}.new`, { recursive: true });
      await take();
      expectMoved();
      expect(existsSync(`${to}.new`)).toBe(false);
      expect(rename).toHaveBeenCalledWith(from, to);
    } finally {
      rename.mockRestore();
    }
  });

  test("are removed at the end where the command was killed meanwhile", async () => {
    cpSync(earlier, to, { recursive: true, preserveTimestamps: true });
    rmSync(join(from, "identities"), { recursive: true });
    await take();
    expectMoved();
  });
});

test("neither place is in git", () => {
  const ignored = [FROM, TO].map((path) => join(path, "key-pairs", "kafka-1.pem"));
  const said = execFileSync("git", ["check-ignore", ...ignored], { cwd: ROOT, encoding: "utf8" });
  expect(said.trim().split("\n")).toEqual(ignored);
});
