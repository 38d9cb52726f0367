import { createPrivateKey, X509Certificate } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import type { Application } from "../../constructs";
import { isReserved } from "../../constructs/security/principals";
import { labSecured } from "../../lab/environments";
import { generationsIn } from "../../secrets/generation";
import {
  ensureKeyPairs,
  makeKeyPairs,
  pendingSecrets,
  renewDueKeyPairs,
} from "../../secrets/platform-secrets";
import {
  endRotations,
  expiryOfReplaced,
  isBeingReplaced,
  replaceCredentials,
  replaceKeyPairs,
  setCaRotationStep,
  takeCaRotationStep,
} from "../../secrets/rotation";
import { certificatesIn } from "../../secrets/secret-files";
import { issue, keyAs, USES } from "../support/issued";
import { ownSecrets } from "../support/own-secrets";
import { ROOT } from "../support/root";

const environment = {
  ...{ ...labSecured, name: "application-certificates-test" },
  excludedServices: ["grafana" as const],
};
const SHOP: Application = { name: "shop", authentication: "certificate" };
const APPLICATIONS = [SHOP, { name: "ledger" }];
const made = mkdtempSync(join(tmpdir(), "application-certificates-"));
const own = ownSecrets(environment, made);
const FILE = "applications/shop.pem";

const read = (file: string) => readFileSync(join(own, file), "utf8");
const certificate = () => new X509Certificate(read(FILE));
const ensure = () => ensureKeyPairs(environment, APPLICATIONS);
const cas = () => certificatesIn(read("ca/bundle.pem")).map((pem) => new X509Certificate(pem));
const issuerOf = ({ issuer }: X509Certificate) => issuer;

const said: string[] = [];
beforeAll(() => makeKeyPairs(made, environment, APPLICATIONS));
beforeEach(() => {
  said.length = 0;
  jest.spyOn(console, "error").mockImplementation((line) => said.push(line));
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});
afterAll(() => {
  delete process.env.GROUNDWORK_SECRETS;
  rmSync(made, { recursive: true });
  rmSync(join(own, ".."), { recursive: true });
});

const inDays = (days: number) =>
  jest.useFakeTimers({ now: Date.now() + days * 86_400_000, advanceTimers: true });

test("an application with a certificate has a key pair for clients with its name alone, and no password", async () => {
  await ensure();
  expect(readdirSync(join(own, "applications")).sort()).toEqual([
    ...["ledger.bcrypt", "ledger.checked", "ledger.password", "shop.pem"],
  ]);
  const { subject, subjectAltName, keyUsage } = certificate();
  expect([subject, subjectAltName]).toEqual(["CN=shop", "DNS:shop"]);
  expect(keyUsage).toEqual([USES.clientAuth]);
  expect(certificate().checkPrivateKey(createPrivateKey(read(FILE)))).toBe(true);
  expect(read(FILE)).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  expect(certificate().verify(cas()[0].publicKey)).toBe(true);
  expect(statSync(join(own, FILE)).mode & 0o777).toBe(0o600);
});

test("no application's certificate has a name that Prometheus accepts", () => {
  const { tls_server_config } = parse(
    readFileSync(join(ROOT, "constructs", "prometheus", "web.yml"), "utf8"),
  );
  const accepted: string[] = tls_server_config.client_allowed_sans;
  expect(tls_server_config.client_auth_type).toBe("RequireAndVerifyClientCert");
  expect(accepted.length).toBeGreaterThan(0);
  expect(accepted.filter((name) => !isReserved(name))).toEqual([]);
});

test("a missing key pair is made, and is pending before", async () => {
  rmSync(join(own, FILE));
  expect(pendingSecrets(environment, APPLICATIONS)).toEqual([`${join(own, FILE)} is missing`]);
  await ensure();
  expect(pendingSecrets(environment, APPLICATIONS)).toEqual([]);
  expect(certificate().subject).toBe("CN=shop");
});

test("a certificate past two thirds of its life is renewed, and the line says to whom it has to be given until when", async () => {
  const { serialNumber, validTo } = certificate();
  inDays(59);
  await ensure();
  expect(certificate().serialNumber).toBe(serialNumber);
  expect(said).toEqual([]);
  inDays(61);
  expect(pendingSecrets(environment, APPLICATIONS)).toContain("the certificate of shop is due");
  expect(await renewDueKeyPairs(environment, APPLICATIONS)).toContain("shop");
  expect(certificate().serialNumber).not.toBe(serialNumber);
  expect(said).toEqual([
    `renewed the certificate of application shop: give it the new one (npm run credentials -- shop); the old one expires on ${new Date(validTo).toISOString()}`,
  ]);
});

test("a change of the key pair is a new generation of the secrets", async () => {
  await ensure();
  const [{ number }] = generationsIn(own);
  await replaceCredentials(environment, SHOP);
  await ensure();
  expect(generationsIn(own)[0].number).toBe(number + 1);
});

