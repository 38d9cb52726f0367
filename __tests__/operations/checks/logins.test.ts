import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Application } from "../../../constructs";
import { labSecured } from "../../../lab/environments";
import { loginFailures } from "../../../operations/checks/logins";
import type { OpenSearch } from "../../../operations/platform/open-search";
import { makeCa } from "../../../secrets/certificates";
import { certificatesIn } from "../../../secrets/secret-files";

const APPLICATIONS: readonly Application[] = [
  { name: "shop", indices: { "logs-shop-*": "write" } },
  { name: "ledger", indices: { "logs-shop-*": "read" } },
  { name: "orders", topics: { orders: "write" } },
];

const given = process.env.GROUNDWORK_SECRETS;
const folder = mkdtempSync(join(tmpdir(), "groundwork-logins-"));

beforeAll(async () => {
  process.env.GROUNDWORK_SECRETS = folder;
  mkdirSync(join(folder, "ca"));
  mkdirSync(join(folder, "applications"));
  writeFileSync(join(folder, "ca", "bundle.pem"), certificatesIn(await makeCa("test")).join(""));
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
function login(passwords: Readonly<Record<string, string>>): Promise<string[]> {
  const openSearch: Pick<OpenSearch, "login"> = {
    login: async (user, password) =>
      passwords[user] === password
        ? { exitCode: 0, output: "{}" }
        : { exitCode: 22, output: "curl: (22) The requested URL returned error: 401" },
  };
  return loginFailures(
    { environment: labSecured, openSearch: openSearch as OpenSearch },
    APPLICATIONS,
  );
}

test("applications that use indices log in to OpenSearch with their own passwords", async () => {
  expect(await login({ shop: "password-of-shop", ledger: "password-of-ledger" })).toEqual([]);
});

test("a password that OpenSearch refuses is reported", async () => {
  expect(await login({ shop: "changed", ledger: "password-of-ledger" })).toEqual([
    "application shop: OpenSearch refuses its password: curl: (22) The requested URL returned error: 401; see docker logs os-security",
  ]);
});
