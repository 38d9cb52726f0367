import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Application } from "../../../constructs";
import { labSecured } from "../../../lab/environments";
import { loginFailures } from "../../../operations/checks/logins";
import type { OpenSearch, OpenSearchLogin } from "../../../operations/platform/open-search";
import { makeCa, makeKeyPair } from "../../../secrets/certificates";
import { certificatesIn } from "../../../secrets/secret-files";

const APPLICATIONS: readonly Application[] = [
  { name: "shop", indices: { "logs-shop-*": "write" } },
  { name: "ledger", indices: { "logs-shop-*": "read" } },
  { name: "orders", topics: { orders: "write" } },
  { name: "audit", indices: { "logs-shop-*": "read" }, authentication: "certificate" },
];

const given = process.env.GROUNDWORK_SECRETS;
const folder = mkdtempSync(join(tmpdir(), "groundwork-logins-"));

let keyPair: string;
beforeAll(async () => {
  process.env.GROUNDWORK_SECRETS = folder;
  mkdirSync(join(folder, "ca"));
  mkdirSync(join(folder, "applications"));
  const ca = await makeCa("test");
  writeFileSync(join(folder, "ca", "bundle.pem"), certificatesIn(ca).join(""));
  keyPair = await makeKeyPair(ca, "audit", ["audit"]);
  writeFileSync(join(folder, "applications", "audit.pem"), keyPair);
  for (const { name } of APPLICATIONS) {
    writeFileSync(join(folder, "applications", `${name}.password`), `password-of-${name}\n`);
  }
});

afterAll(() => {
  process.env.GROUNDWORK_SECRETS = given;
  if (given === undefined) {
    delete process.env.GROUNDWORK_SECRETS;
  }
  rmSync(folder, { recursive: true });
});

/** Logs in to a cluster with these passwords, by application. */
function login(
  passwords: Readonly<Record<string, string>>,
  acceptsCertificate = true,
): Promise<string[]> {
  const accepts = (given: OpenSearchLogin) =>
    "key" in given
      ? given.key + given.certificate === keyPair && acceptsCertificate
      : passwords[given.user] === given.password;
  const openSearch: Pick<OpenSearch, "login"> = {
    login: async (given) =>
      accepts(given)
        ? { exitCode: 0, output: "{}" }
        : { exitCode: 22, output: "curl: (22) The requested URL returned error: 401" },
  };
  return loginFailures(
    { environment: labSecured, openSearch: openSearch as OpenSearch },
    APPLICATIONS,
  );
}

test("applications that use indices log in to OpenSearch with their own passwords and certificates", async () => {
  expect(await login({ shop: "password-of-shop", ledger: "password-of-ledger" })).toEqual([]);
});

test("a certificate that OpenSearch refuses is reported", async () => {
  const passwords = { shop: "password-of-shop", ledger: "password-of-ledger" };
  expect(await login(passwords, false)).toEqual([
    "application audit: OpenSearch refuses its certificate: curl: (22) The requested URL returned error: 401; see docker logs os-security",
  ]);
});

test("a password that OpenSearch refuses is reported", async () => {
  expect(await login({ shop: "changed", ledger: "password-of-ledger" })).toEqual([
    "application shop: OpenSearch refuses its password: curl: (22) The requested URL returned error: 401; see docker logs os-security",
  ]);
});