test.each([
  ["all certificates", () => replaceKeyPairs(environment, APPLICATIONS), "certificates" as const],
  ["its credentials", () => replaceCredentials(environment, SHOP), SHOP],
])(
  "a rotation of %s makes one new key pair, and keeps the old one until its end",
  async (_, replace, what) => {
    const old = read(FILE);
    await replace();
    await ensure();
    const next = read(FILE);
    expect(next).not.toBe(old);
    expect(read(`${FILE}.replaced`)).toBe(old);
    expect(isBeingReplaced(environment, what)).toBe(true);
    expect(expiryOfReplaced(environment, SHOP)).toEqual(new Date(new X509Certificate(old).validTo));
    await replace();
    expect(read(FILE)).toBe(next);
    endRotations(environment);
    expect(existsSync(join(own, `${FILE}.replaced`))).toBe(false);
    expect(isBeingReplaced(environment, what)).toBe(false);
    expect(existsSync(join(own, "applications", "shop.password"))).toBe(false);
  },
);

test("no key pair is replaced without the CA's key", async () => {
  rmSync(join(own, "ca", "ca.pem"));
  await expect(replaceCredentials(environment, SHOP)).rejects.toThrow(
    `${own}/ca/ca.pem is missing`,
  );
  expect(existsSync(join(own, `${FILE}.replaced`))).toBe(false);
});

test("during a CA rotation, an application gets a certificate of the new CA once everything trusts that, before the old one is trusted no more", async () => {
  const [old] = cas();
  await takeCaRotationStep(environment, 1);
  await ensure();
  const [, next] = cas();
  expect(issuerOf(certificate())).toBe(old.subject);
  // As npm run rotate leaves it after the deploy of step 1.
  setCaRotationStep(environment, 2);
  await ensure();
  expect(issuerOf(certificate())).toBe(next.subject);
  expect(new X509Certificate(read("key-pairs/kafka-1.pem")).issuer).toBe(old.subject);
  const given = read(FILE);

  for (const step of [2, 3]) {
    await takeCaRotationStep(environment, step);
    await ensure();
    expect([step, read(FILE)]).toEqual([step, given]);
  }
  expect(cas().map(({ subject }) => subject)).toEqual([next.subject]);
});

describe("in a folder from GROUNDWORK_SECRETS, the key pair", () => {
  let given: string;
  beforeEach(() => {
    given = mkdtempSync(join(tmpdir(), "application-certificates-given-"));
    cpSync(own, given, { recursive: true });
    process.env.GROUNDWORK_SECRETS = given;
  });
  afterEach(() => {
    delete process.env.GROUNDWORK_SECRETS;
    rmSync(given, { recursive: true });
  });
  const file = () => join(given, FILE);
  const put = async (props: Partial<Parameters<typeof issue>[0]> = {}) => {
    const issuer = {
      key: createPrivateKey(read("ca/ca.pem")),
      certificate: read("ca/bundle.pem"),
    };
    const issued = await issue({ name: "shop", issuer, ...props });
    writeFileSync(file(), keyAs("pkcs8", issued) + issued.certificate, { mode: 0o600 });
  };

  test("may be for clients only, or have no usage", async () => {
    for (const uses of [[USES.clientAuth], undefined]) {
      await put({ hosts: ["shop"], uses });
      await ensure();
    }
  });

  test.each<[string, () => unknown, () => string]>([
    [
      "is missing",
      () => rmSync(file()),
      () => `GROUNDWORK_SECRETS is "${given}", where ${FILE} is missing: add what is missing`,
    ],
    [
      "is open to others",
      () => chmodSync(file(), 0o644),
      () => `other users on this machine can read ${FILE} (mode 644) in ${given}: `,
    ],
    [
      "has another subject",
      () => put({ name: "ledger", hosts: ["shop"] }),
      () => `${file()} has the subject "CN=ledger": it must be exactly CN=shop`,
    ],
    [
      "is also for a service",
      () => put({ hosts: ["shop", "alloy"] }),
      () =>
        `${file()} is also valid for alloy, and would have the permissions of that service: its only subject alternative name must be shop`,
    ],
    [
      "is for servers only",
      () => put({ hosts: ["shop"], uses: [USES.serverAuth] }),
      () =>
        `${file()} has a certificate whose extended key usage lacks clientAuth: replace it with one for clientAuth`,
    ],
    [
      "is of another CA",
      () => put({ hosts: ["shop"], issuer: undefined }),
      () => `${file()} is not signed by a CA in ca/bundle.pem: `,
    ],
    ["has expired", () => put({ hosts: ["shop"], notAfter: new Date(0) }), () => `${file()}: `],
  ])("is refused if it %s", async (_, spoil, message) => {
    await spoil();
    await expect(ensure()).rejects.toThrow(message());
  });
});
