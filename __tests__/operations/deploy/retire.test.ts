import { X509Certificate } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { labSecured } from "../../../lab/environments";
import { retireSecrets } from "../../../operations/deploy/retire";
import { ensureKeyPairs, makeKeyPairs } from "../../../secrets/platform-secrets";
import { keepReplaced } from "../../../secrets/secret-files";
import { contentsOf } from "../../support/earlier-secrets";
import { ownSecrets } from "../../support/own-secrets";

const environment = { ...labSecured, name: "retire-test" };
const made = mkdtempSync(join(tmpdir(), "retire-"));
const own = ownSecrets(environment, made);
const said = { log: [] as string[], warn: [] as string[] };

beforeAll(() => makeKeyPairs(made, environment, [{ name: "ledger" }, { name: "shop" }]));
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
  retireSecrets(environment, [{ name: "ledger" }]);
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

  await ensureKeyPairs(environment, [{ name: "ledger" }, { name: "shop" }]);
  expect(password("shop")).not.toBe(old);
  // The next retirement replaces the earlier one.
  const next = password("shop");
  retireSecrets(environment, []);
  expect(readFileSync(join(own, "retired", "applications", "shop.password"), "utf8")).toBe(next);
});

describe("an application that authenticates in another way", () => {
  const WITH_CERTIFICATE = { name: "shop", authentication: "certificate" } as const;
  const TO = ".state/retire-test/secrets/retired/applications";
  const filesOf = (folder: string) =>
    [...contentsOf(own).keys()].filter((file) => file.startsWith(`${folder}/shop`));

  test("with a certificate leaves no password, and gets another one when it has a password again, without its key pair", async () => {
    const old = password("shop");
    const changed = [{ name: "ledger" }, WITH_CERTIFICATE];
    await ensureKeyPairs(environment, changed);
    retireSecrets(environment, changed);
    expect(said.log).toEqual([
      `  with a certificate now: shop. The password moved to ${TO}; with a password again, the application gets a new one`,
    ]);
    expect(filesOf("applications")).toEqual(["applications/shop.pem"]);

    said.log = [];
    const certificate = new X509Certificate(readFileSync(join(own, "applications", "shop.pem")));
    const back = [{ name: "ledger" }, { name: "shop" }];
    await ensureKeyPairs(environment, back);
    retireSecrets(environment, back);
    expect(said.log).toEqual([
      `  with a password now: shop. The key pair moved to ${TO}. Until ${new Date(certificate.validTo).toISOString()}, its certificate is accepted: npm run rotate -- certificates --revoke ends that`,
    ]);
    expect(filesOf("applications")).not.toContain("applications/shop.pem");
    expect(password("shop")).not.toBe(old);

    await ensureKeyPairs(environment, changed);
    const next = new X509Certificate(readFileSync(join(own, "applications", "shop.pem")));
    expect(next.serialNumber).not.toBe(certificate.serialNumber);
  });

  test("and is not declared any more leaves no key pair, and the line says that its certificate is not revoked", async () => {
    const declared = [{ name: "ledger" }, WITH_CERTIFICATE];
    await ensureKeyPairs(environment, declared);
    retireSecrets(environment, declared);
    said.log = [];
    retireSecrets(environment, [{ name: "ledger" }]);
    expect(said.log).toEqual([
      expect.stringMatching(
        /^ {2}no longer declared: shop\. The key pair moved to \S+\. Until \S+Z, its certificate is accepted again if the application is declared again: npm run rotate -- certificates --revoke ends that$/,
      ),
    ]);
    expect(filesOf("retired/applications")).toContain("retired/applications/shop.pem");
    expect(filesOf("applications")).toEqual([]);
  });

  test("keeps its key pair in a folder from GROUNDWORK_SECRETS, and the line says what to remove", async () => {
    const given = mkdtempSync(join(tmpdir(), "retire-given-"));
    await makeKeyPairs(given, environment, [{ name: "ledger" }, WITH_CERTIFICATE]);
    process.env.GROUNDWORK_SECRETS = given;
    const before = contentsOf(given);
    retireSecrets(environment, [{ name: "ledger" }, { name: "shop" }]);
    expect(contentsOf(given)).toEqual(before);
    expect(said.warn).toEqual([
      `warning: ${given} still has the key pair of shop, which the catalog does not declare with a certificate: remove applications/shop.pem there. The certificate is valid until it expires`,
    ]);
    rmSync(given, { recursive: true });
  });
});

test("a synth without the application leaves its password, since nothing is deployed", async () => {
  const before = contentsOf(own);
  await ensureKeyPairs(environment, [{ name: "ledger" }]);
  expect(password("shop")).toBe(before.get("applications/shop.password"));
});

test("nothing is moved while every application is declared", () => {
  const before = contentsOf(own);
  retireSecrets(environment, [{ name: "ledger" }, { name: "shop" }]);
  expect(contentsOf(own)).toEqual(before);
  expect(said).toEqual({ log: [], warn: [] });
});

test("key pairs that a renewal replaced in a folder from GROUNDWORK_SECRETS go once others are deployed", async () => {
  const given = mkdtempSync(join(tmpdir(), "retire-given-"));
  cpSync(made, given, { recursive: true });
  const before = contentsOf(given);
  keepReplaced(given, "key-pairs/kafka-1.pem");
  expect(contentsOf(given)).not.toEqual(before);
  process.env.GROUNDWORK_SECRETS = given;
  retireSecrets(environment, [{ name: "ledger" }, { name: "shop" }]);
  expect(contentsOf(given)).toEqual(before);
  rmSync(given, { recursive: true });
});

test("a password in a folder from GROUNDWORK_SECRETS stays, and the line says what to remove", () => {
  const given = mkdtempSync(join(tmpdir(), "retire-given-"));
  cpSync(made, given, { recursive: true });
  const before = contentsOf(given);
  process.env.GROUNDWORK_SECRETS = given;
  retireSecrets(environment, [{ name: "ledger" }]);
  expect(contentsOf(given)).toEqual(before);
  expect(said.warn).toEqual([
    `warning: ${given} still has the password of shop, which the catalog does not declare with a password: remove applications/shop.password applications/shop.bcrypt there, or the old password is valid again when it does`,
  ]);
  rmSync(given, { recursive: true });
});
