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

/** Secrets with current names, and with the names of an earlier version. */
const made = mkdtempSync(join(tmpdir(), "takeover-"));
const earlier = mkdtempSync(join(tmpdir(), "takeover-"));
const errors = jest.spyOn(console, "error").mockImplementation(() => {});

const take = () => ensureKeyPairs(environment, [{ name: "shop" }]);
const said = () => errors.mock.calls.map(([line]) => line);
const MOVED = `moved the secrets of takeover-test from ${FROM} to ${TO}`;
const expectMoved = () => {
  expect(contentsOf(to)).toEqual(contentsOf(made));
  expect(readableByOthers(to)).toEqual([]);
  expect(existsSync(from)).toBe(false);
  expect(said()).toEqual([MOVED]);
};

beforeAll(async () => {
  await makeKeyPairs(made, environment, [{ name: "shop" }]);
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
  test("are moved and renamed, readable by their owner only, and one line says so once", async () => {
    await take();
    expectMoved();
    await take();
    expectMoved();
  });

  test("stay the same: none is generated again", async () => {
    expect(await checkSecrets(environment, [{ name: "shop" }])).toContainEqual({
      name: "secrets",
      found: TO,
    });
    expectMoved();
  });

  test("stay unchanged in an environment without TLS", async () => {
    await ensureKeyPairs({ ...environment, security: "none" });
    expect(contentsOf(from)).toEqual(contentsOf(earlier));
    expect(existsSync(to)).toBe(false);
  });

  test.each(RENAMES.map((_, renamed) => renamed))(
    "are complete after the command was killed between the move and %i renames",
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

  test("are rejected and stay if the new folder has others", async () => {
    cpSync(made, to, { recursive: true });
    rmSync(join(to, "applications", "shop.bcrypt"));
    const before = [contentsOf(from), contentsOf(to)];
    await expect(take()).rejects.toThrow(
      `${FROM} and ${TO} both have secrets: keep the folder that the platform was deployed with and remove the other, with rm -r ${FROM} or rm -r ${TO}`,
    );
    expect([contentsOf(from), contentsOf(to)]).toEqual(before);
    expect(said()).toEqual([]);

    rmSync(to, { recursive: true });
    await take();
    expectMoved();
  });

  test("are never overwritten in a folder that has both names", async () => {
    await take();
    cpSync(join(earlier, "identities"), join(to, "identities"), { recursive: true });
    const before = contentsOf(to);
    const [one, other] = [join(to, "identities"), join(to, "key-pairs")];
    await expect(take()).rejects.toThrow(
      `${one} and ${other} both have secrets, and the first is the name of an earlier version: keep the one in use and remove the other, with rm -r ${one} or rm -r ${other}`,
    );
    expect(contentsOf(to)).toEqual(before);
  });
});

describe("secrets that are moved to another file system", () => {
  test("are copied, readable by their owner only, then removed", async () => {
    const rename = jest.spyOn(fs, "renameSync").mockImplementationOnce(() => {
      throw Object.assign(new Error("cross-device link not permitted"), { code: "EXDEV" });
    });
    try {
      // Left by an interrupted copy.
      cpSync(join(earlier, "authority"), `${to}.new`, { recursive: true });
      await take();
      expectMoved();
      expect(existsSync(`${to}.new`)).toBe(false);
      expect(rename).toHaveBeenCalledWith(from, to);
    } finally {
      rename.mockRestore();
    }
  });

  test("are removed if the command was killed after the copy", async () => {
    cpSync(earlier, to, { recursive: true, preserveTimestamps: true });
    rmSync(join(from, "identities"), { recursive: true });
    await take();
    expectMoved();
  });
});

test("git ignores both folders", () => {
  const ignored = [FROM, TO].map((path) => join(path, "key-pairs", "kafka-1.pem"));
  const said = execFileSync("git", ["check-ignore", ...ignored], { cwd: ROOT, encoding: "utf8" });
  expect(said.trim().split("\n")).toEqual(ignored);
});
