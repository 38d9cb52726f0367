import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Application } from "../../../constructs";
import { lab, labSecured } from "../../../lab/environments";
import { credentialsOf } from "../../../operations/credentials/credentials";
import { RENDERERS } from "../../../operations/credentials/formats";
import { makeKeyPairs } from "../../../secrets/platform-secrets";

// Four rounds of bcrypt instead of twelve, which take 256 times as long.
jest.mock("bcryptjs", () => {
  const bcrypt = jest.requireActual("bcryptjs");
  return { ...bcrypt, hash: (password: string) => bcrypt.hash(password, 4) };
});

const APPLICATIONS: readonly Application[] = [
  { name: "shop", topics: { "infra-events": "write" } },
  { name: "ledger", topics: { "infra-events": "read" }, consumerGroups: ["ledger"] },
];

const folder = mkdtempSync(join(tmpdir(), "credentials-"));
beforeAll(async () => {
  process.env.GROUNDWORK_SECRETS = folder;
  await makeKeyPairs(folder, labSecured, [{ name: "shop" }, { name: "ledger" }]);
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
    const { login } = secured();
    expect(login?.user).toBe("ledger");
    const properties = RENDERERS.properties(secured());
    expect(properties).toContain("security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\n");
    expect(properties).toContain(`username="ledger" password="${login?.password}";\n`);
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
      'application "shpo" is not declared: add it to catalog/applications.ts, or use a declared one (shop, ledger)',
    );
    expect(() => credentialsOf(labSecured, [], undefined)).toThrow(
      "name an application: npm run credentials -- <application>; declared: none, add one to catalog/applications.ts",
    );
  });
});
