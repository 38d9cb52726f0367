import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Application } from "../../../constructs";
import { lab, labSecured } from "../../../lab/environments";
import { credentialsOf } from "../../../operations/credentials/credentials";
import { RENDERERS } from "../../../operations/credentials/formats";
import { makeKeyPairs } from "../../../secrets/platform-secrets";
import { certificatesIn } from "../../../secrets/secret-files";

// Four rounds of bcrypt instead of twelve, which take 256 times as long.
jest.mock("bcryptjs", () => {
  const bcrypt = jest.requireActual("bcryptjs");
  return { ...bcrypt, hash: (password: string) => bcrypt.hash(password, 4) };
});

const APPLICATIONS: readonly Application[] = [
  { name: "shop", topics: { "infra-events": "write" } },
  { name: "ledger", topics: { "infra-events": "read" }, consumerGroups: ["ledger"] },
  { name: "audit", consumerGroups: ["audit"], authentication: "certificate" },
];

const folder = mkdtempSync(join(tmpdir(), "credentials-"));
beforeAll(async () => {
  process.env.GROUNDWORK_SECRETS = folder;
  await makeKeyPairs(folder, labSecured, APPLICATIONS);
});
afterAll(() => {
  delete process.env.GROUNDWORK_SECRETS;
  rmSync(folder, { recursive: true });
});

