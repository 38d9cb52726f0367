import { execFileSync } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { labSecured } from "../../lab/environments";
import { ensureKeyPairs, makeKeyPairs, principalsOf } from "../../secrets/platform-secrets";
import { ED25519, type Issued, issue, keyAs, P384, RSA, USES } from "../support/issued";

// Four rounds of bcrypt instead of twelve, which take 256 times as long.
jest.mock("bcryptjs", () => {
  const bcrypt = jest.requireActual("bcryptjs");
  return { ...bcrypt, hash: (password: string) => bcrypt.hash(password, 4) };
});

const folder = mkdtempSync(join(tmpdir(), "given files-"));
const made = join(folder, "made");
const given = join(folder, "given");
const at = (file: string) => join(given, file);
const [bundle, node, client] = ["ca/bundle.pem", "key-pairs/kafka-1.pem", "key-pairs/checks.pem"];
const password = "applications/shop.password";
const hosts = principalsOf(labSecured).get("kafka-1");
const ensure = () => ensureKeyPairs(labSecured, [{ name: "shop" }]);

beforeAll(() => makeKeyPairs(made, labSecured, [{ name: "shop" }]));
beforeEach(() => {
  cpSync(made, given, { recursive: true });
  process.env.GROUNDWORK_SECRETS = given;
});
afterEach(() => {
  delete process.env.GROUNDWORK_SECRETS;
  rmSync(given, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

const read = (file: string) => readFileSync(at(file), "utf8");
const write = (file: string, content: string | Buffer) => writeFileSync(at(file), content);
const keyOf = (file: string) =>
  /-----BEGIN PRIV[\s\S]+PRIVATE KEY-----\n/.exec(read(file))?.[0] ?? "";
const certificateOf = (file: string) => /-----BEGIN CERT[\s\S]+/.exec(read(file))?.[0] ?? "";
/** The CA of the folder, as one that issues certificates. */
const ca = (): Issued => ({
  key: createPrivateKey(read("ca/ca.pem")),
  certificate: read(bundle),
});
/** Writes the certificate of a service with its key in one of its forms. */
const put = (file: string, issued: Issued, form: "pkcs1" | "sec1" | "pkcs8" = "pkcs8") =>
  write(file, keyAs(form, issued) + issued.certificate);

/** Returns what the message says of a file, without the numbers of lines. */
async function refusalOf(file: string): Promise<string> {
  const error = await ensure().catch((refused) => refused);
  expect(error?.name).toBe("ValidationError");
  expect(error.message).toMatch(at(file));
  return error.message
    .slice(error.message.indexOf(at(file)) + at(file).length)
    .replace(/^:\d+ /, ":# ");
}

/** Another certificate of the folder's CA. */
const issueFor = (name: string, props: object = {}) =>
  issue({ name, issuer: ca(), hosts: name === "kafka-1" ? hosts : [name], ...props });

describe("a CA bundle is rejected", () => {
  test.each<[string, () => unknown, string]>([
    [
      "with the private key of its CA",
      () => write(bundle, read("ca/ca.pem")),
      ":# has a private key, but a CA bundle is given to every application: remove it from the file, and replace the key if others could read it",
    ],
    [
      "with a private key that is cut off",
      () => appendFileSync(at(bundle), keyOf("ca/ca.pem").slice(0, 60)),
      ":# begins PRIVATE KEY without an END: the file is cut off; copy it again",
    ],
    [
      "with a key in OpenSSL's own form",
      async () =>
        appendFileSync(at(bundle), keyAs("pkcs1", await issue({ name: "own", algorithm: RSA }))),
      ":# has a private key as PKCS1 (BEGIN RSA PRIVATE KEY), but a CA bundle is given to every application: remove it from the file, and replace the key if others could read it",
    ],
    [
      "with another block",
      () =>
        appendFileSync(
          at(bundle),
          "-----BEGIN DH PARAMETERS-----\nMA==\n-----END DH PARAMETERS-----\n",
        ),
      ":# has a block of BEGIN DH PARAMETERS, but a CA bundle is given to every application: leave only blocks of BEGIN CERTIFICATE",
    ],
    [
      "with certificates that no line break separates",
      () => write(bundle, read(bundle).trimEnd() + read(bundle)),
      ":# has a BEGIN or END that does not stand alone on its line, spaces included, or without its counterpart: put each on a line of its own, first BEGIN, then the content, then END",
    ],
    [
      "with a certificate that is not a CA's",
      async () => appendFileSync(at(bundle), (await issue({ name: "proxy" })).certificate),
      ": certificate 2 of 2 (CN=proxy) is not the certificate of a CA (no CA:TRUE in its basic constraints), so clients would refuse all that it signed: use the CA's own certificate",
    ],
    [
      "with an expired certificate, which it names",
      async () => {
        const former = await issue({ name: "former", isCa: true, notAfter: new Date(0) });
        appendFileSync(at(bundle), former.certificate);
      },
      ": certificate 2 of 2 (CN=former) expired on 1970-01-01T00:00:00.000Z: replace it with a certificate that is valid now",
    ],
    [
      "with a damaged certificate",
      () => write(bundle, read(bundle).replace(/\nMI/, "\nNJ")),
      ":# has a certificate that cannot be decoded: copy it again",
    ],
    [
      "with text within a certificate",
      () => write(bundle, read(bundle).replace("\nMI", "\nMI?")),
      ":# has a space or another character that is not base64, within CERTIFICATE of line 1: copy the block again",
    ],
    [
      "without a certificate",
      () => write(bundle, "\n"),
      " contains no certificate: add at least one, as PEM",
    ],
  ])("%s", async (_, spoil, message) => {
    await spoil();
    expect(await refusalOf(bundle)).toBe(message);
  });
});

describe("a key pair is accepted", () => {
  test.each<[string, () => unknown]>([
    [
      "with notes that name the end of something",
      () =>
        write(
          node,
          `# End-entity certificate and key\n# -- end of the company's part\n${read(node)}`,
        ),
    ],
    ["of RSA", async () => put(node, await issueFor("kafka-1", { algorithm: RSA }))],
    ["on P-384", async () => put(node, await issueFor("kafka-1", { algorithm: P384 }))],
    [
      "of a client, for clients only",
      async () => put(client, await issueFor("checks", { uses: [USES.clientAuth] })),
    ],
    [
      "with the certificate before the key and CRLF line breaks",
      () => write(node, `${certificateOf(node)}${keyOf(node)}`.replaceAll("\n", "\r\n")),
    ],
    [
      "with text between the blocks",
      () => write(node, read(node).replace("-----\n-----", "-----\nsubject=CN = kafka-1\n\n-----")),
    ],
  ])("%s", async (_, change) => {
    await change();
    await expect(ensure()).resolves.toBeUndefined();
  });
});

describe("a key pair is rejected", () => {
  const only = "but Kafka reads only PKCS8 (BEGIN PRIVATE KEY): run ";
  test.each<[string, string, () => unknown, () => string]>([
    [
      "with a key as PKCS1",
      node,
      async () => put(node, await issueFor("kafka-1", { algorithm: RSA }), "pkcs1"),
      () =>
        `:# has a private key as PKCS1 (BEGIN RSA PRIVATE KEY), ${only}${rewriting(node, "openssl pkcs8 -topk8 -nocrypt")}`,
    ],
    [
      "with a key as SEC1",
      node,
      async () => put(node, await issueFor("kafka-1"), "sec1"),
      () =>
        `:# has a private key as SEC1 (BEGIN EC PRIVATE KEY), ${only}${rewriting(node, "openssl pkcs8 -topk8 -nocrypt")}`,
    ],
    [
      "with a key that has a password",
      node,
      () =>
        write(
          node,
          createPrivateKey(read(node)).export({
            ...{ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "open" },
          } as never) + certificateOf(node),
        ),
      () =>
        `:# has a private key with a password, which no service is given: run ${rewriting(node, "openssl pkey")}`,
    ],
    [
      "with a key of Ed25519",
      node,
      async () => put(node, await issueFor("kafka-1", { algorithm: ED25519 })),
      () =>
        " has a private key of ed25519, which not every service accepts: use RSA of at least 2048 bits, or EC on the curve P-256, P-384 or P-521",
    ],
    [
      "with two keys",
      node,
      () => write(node, keyOf(node) + read(node)),
      () => " has 2 private keys, at lines 1 and 6: leave only that of its certificate",
    ],
    [
      "with a key that is cut off",
      node,
      () => write(node, `${certificateOf(node)}${keyOf(node).slice(0, 90)}`),
      () => ":# begins PRIVATE KEY without an END: the file is cut off; copy it again",
    ],
    [
      "with a key of other bytes",
      node,
      () => write(node, read(node).replace("\nMI", "\nNJ")),
      () => ":# has a private key that cannot be decoded: copy it again",
    ],
    [
      "of a node, for servers only",
      node,
      async () => put(node, await issueFor("kafka-1", { uses: [USES.serverAuth] })),
      () =>
        " has a certificate whose extended key usage lacks clientAuth: replace it with one for serverAuth and clientAuth",
    ],
    [
      "of a client, for servers only",
      client,
      async () => put(client, await issueFor("checks", { uses: [USES.serverAuth] })),
      () =>
        " has a certificate whose extended key usage lacks clientAuth: replace it with one for clientAuth",
    ],
    [
      "with an expired CA between it and the bundle",
      node,
      async () => {
        const former = await issue({ name: "between", isCa: true, notAfter: new Date(0) });
        appendFileSync(at(node), former.certificate);
      },
      () =>
        ": certificate 2 of 2 (CN=between) expired on 1970-01-01T00:00:00.000Z: replace it with a certificate that is valid now",
    ],
  ])("%s", async (_, file, spoil, message) => {
    await spoil();
    expect(await refusalOf(file)).toBe(message());
  });

  test("with a command that makes it usable", async () => {
    for (const [algorithm, form] of [
      [RSA, "pkcs1"],
      [P384, "sec1"],
    ] as const) {
      put(node, await issueFor("kafka-1", { algorithm }), form);
      const [, command] = / run (.*)$/.exec(await refusalOf(node)) ?? [];
      execFileSync("sh", ["-c", command]);
      await expect(ensure()).resolves.toBeUndefined();
    }
  });
});

/** The command that rewrites the key of a file. */
function rewriting(file: string, openssl: string): string {
  const path = at(file);
  return `(umask 077; ${openssl} -in '${path}' >'${path}.new' && sed -n '/BEGIN CERT/,/END CERT/p' '${path}' >>'${path}.new' && mv '${path}.new' '${path}')`;
}

describe("a password is rejected", () => {
  test.each<[string, string, string]>([
    ["is empty", "\n", " is empty: write the password to it, in one line"],
    [
      "has two lines",
      "one\ntwo\n",
      " has 2 lines: leave only the password, with at most one line break",
    ],
    [
      "ends with two line breaks",
      "one\n\n",
      " has 2 lines: leave only the password, with at most one line break",
    ],
    [
      "has a tab",
      "one\ttwo\n",
      " has an invalid character at position 4, such as a tab or a byte order mark: use a password of printable characters",
    ],
    [
      "begins with a byte order mark",
      "\uFEFFone\n",
      " has an invalid character at position 1, such as a tab or a byte order mark: use a password of printable characters",
    ],
    [
      "is longer than what bcrypt compares",
      "ä".repeat(50),
      " has a password of 100 bytes, of which OpenSearch compares only the first 72: choose a shorter one",
    ],
  ])("that %s", async (_, content, message) => {
    write(password, content);
    expect(await refusalOf(password)).toBe(message);
  });
});

test.each(["\n", "\r\n", ""])("a password ends before the line break %j", async (end) => {
  write(password, `${read(password).trim()}${end}`);
  await expect(ensure()).resolves.toBeUndefined();
});

test("spaces around a password are part of it", async () => {
  write(password, ` ${read(password)}`);
  expect(await refusalOf("applications/shop.bcrypt")).toMatch(
    / is not the bcrypt hash of applications\/shop.password,/,
  );
});

test.each(["\r\n", "\n\n", " of shop\n"])("a bcrypt hash is rejected before %j", async (end) => {
  write("applications/shop.bcrypt", `${read("applications/shop.bcrypt").trim()}${end}`);
  expect(await refusalOf("applications/shop.bcrypt")).toMatch(/ is not the bcrypt hash of /);
});

describe("a file is rejected", () => {
  test.each([bundle, node, password, "applications/shop.bcrypt"])(
    "if %s is a folder",
    async (file) => {
      rmSync(at(file));
      mkdirSync(at(file));
      expect(await refusalOf(file)).toBe(" is a folder: replace it with a file");
    },
  );

  test.each([bundle, node, password])("if %s is UTF-16", async (file) => {
    write(file, Buffer.from(`\uFEFF${read(file)}`, "utf16le"));
    expect(await refusalOf(file)).toBe(
      ` is UTF-16: save it as UTF-8, such as with cp -p '${at(file)}' '${at(file)}.new' && iconv -f UTF-16 -t UTF-8 '${at(file)}' >'${at(file)}.new' && mv '${at(file)}.new' '${at(file)}'`,
    );
  });

  test("if it is UTF-16 without a byte order mark, or no text in UTF-8", async () => {
    write(password, Buffer.from("secret\n", "utf16le"));
    expect(await refusalOf(password)).toMatch(/^ is UTF-16LE without a byte order mark: save it /);
    write(password, Buffer.from("geheim-ä\n", "latin1"));
    expect(await refusalOf(password)).toMatch(
      /^ is not UTF-8: save it as UTF-8, such as with cp -p .* && iconv -f ISO-8859-1 /,
    );
  });
});
