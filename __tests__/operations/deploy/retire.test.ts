import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { labSecured } from "../../../lab/environments";
import { retireSecrets } from "../../../operations/deploy/retire";
import { ensureKeyPairs, makeKeyPairs } from "../../../secrets/platform-secrets";
import { contentsOf } from "../../support/earlier-secrets";
import { ownSecrets } from "../../support/own-secrets";

const environment = { ...labSecured, name: "retire-test" };
const made = mkdtempSync(join(tmpdir(), "retire-"));
const own = ownSecrets(environment, made);
const said = { log: [] as string[], warn: [] as string[] };

beforeAll(() => makeKeyPairs(made, environment, ["ledger", "shop"]));
beforeEach(() => {
  for (const kind of ["log", "warn"] as const) {
    said[kind] = [];
    jest.spyOn(console, kind).mockImplementation((...args) => said[kind].push(String(args[0])));
  }
});
afterEach(() => jest.restoreAllMocks());
afterAll(() => {
  delete process.env.GROUNDWORK_SECRETS;
  rmSync(made, { recursive: true });
  rmSync(join(own, ".."), { recursive: true, force: true });
});

const password = (name: string) =>
  readFileSync(join(own, "applications", `${name}.password`), "utf8");

test("an application that is declared again after a deploy without it gets a new password", async () => {
  const [old, ledger] = [password("shop"), password("ledger")];
  retireSecrets(environment, ["ledger"]);
  expect(said.log).toEqual([
    `  no longer declared: shop. The password moved to .state/retire-test/secrets/retired/applications; declared again, the application gets a new one`,
  ]);
  expect([...contentsOf(own).keys()].filter((file) => file.includes("shop"))).toEqual([
    "retired/applications/shop.bcrypt",
    "retired/applications/shop.checked",
    "retired/applications/shop.password",
  ]);
  expect(readFileSync(join(own, "retired", "applications", "shop.password"), "utf8")).toBe(old);
  expect(password("ledger")).toBe(ledger);

  await ensureKeyPairs(environment, ["ledger", "shop"]);
  expect(password("shop")).not.toBe(old);
  // The next retirement replaces the earlier one.
  const next = password("shop");
  retireSecrets(environment, []);
  expect(readFileSync(join(own, "retired", "applications", "shop.password"), "utf8")).toBe(next);
});

test("a synth without the application leaves its password, since nothing is deployed", async () => {
  const before = contentsOf(own);
  await ensureKeyPairs(environment, ["ledger"]);
  expect(password("shop")).toBe(before.get("applications/shop.password"));
});

test("nothing is moved while every application is declared", () => {
  const before = contentsOf(own);
  retireSecrets(environment, ["ledger", "shop"]);
  expect(contentsOf(own)).toEqual(before);
  expect(said).toEqual({ log: [], warn: [] });
});

test("a password in a folder from GROUNDWORK_SECRETS stays, and the line says what to remove", () => {
  const given = mkdtempSync(join(tmpdir(), "retire-given-"));
  cpSync(made, given, { recursive: true });
  const before = contentsOf(given);
  process.env.GROUNDWORK_SECRETS = given;
  retireSecrets(environment, ["ledger"]);
  expect(contentsOf(given)).toEqual(before);
  expect(said.warn).toEqual([
    `warning: ${given} still has the password of shop, which the catalog does not declare: remove applications/shop.* there, or the old password is valid again when the application is declared again`,
  ]);
  rmSync(given, { recursive: true });
});
