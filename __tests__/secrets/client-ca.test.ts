import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { type AddressInfo, isIP } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer } from "node:tls";
import { LOKI_CLIENTS } from "../../constructs/security/principals";
import { labSecured } from "../../lab/environments";
import { writeClientCas } from "../../secrets/client-ca";
import { ensureKeyPairs, makeKeyPairs, principalsOf } from "../../secrets/platform-secrets";
import { SECRET_FILES, writeSecret } from "../../secrets/secret-files";
import { issue, keyAs } from "../support/issued";
import { ownSecrets } from "../support/own-secrets";

const folder = mkdtempSync(join(tmpdir(), "client-ca-"));
const secrets = join(folder, "secrets");
const file = join(folder, "loki-client-cas.pem");

beforeAll(async () => {
  await makeKeyPairs(secrets, labSecured, []);
  await writeClientCas(file, secrets, LOKI_CLIENTS);
});
afterAll(() => rmSync(folder, { recursive: true }));

const read = (name: string) => readFileSync(join(secrets, name), "utf8");

/** Returns whether Loki's TLS server accepts the certificate of a principal. */
function accepts(principal: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const own = read(SECRET_FILES.keyPair("loki"));
    const server = createServer(
      {
        ...{ key: own, cert: own, ca: readFileSync(file, "utf8") },
        ...{ requestCert: true, rejectUnauthorized: false },
      },
      (client) => {
        client.end();
        server.close();
        resolve(client.authorized);
      },
    );
    server.listen(0, "127.0.0.1", () => {
      const keyPair = read(SECRET_FILES.keyPair(principal));
      connect({
        ...{ key: keyPair, cert: keyPair, ca: read(SECRET_FILES.caBundle) },
        ...{ port: (server.address() as AddressInfo).port, servername: "loki" },
      }).on("error", reject);
    });
  });
}

test("Loki accepts the certificates of Alloy, Grafana and the checks, and no other one of the CA", async () => {
  const names = [...principalsOf(labSecured).keys()];
  const accepted: string[] = [];
  for (const name of names) {
    if (await accepts(name)) {
      accepted.push(name);
    }
  }
  expect(accepted.sort()).toEqual(["alloy", "checks", "grafana"]);
  expect(names.length).toBeGreaterThan(10);
});

test("the CAs keep their subject and key, so that clients choose the same certificate", () => {
  const [limited, ca] = [readFileSync(file), read(SECRET_FILES.caBundle)].map(
    (pem) => new X509Certificate(pem),
  );
  expect([limited.subject, limited.serialNumber]).toEqual([ca.subject, ca.serialNumber]);
  expect(limited.publicKey.equals(ca.publicKey)).toBe(true);
});

test("the file is written again only if a CA or a name changes, with every CA of a rotation", async () => {
  const before = statSync(file);
  expect(before.mode & 0o777).toBe(0o600);
  await writeClientCas(file, secrets, LOKI_CLIENTS);
  expect(statSync(file).ino).toBe(before.ino);
  const other = join(folder, "other");
  await makeKeyPairs(other, labSecured, []);
  writeSecret(
    secrets,
    SECRET_FILES.caBundle,
    read(SECRET_FILES.caBundle) + readFileSync(join(other, SECRET_FILES.caBundle), "utf8"),
  );
  await writeClientCas(file, secrets, LOKI_CLIENTS);
  expect(readFileSync(file, "utf8").match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
  expect(await accepts("grafana")).toBe(true);
  expect(await accepts("kafka-1")).toBe(false);
});

test("a company's CA that is limited to names itself keeps its other limits", async () => {
  const names = [...new Set([...principalsOf(labSecured).values()].flat())];
  const permitted = names.filter((name) => isIP(name) === 0);
  const ca = await issue({ name: "limited", isCa: true, permitted });
  const limited = join(folder, "limited");
  writeSecret(limited, SECRET_FILES.ca, keyAs("pkcs8", ca) + ca.certificate);
  writeSecret(limited, SECRET_FILES.caBundle, ca.certificate);
  await makeKeyPairs(limited, labSecured, []);
  cpSync(limited, secrets, { recursive: true });
  await writeClientCas(file, secrets, LOKI_CLIENTS);
  expect(await accepts("grafana")).toBe(true);
  expect(await accepts("kafka-1")).toBe(false);
  const text = execFileSync("openssl", ["x509", "-noout", "-text", "-in", file]).toString();
  expect(text.match(/Name Constraints/g)).toHaveLength(1);
  expect(text).toContain("email:example.org");
});

describe("an environment", () => {
  const environment = { ...labSecured, name: "client-ca-test" };
  const own = ownSecrets(environment, secrets);
  const derived = join(own, "..", "loki-client-cas.pem");
  afterEach(() => {
    delete process.env.GROUNDWORK_SECRETS;
  });

  test("has the file beside its own secrets", async () => {
    await ensureKeyPairs(environment);
    expect(existsSync(derived)).toBe(true);
  });

  test("has it for secrets that are given, where nothing is written", async () => {
    const given = join(folder, "given");
    cpSync(secrets, given, { recursive: true });
    process.env.GROUNDWORK_SECRETS = given;
    await ensureKeyPairs(environment);
    expect(existsSync(derived)).toBe(true);
    expect(existsSync(join(given, "loki-client-cas.pem"))).toBe(false);
  });
});