describe("the credentials of an application", () => {
  const plaintext = credentialsOf(lab, APPLICATIONS, "ledger");
  const secured = () => credentialsOf(labSecured, APPLICATIONS, "ledger");

  test("are only the addresses without authentication", () => {
    expect(RENDERERS.properties(plaintext)).toBe("bootstrap.servers=kafka:9092\ngroup.id=ledger\n");
    expect(RENDERERS.env(plaintext)).toBe(
      "KAFKA_BOOTSTRAP_SERVERS=kafka:9092\nKAFKA_GROUP_ID=ledger\nKAFKA_SECURITY_PROTOCOL=PLAINTEXT\nOPENSEARCH_URL=http://opensearch:9200\n",
    );
    expect(RENDERERS.text(plaintext)).toContain("none: no user or password is required");
  });

  test("name no consumer group that the application names itself", () => {
    const several = { name: "shop", consumerGroups: ["shop-*"] };
    const credentials = credentialsOf(lab, [several], "shop");
    expect(RENDERERS.properties(credentials)).toBe("bootstrap.servers=kafka:9092\n");
    expect(RENDERERS.env(credentials)).not.toContain("KAFKA_GROUP_ID");
  });

  test("name the application.id of a Kafka Streams application", () => {
    const credentials = credentialsOf(lab, [{ name: "words", streams: "word-count" }], "words");
    expect(RENDERERS.properties(credentials)).toBe(
      "bootstrap.servers=kafka:9092\napplication.id=word-count\n",
    );
    expect(RENDERERS.env(credentials)).toContain("\nKAFKA_STREAMS_APPLICATION_ID=word-count\n");
  });

  test("are a user, a password and a CA bundle in a secured environment", () => {
    const password = readFileSync(join(folder, "applications", "ledger.password"), "utf8").trim();
    expect(secured().login).toMatchObject({ user: "ledger", password });
    const properties = RENDERERS.properties(secured());
    expect(properties).toContain("security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\n");
    expect(properties).toContain(`username="ledger" password="${password}";\n`);
    // One property, with the line breaks of the certificate.
    expect(properties).toMatch(
      /^ssl\.truststore\.certificates=-----BEGIN CERTIFICATE-----\\n\\\n( {2}\S+\\n\\\n)+ {2}-----END CERTIFICATE-----\n$/m,
    );
    const env = RENDERERS.env(secured());
    expect(env).toContain("OPENSEARCH_URL=https://opensearch:9200\nOPENSEARCH_USERNAME=ledger\n");
    const [, caBundle] = /^CA_BASE64=(.*)$/m.exec(env) ?? [];
    expect(Buffer.from(caBundle, "base64").toString()).toBe(RENDERERS.ca(secured()));
    expect(
      env
        .trim()
        .split("\n")
        .every((line) => /^[A-Z_0-9]+=\S+$/.test(line)),
    ).toBe(true);
  });

  describe("with a certificate", () => {
    const audit = () => credentialsOf(labSecured, APPLICATIONS, "audit");
    const pem = () => readFileSync(join(folder, "applications", "audit.pem"), "utf8");
    const decoded = (env: string, name: string) =>
      Buffer.from(new RegExp(`^${name}=(.*)$`, "m").exec(env)?.[1] ?? "", "base64").toString();

    test("are a key, a certificate and a CA bundle, and the address of Kafka's listener for certificates", () => {
      const properties = RENDERERS.properties(audit());
      expect(properties).toMatch(
        /^bootstrap\.servers=kafka:9094\ngroup\.id=audit\nsecurity\.protocol=SSL\nssl\.keystore\.type=PEM\nssl\.keystore\.certificate\.chain=-----BEGIN CERT/,
      );
      expect(properties).toContain("\nssl.keystore.key=-----BEGIN PRIVATE KEY-----\\n");
      expect(properties).toContain("\nssl.truststore.certificates=-----BEGIN CERTIFICATE-----\\n");
      expect(properties).not.toContain("sasl");
      for (const format of ["env", "shell"] as const) {
        const env = RENDERERS[format](audit())
          .replace(/^export /gm, "")
          .replaceAll("'", "");
        expect(env.split("\n").map((line) => line.split("=")[0])).toEqual([
          ...["KAFKA_BOOTSTRAP_SERVERS", "KAFKA_GROUP_ID", "KAFKA_SECURITY_PROTOCOL"],
          ...["OPENSEARCH_URL", "CLIENT_CERTIFICATE_BASE64", "CLIENT_KEY_BASE64", "CA_BASE64", ""],
        ]);
        expect(env).toContain("KAFKA_SECURITY_PROTOCOL=SSL\n");
        const [key, certificate] = ["CLIENT_KEY_BASE64", "CLIENT_CERTIFICATE_BASE64"];
        expect(decoded(env, key) + decoded(env, certificate)).toBe(pem());
      }
    });

    test("are shown with the day on which the certificate expires", () => {
      const { validTo } = new X509Certificate(pem());
      const text = RENDERERS.text(audit());
      expect(text).toContain("Kafka security           SSL, client certificate\n");
      expect(text).toContain(`expires on ${new Date(validTo).toISOString()}\n`);
      expect(text).toContain(`\nClient certificate:\n${certificatesIn(pem())[0]}`);
      expect(text).toContain("\nPrivate key:\n-----BEGIN PRIVATE KEY-----\n");
    });

    test("are a file for curl in the format key-pair, which an application with a password does not have", () => {
      const render = RENDERERS["key-pair"];
      expect(render(audit())).toBe(pem());
      expect(() => render(secured())).toThrow(
        'application "ledger" has no key pair, but a password: use another --format, or set authentication: "certificate" in catalog/applications.ts and run npm run up in a secured environment',
      );
      expect(() => render(credentialsOf(lab, APPLICATIONS, "audit"))).toThrow(
        'application "audit" has no key pair, since TLS is not enabled: ',
      );
    });

    test("are those of any other application without authentication", () => {
      expect(RENDERERS.properties(credentialsOf(lab, APPLICATIONS, "audit"))).toBe(
        "bootstrap.servers=kafka:9092\ngroup.id=audit\n",
      );
    });
  });

  test("have only the certificates of a CA bundle with notes and CRLF line breaks", () => {
    const file = join(folder, "ca", "bundle.pem");
    const bundle = readFileSync(file, "utf8");
    const { ca, properties } = RENDERERS;
    const before = [ca(secured()), properties(secured())];
    writeFileSync(file, `# note: swordfish\n${bundle}`.replaceAll("\n", "\r\n"));
    expect([ca(secured()), properties(secured())]).toEqual(before);
    writeFileSync(file, readFileSync(join(folder, "ca", "ca.pem")));
    expect(secured).toThrow(
      `${file}:1 has a private key, but a CA bundle is given to every application: remove it from the file`,
    );
    writeFileSync(file, bundle);
  });

  test("exist only for declared applications", () => {
    expect(() => credentialsOf(labSecured, APPLICATIONS, "shpo")).toThrow(
      'application "shpo" is not declared: add it to catalog/applications.ts, or use a declared one (shop, ledger, audit)',
    );
    expect(() => credentialsOf(labSecured, [], undefined)).toThrow(
      "name an application: npm run credentials -- <application>; declared: none, add one to catalog/applications.ts",
    );
  });
});
