import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import fs, {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { compareSync } from "bcryptjs";
import { ValidationError } from "../../constructs/container/validation";
import { laptop } from "../../environments/laptop";
import { labSecured } from "../../lab/environments";
import { makeKeyPair } from "../../secrets/certificates";
import {
  ensureKeyPairs,
  ensureSecrets,
  makeKeyPairs,
  pendingSecrets,
  principalsOf,
  secretsFolder,
} from "../../secrets/platform-secrets";
import { ownSecrets } from "../support/own-secrets";

// bcrypt takes twice as long with each round, so only one test uses twelve.
const mockRounds = { atMost: 4 };
jest.mock("bcryptjs", () => {
  const bcrypt = jest.requireActual("bcryptjs");
  return {
    ...bcrypt,
    hash: (password: string, rounds: number) =>
      bcrypt.hash(password, Math.min(rounds, mockRounds.atMost)),
  };
});

// A read-only mount needs privileges that a test does not have everywhere.
const mockReadOnly = { value: false };
jest.mock("node:fs", () => {
  const fs = jest.requireActual("node:fs");
  return {
    ...fs,
    accessSync: (...args: unknown[]) => {
      if (mockReadOnly.value) {
        throw Object.assign(new Error("read-only file system"), { code: "EROFS" });
      }
      return fs.accessSync(...args);
    },
  };
});

const folder = mkdtempSync(join(tmpdir(), "key-pairs-"));
const made = join(folder, "made");
const DAY_MS = 24 * 60 * 60 * 1000;
const NAMES = [...principalsOf(labSecured).keys()];

const PRIVATE_KEY = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n/;
const privateKeyOf = (file: string) => PRIVATE_KEY.exec(readFileSync(file, "utf8"))?.[0] as string;

/** Generates missing secrets in a folder. */
const make = (target: string, ...applications: string[]) =>
  makeKeyPairs(
    target,
    labSecured,
    applications.map((name) => ({ name })),
  );

const files = (of: string) =>
  readdirSync(of, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

beforeAll(() => make(made, "shop"));
afterAll(() => {
  rmSync(folder, { recursive: true });
  delete process.env.GROUNDWORK_SECRETS;
});

describe("the key pairs of an environment", () => {
  test("are certificates of one CA for every host name of a node", () => {
    const ca = new X509Certificate(readFileSync(join(made, "ca", "bundle.pem")));
    for (const name of NAMES) {
      const certificate = new X509Certificate(readFileSync(join(made, "key-pairs", `${name}.pem`)));
      expect([name, certificate.subject]).toEqual([name, `CN=${name}`]);
      expect([name, certificate.checkIssued(ca)]).toEqual([name, true]);
      expect([name, certificate.verify(ca.publicKey)]).toEqual([name, true]);
      expect([name, certificate.ca]).toEqual([name, false]);
    }
    const node = new X509Certificate(readFileSync(join(made, "key-pairs", "kafka-2.pem")));
    for (const host of [
      "kafka-2",
      "kafka-2.infra_net",
      "kafka-2.infra-net",
      "kafka",
      "kafka.project_net",
      "localhost",
    ]) {
      expect([host, node.checkHost(host)]).toEqual([host, host]);
    }
    expect(node.checkIP("127.0.0.1")).toBe("127.0.0.1");
    expect(node.checkHost("kafka-1")).toBeUndefined();
  });

  test("include the passwords of applications with their hashes", () => {
    const password = readFileSync(join(made, "applications", "shop.password"), "utf8").trim();
    const hash = readFileSync(join(made, "applications", "shop.bcrypt"), "utf8").trim();
    expect(password).toMatch(/^[\w-]{32}$/);
    expect(compareSync(password, hash)).toBe(true);
  });

  test("are readable by their owner only", () => {
    for (const file of files(made)) {
      expect([file, statSync(file).mode & 0o777]).toEqual([file, 0o600]);
    }
  });

  test("are generated once: existing files stay, missing ones are added", async () => {
    const contents = () =>
      files(made)
        .filter((file) => basename(file) !== "generation")
        .map((file) => [file, readFileSync(file, "utf8")]);
    const before = contents();
    await make(made, "shop", "ledger");
    const after = contents();
    expect(after.filter(([file]) => !String(file).includes("ledger"))).toEqual(before);
    expect(after).toHaveLength(before.length + 3);
  });

  test("are not needed without TLS", async () => {
    process.env.GROUNDWORK_SECRETS = "/nowhere";
    await ensureKeyPairs(laptop);
  });
});

describe("generated secrets", () => {
  const environment = { ...labSecured, name: "key-pairs-test" };
  const own = ownSecrets(environment, made);

  const contents = () => new Map(files(own).map((file) => [file, readFileSync(file, "utf8")]));
  /** Returns the names of files whose content changed. */
  const changedBy = async (act: () => Promise<unknown>): Promise<string[]> => {
    const before = contents();
    await act();
    return [...contents()]
      .filter(([file, now]) => before.get(file) !== now)
      .map(([f]) => basename(f));
  };

  test("get no new CA if the key of the old one is missing", async () => {
    rmSync(join(own, "ca", "ca.pem"));
    rmSync(join(own, "key-pairs", "kafka-1.pem"));
    const before = files(own);
    await expect(ensureKeyPairs(environment)).rejects.toThrow(
      `${own}/ca/ca.pem is missing: certificates cannot be generated without it; put it back, or remove ${own} to generate all secrets again`,
    );
    expect(files(own)).toEqual(before);
  });

  test("stay the same while they are valid", async () => {
    expect(await changedBy(() => ensureKeyPairs(environment, [{ name: "shop" }]))).toEqual([]);
  });

  test("are renewed after two thirds of their lifetime", async () => {
    jest.useFakeTimers({ now: Date.now() - 61 * DAY_MS, advanceTimers: true });
    const old = join(folder, "old");
    await make(old);
    jest.useRealTimers();
    rmSync(own, { recursive: true });
    cpSync(old, own, { recursive: true });

    const pending = () => pendingSecrets({ ...environment, excludedServices: ["grafana"] }, []);
    expect(pending()).toEqual(NAMES.map((name) => `the certificate of ${name} is due`));
    expect((await changedBy(() => ensureKeyPairs(environment))).sort()).toEqual(
      [...NAMES.map((name) => `${name}.pem`), "generation"].sort(),
    );
    expect(await changedBy(() => ensureKeyPairs(environment))).toEqual([]);
    expect(pending()).toEqual([]);
  });

  test("are renewed if they lack a host name", async () => {
    const renamed = {
      ...environment,
      networks: { ...labSecured.networks, project: { name: "shared_net" } },
    };
    expect((await changedBy(() => ensureKeyPairs(renamed))).sort()).toEqual(
      [
        ...NAMES.filter((name) => /-\d$/.test(name)).map((name) => `${name}.pem`),
        "generation",
      ].sort(),
    );
  });

  test("include a new hash if somebody changed a password", async () => {
    mockRounds.atMost = Number.POSITIVE_INFINITY;
    const password = join(own, "applications", "shop.password");
    writeFileSync(password, "of my own\n");
    const changed = await changedBy(() => ensureKeyPairs(environment, [{ name: "shop" }]));
    mockRounds.atMost = 4;
    expect(changed).toEqual(["shop.bcrypt", "shop.checked", "generation"]);
    const hash = readFileSync(join(own, "applications", "shop.bcrypt"), "utf8").trim();
    expect(hash).toMatch(/^\$2b\$12\$/);
    expect(compareSync("of my own", hash)).toBe(true);
  });

  test.each<[string, (password: string) => void]>([
    ["is missing", (password) => rmSync(password)],
    [
      "is replaced with an older file",
      (password) => {
        writeFileSync(password, "from a backup\n");
        utimesSync(password, new Date(0), new Date(0));
      },
    ],
  ])("never have the hash of an earlier password if the password %s", async (_, change) => {
    const [password, hash] = ["password", "bcrypt"].map((kind) =>
      join(own, "applications", `shop.${kind}`),
    );
    change(password);
    await ensureKeyPairs(environment, [{ name: "shop" }]);
    const content = (file: string) => readFileSync(file, "utf8").trim();
    expect(compareSync(content(password), content(hash))).toBe(true);
  });

  test("keep a hash from elsewhere that fits its password", async () => {
    rmSync(join(own, "applications", "shop.checked"));
    expect(await changedBy(() => ensureKeyPairs(environment, [{ name: "shop" }]))).toEqual([
      "shop.checked",
    ]);
    expect(await changedBy(() => ensureKeyPairs(environment, [{ name: "shop" }]))).toEqual([]);
  });
});

describe("generated secrets that other users can read", () => {
  const environment = { ...labSecured, name: "modes-test" };
  const own = ownSecrets(environment, made);
  const said: string[] = [];
  beforeEach(() => {
    said.length = 0;
    jest.spyOn(console, "error").mockImplementation((line) => said.push(line));
  });
  afterEach(() => jest.restoreAllMocks());

  test("are closed, with one line, and the CA bundle stays readable", async () => {
    execFileSync("chmod", ["-R", "go+rX", own]);
    await ensureKeyPairs(environment, [{ name: "shop" }]);
    const open = files(own).filter((file) => statSync(file).mode & 0o077);
    expect(open).toEqual([join(own, "ca", "bundle.pem")]);
    expect(said).toEqual([
      expect.stringMatching(
        /^closed \S+ \(mode 644\) and \d+ more in \S+modes-test\/secrets, which other users on this machine could read: rotate what they may have read$/,
      ),
    ]);
    await ensureKeyPairs(environment, [{ name: "shop" }]);
    expect(said).toHaveLength(1);
  });

  test("are refused with the remedy if they belong to another user, as after sudo", async () => {
    const refused = Object.assign(new Error("EACCES"), { code: "EACCES", path: own });
    jest.spyOn(fs, "readdirSync").mockImplementation(() => {
      throw refused;
    });
    await expect(ensureSecrets(environment)).rejects.toThrow(
      new ValidationError(
        `${own} cannot be read or written by this user (EACCES): if it was made with sudo, run sudo chown -R "$USER" "${join(own, "..", "..")}"`,
      ),
    );
  });

  test("are left alone by a synth that is not deployed", async () => {
    const password = join(own, "applications", "shop.password");
    chmodSync(password, 0o640);
    await makeKeyPairs(own, environment, [{ name: "shop" }]);
    expect([statSync(password).mode & 0o777, said]).toEqual([0o640, []]);
  });
});

test("GROUNDWORK_SECRETS is relative to the working directory, and empty means unset", () => {
  process.env.GROUNDWORK_SECRETS = "given/here";
  expect(secretsFolder(labSecured)).toBe(join(process.cwd(), "given", "here"));
  process.env.GROUNDWORK_SECRETS = "";
  expect(secretsFolder(labSecured)).toMatch(/\.state\/lab-secured\/secrets$/);
});

describe("secrets from GROUNDWORK_SECRETS", () => {
  let given: string;
  beforeEach(() => {
    given = mkdtempSync(join(folder, "given-"));
    cpSync(made, given, { recursive: true });
    process.env.GROUNDWORK_SECRETS = given;
  });
  afterEach(() => jest.useRealTimers());

  const at = (day: string) => jest.useFakeTimers({ now: new Date(day), advanceTimers: true });
  const file = (name: string) => join(given, "key-pairs", name);
  const ensure = () => ensureKeyPairs(labSecured, [{ name: "shop" }]);

  test("are used as they are, without the CA's key", async () => {
    rmSync(join(given, "ca", "ca.pem"));
    await ensure();
    expect(files(given)).toHaveLength(files(made).length - 1);
    // Nothing is written to it, also if its hashes were never compared.
    const checked = join(given, "applications", "shop.checked");
    rmSync(checked);
    await ensure();
    expect(existsSync(checked)).toBe(false);
  });

  test("may be linked, as Kubernetes mounts them, and may be read by the group of another owner", async () => {
    const mounted = join(given, "..data");
    cpSync(made, mounted, { recursive: true });
    rmSync(join(given, "key-pairs"), { recursive: true });
    symlinkSync("..data/key-pairs", join(given, "key-pairs"));
    chmodSync(join(mounted, "key-pairs", "kafka-1.pem"), 0o440);
    await expect(ensure()).rejects.toThrow("can read key-pairs/kafka-1.pem (mode 440) in");
    jest.spyOn(process, "getuid").mockReturnValue(4711);
    await ensure();
    chmodSync(join(mounted, "key-pairs", "kafka-1.pem"), 0o444);
    await expect(ensure()).rejects.toThrow(
      `can read key-pairs/kafka-1.pem (mode 444) in ${given}: run sudo chmod -R g-w,o= "${given}"`,
    );
    jest.restoreAllMocks();
  });

  test("that are mounted read-only are refused with what to set at the mount", async () => {
    chmodSync(file("os-admin.pem"), 0o644);
    mockReadOnly.value = true;
    try {
      await expect(ensure()).rejects.toThrow(
        "it is mounted read-only, so set the mode where it is mounted: defaultMode: 0400 in Kubernetes, or 0440 with fsGroup, and mode: 0400 in a Compose file",
      );
    } finally {
      mockReadOnly.value = false;
    }
  });

  test.each<[string, () => unknown, () => string]>([
    [
      "a file is missing",
      () => rmSync(file("kafka-2.pem")),
      () =>
        `GROUNDWORK_SECRETS is "${given}", where key-pairs/kafka-2.pem is missing: add what is missing, or unset GROUNDWORK_SECRETS to generate secrets in .state/lab-secured/secrets`,
    ],
    [
      "a hash is of another password",
      () => writeFileSync(join(given, "applications", "shop.password"), "rotated at its source\n"),
      () =>
        `${join(given, "applications", "shop.bcrypt")} is not the bcrypt hash of applications/shop.password, so OpenSearch would accept another password: write the hash of that password, such as htpasswd -nbBC 12 "" <password> prints after the colon`,
    ],
    [
      "others can read a key",
      () => chmodSync(file("os-admin.pem"), 0o644),
      () =>
        `other users on this machine can read key-pairs/os-admin.pem (mode 644) in ${given}: run chmod -R go= "${given}"`,
    ],
    [
      "others can read the CA's key and the passwords",
      () => execFileSync("chmod", ["-R", "go+rX", given]),
      () =>
        `other users on this machine can read ca/ca.pem (mode 644) and ${NAMES.length + 2} more in ${given}: run chmod -R go= "${given}"`,
    ],
    [
      "a key belongs to another certificate",
      () =>
        writeFileSync(
          file("kafka-3.pem"),
          readFileSync(file("kafka-3.pem"), "utf8").replace(PRIVATE_KEY, () =>
            privateKeyOf(file("kafka-1.pem")),
          ),
        ),
      () =>
        `${file("kafka-3.pem")} has no private key for its certificate: put both into this file as PEM, the key as PKCS8 without a password`,
    ],
    [
      "a certificate has another subject",
      () => copyFileSync(file("kafka-1.pem"), file("os-init.pem")),
      () =>
        `${file("os-init.pem")} has the subject "CN=kafka-1": it must be exactly CN=os-init, since services identify each other by it`,
    ],
    [
      "a certificate lacks a host name",
      async () =>
        writeFileSync(
          file("kafka-1.pem"),
          await makeKeyPair(
            readFileSync(join(given, "ca", "ca.pem"), "utf8"),
            "kafka-1",
            principalsOf(labSecured).get("kafka-1")?.slice(1) as string[],
          ),
          { mode: 0o600 },
        ),
      () =>
        `${file("kafka-1.pem")} is not valid for kafka-1: its subject alternative names must be kafka-1, kafka-1.infra_net, kafka-1.infra-net, `,
    ],
    [
      "a file contains no certificate",
      () => writeFileSync(file("kafka-1.pem"), "hello\n"),
      () => `${file("kafka-1.pem")} contains no certificate: add one, as PEM`,
    ],
    [
      "a certificate is signed by another CA",
      async () => {
        const other = join(given, "other");
        await make(other);
        copyFileSync(join(other, "ca", "bundle.pem"), join(given, "ca", "bundle.pem"));
      },
      () =>
        `${file("kafka-1.pem")} is not signed by a CA in ca/bundle.pem: replace the certificate with one that such a CA signed, or add its CA to the bundle`,
    ],
    [
      "a certificate has expired",
      () => at("2035-01-01"),
      () => `${file("kafka-1.pem")}: its certificate (CN=kafka-1) expired on `,
    ],
    [
      "a certificate is not valid yet",
      () => at("2020-01-01"),
      () => `${join(given, "ca", "bundle.pem")}: its certificate (CN=groundwork lab-secured `,
    ],
  ])("are rejected if %s, with the file and the remedy", async (_, spoil, message) => {
    await spoil();
    await expect(ensure()).rejects.toThrow(message());
  });
});
