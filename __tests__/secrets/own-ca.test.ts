import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { labSecured } from "../../lab/environments";
import { ensureKeyPairs, principalsOf, secretsFolder } from "../../secrets/platform-secrets";
import { takeCaRotationStep } from "../../secrets/rotation";
import { writeSecret } from "../../secrets/secret-files";
import { ED25519, type Issued, issue, keyAs, P384, RSA } from "../support/issued";

const environment = { ...labSecured, name: "own-ca-test" };
const folder = secretsFolder(environment);
const CA = join(folder, "ca", "ca.pem");
const ensure = () => ensureKeyPairs(environment);

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Puts a company's CA into the folder. */
function put(ca: string, { certificate }: Issued): void {
  writeSecret(folder, "ca/ca.pem", ca);
  writeSecret(folder, "ca/bundle.pem", certificate);
}

/** Verifies a certificate as curl and Alloy's peers do. */
const verify = () =>
  execFileSync("openssl", [
    ...["verify", "-CAfile", join(folder, "ca", "bundle.pem")],
    join(folder, "key-pairs", "kafka-1.pem"),
  ]).toString();

describe("an own CA signs the certificates", () => {
  test.each<[string, () => Promise<[string, Issued]>]>([
    [
      "of RSA",
      async () => {
        const ca = await issue({ name: "own", isCa: true, algorithm: RSA });
        return [keyAs("pkcs8", ca) + ca.certificate, ca];
      },
    ],
    [
      "of RSA as PKCS1, with its certificate before the key",
      async () => {
        const ca = await issue({ name: "own", isCa: true, algorithm: RSA });
        return [ca.certificate + keyAs("pkcs1", ca), ca];
      },
    ],
    [
      "on P-384",
      async () => {
        const ca = await issue({ name: "own", isCa: true, algorithm: P384 });
        return [keyAs("pkcs8", ca) + ca.certificate, ca];
      },
    ],
    [
      "as SEC1 with its parameters, as openssl ecparam writes it",
      async () => {
        const ca = await issue({ name: "own", isCa: true });
        const parameters =
          "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
        return [parameters + keyAs("sec1", ca) + ca.certificate, ca];
      },
    ],
    [
      "with an identifier that is not the usual hash of its key",
      async () => {
        const ca = await issue({ name: "own", isCa: true, keyId: "0123456789abcdef" });
        return [keyAs("pkcs8", ca) + ca.certificate, ca];
      },
    ],
    [
      "with CRLF line breaks",
      async () => {
        const ca = await issue({ name: "own", isCa: true });
        return [(keyAs("pkcs8", ca) + ca.certificate).replaceAll("\n", "\r\n"), ca];
      },
    ],
  ])("%s", async (_, make) => {
    put(...(await make()));
    await ensure();
    expect(verify()).toMatch(/kafka-1.pem: OK\n$/);
  });
});

describe("an own CA is rejected", () => {
  test.each<[string, () => Promise<[string, Issued]>, string]>([
    [
      "without its key",
      async () => {
        const ca = await issue({ name: "own", isCa: true });
        return [ca.certificate, ca];
      },
      " has no private key for its certificate: put both into this file as PEM, the key as PKCS8 without a password",
    ],
    [
      "with the key of another one",
      async () => {
        const ca = await issue({ name: "own", isCa: true });
        return [keyAs("pkcs8", await issue({ name: "other" })) + ca.certificate, ca];
      },
      " has another private key than that of its certificate (CN=own): put both of one CA into it",
    ],
    [
      "that is none",
      async () => {
        const ca = await issue({ name: "own" });
        return [keyAs("pkcs8", ca) + ca.certificate, ca];
      },
      ": its certificate (CN=own) is not the certificate of a CA (no CA:TRUE in its basic constraints), so clients would refuse all that it signed: use the CA's own certificate",
    ],
    [
      "of Ed25519",
      async () => {
        const ca = await issue({ name: "own", isCa: true, algorithm: ED25519 });
        return [keyAs("pkcs8", ca) + ca.certificate, ca];
      },
      " has a private key of ed25519, which not every service accepts: use RSA of at least 2048 bits, or EC on the curve P-256, P-384 or P-521",
    ],
  ])("%s", async (_, make, message) => {
    put(...(await make()));
    await expect(ensure()).rejects.toThrow(`${CA}${message}`);
  });
});

test.each([
  ["PKCS1", RSA, "pkcs1"],
  ["SEC1", P384, "sec1"],
] as const)(
  "a key pair with its key as %s is converted to the PKCS8 that Kafka reads",
  async (_, algorithm, form) => {
    const ca = await issue({ name: "own", isCa: true });
    put(keyAs("pkcs8", ca) + ca.certificate, ca);
    const hosts = principalsOf(environment).get("kafka-1");
    const own = await issue({ name: "kafka-1", issuer: ca, hosts, algorithm });
    writeSecret(folder, "key-pairs/kafka-1.pem", own.certificate + keyAs(form, own));
    await ensure();
    expect(readFileSync(join(folder, "key-pairs", "kafka-1.pem"), "utf8")).toBe(
      keyAs("pkcs8", own) + own.certificate,
    );
  },
);

test("a key pair with two keys is refused as it is, so that neither is lost", async () => {
  const ca = await issue({ name: "own", isCa: true });
  put(keyAs("pkcs8", ca) + ca.certificate, ca);
  const hosts = principalsOf(environment).get("kafka-1");
  const own = await issue({ name: "kafka-1", issuer: ca, hosts });
  const other = await issue({ name: "other" });
  const content = keyAs("sec1", other) + keyAs("pkcs8", own) + own.certificate;
  writeSecret(folder, "key-pairs/kafka-1.pem", content);
  const file = join(folder, "key-pairs", "kafka-1.pem");
  await expect(ensure()).rejects.toThrow(`${file} has 2 private keys, at lines 1 and 6`);
  expect(readFileSync(file, "utf8")).toBe(content);
});

test("a rotation separates the certificates of a CA file that ends without a line break", async () => {
  const ca = await issue({ name: "own", isCa: true });
  put((keyAs("pkcs8", ca) + ca.certificate).trimEnd(), ca);
  await ensure();
  await takeCaRotationStep(environment, 1);
  await ensure();
  expect(verify()).toMatch(/kafka-1.pem: OK\n$/);
});
