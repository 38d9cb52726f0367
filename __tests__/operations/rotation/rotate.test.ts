import { X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { labSecured } from "../../../lab/environments";
import { deployPlatform } from "../../../operations/deploy/deploy";
import { checkDeploy } from "../../../operations/deploy/prepare";
import { retireSecrets } from "../../../operations/deploy/retire";
import { type RotateOptions, rotate } from "../../../operations/rotation/rotate";
import { listed } from "../../../operations/terminal/terminal";
import { ensureKeyPairs, makeKeyPairs, principalsOf } from "../../../secrets/platform-secrets";
import { certificatesIn } from "../../../secrets/secret-files";
import { contentsOf } from "../../support/earlier-secrets";
import { ownSecrets } from "../../support/own-secrets";

jest.mock("../../../operations/deploy/deploy", () => ({ deployPlatform: jest.fn() }));
jest.mock("../../../operations/deploy/prepare", () => ({ checkDeploy: jest.fn() }));

const environment = { ...labSecured, name: "rotate-test" };
const made = mkdtempSync(join(tmpdir(), "rotate-"));
const own = ownSecrets(environment, made);
const applications = [{ name: "shop" }, { name: "ledger" }];

const password = () => readFileSync(join(own, "applications", "shop.password"), "utf8");
const kept = () =>
  (readdirSync(own, { recursive: true }) as string[]).filter((file) => file.endsWith(".replaced"));

const said: string[] = [];
beforeAll(async () => makeKeyPairs(made, environment, applications));
beforeEach(() => {
  said.length = 0;
  jest.spyOn(console, "log").mockImplementation((line) => said.push(line));
  jest.mocked(checkDeploy).mockReset();
  // What a deploy does with secrets.
  jest
    .mocked(deployPlatform)
    .mockReset()
    .mockImplementation(async () => {
      await ensureKeyPairs(environment, applications);
      retireSecrets(environment, applications);
    });
});
afterEach(() => jest.restoreAllMocks());
afterAll(() => {
  rmSync(made, { recursive: true });
  rmSync(join(own, ".."), { recursive: true, force: true });
});

test.each(["shop", "certificates", "ca"])(
  "the rotation of %s changes no secret if a deploy would be refused",
  async (what) => {
    const before = contentsOf(own);
    jest.mocked(checkDeploy).mockRejectedValue(new Error("the Docker engine does not answer"));
    await expect(rotate(environment, applications, what)).rejects.toThrow(
      "the Docker engine does not answer",
    );
    expect(contentsOf(own)).toEqual(before);
    expect(deployPlatform).not.toHaveBeenCalled();
  },
);

test.each([
  ["shop", {}, { replacesNodes: false }],
  ["certificates", {}, { replacesNodes: false }],
  ["ca", {}, { replacesNodes: false }],
])("the rotation of %s with %j needs clusters that %j", async (what, options, needs) => {
  await rotate(environment, applications, what, options);
  expect(jest.mocked(checkDeploy).mock.calls).toEqual([[environment, needs]]);
  expect(jest.mocked(deployPlatform).mock.calls[0]).toEqual([
    environment,
    { atOnce: false, ...options },
  ]);
});

test.each([
  [{ revoke: true }, { replacesNodes: true }],
  [{ revoke: true, atOnce: true }, { replacesNodes: false }],
])(
  "a revocation with %j needs clusters that %j, since it ends open connections",
  async (options, needs) => {
    await rotate(environment, [], "certificates", options);
    expect(jest.mocked(checkDeploy).mock.calls).toEqual([[environment, needs]]);
    const { atOnce = false }: RotateOptions = options;
    expect(jest.mocked(deployPlatform).mock.calls).toEqual([
      [environment, { atOnce }],
      [environment, { atOnce }],
      [environment, { atOnce, replaceNodes: true }],
    ]);
  },
);

test("the rotation of a CA replaces no node, and says that open connections stay", async () => {
  await rotate(environment, [], "ca");
  expect(jest.mocked(deployPlatform).mock.calls).toEqual(
    [1, 2, 3].map(() => [environment, { atOnce: false }]),
  );
  expect(said.at(-1)).toBe(
    "\nthe CA and every certificate are new. New connections with certificates of the old CA are refused. Those that were open stay open: if a key has leaked, run npm run rotate -- certificates --revoke",
  );
});

test("the old password is there until the new one is deployed", async () => {
  const old = password();
  let during: string[] = [];
  jest.mocked(deployPlatform).mockImplementation(async () => {
    during = kept();
    retireSecrets(environment, applications);
  });
  await rotate(environment, applications, "shop");
  expect(during).toEqual(["applications/shop.password.replaced"]);
  expect(kept()).toEqual([]);
  expect(password()).not.toBe(old);
});

test.each([
  ["shop", "applications/shop.password"],
  ["certificates", "key-pairs/kafka-1.pem"],
])(
  "a rotation of %s whose deploy fails continues with the same secret, on a cluster that may lack a node",
  async (what, file) => {
    const read = () => readFileSync(join(own, file), "utf8");
    const old = read();
    jest.mocked(deployPlatform).mockRejectedValueOnce(new Error("interrupted"));
    await expect(rotate(environment, applications, what)).rejects.toThrow("interrupted");
    const next = read();
    expect(next).not.toBe(old);
    expect(readFileSync(join(own, `${file}.replaced`), "utf8")).toBe(old);

    await rotate(environment, applications, what);
    expect(said).toContain(
      `an earlier rotation of ${what} did not end: continuing with the secrets it made`,
    );
    expect(checkDeploy).toHaveBeenLastCalledWith(environment, { replacesNodes: false });
    expect(read()).toBe(next);
    expect(kept()).toEqual([]);
  },
);

describe("an application with a certificate", () => {
  const shop = { name: "shop", authentication: "certificate" } as const;
  const declared = [shop, { name: "ledger" }];
  const serial = () =>
    new X509Certificate(readFileSync(join(own, "applications", "shop.pem"))).serialNumber;
  beforeEach(async () => {
    await ensureKeyPairs(environment, declared);
    jest.mocked(deployPlatform).mockImplementation(async () => {
      await ensureKeyPairs(environment, declared);
      retireSecrets(environment, declared);
    });
  });

  test("gets a new key pair, and the last line says until when the old one is accepted", async () => {
    const before = serial();
    const { validTo } = new X509Certificate(readFileSync(join(own, "applications", "shop.pem")));
    await rotate(environment, declared, "shop");
    expect(serial()).not.toBe(before);
    expect(said.at(-1)).toBe(
      `\n"shop" has a new certificate: run npm run credentials -- shop to see it. The old one is accepted until it expires on ${new Date(validTo).toISOString()}: if its key has leaked, run npm run rotate -- certificates --revoke`,
    );
    expect(kept()).toEqual([]);
  });

  test("gets a new one with all certificates, and the last line says so", async () => {
    const before = serial();
    await rotate(environment, declared, "certificates");
    expect(serial()).not.toBe(before);
    expect(said.at(-1)).toMatch(
      /--revoke\. Give shop its new certificate: npm run credentials -- shop$/,
    );
  });

  test("gets a certificate of the new CA before the old one is trusted no more, and the line says so", async () => {
    const error = jest.spyOn(console, "error").mockReturnValue();
    const before = serial();
    await rotate(environment, declared, "ca");
    expect(said.at(-1)).toContain(
      "give both CAs to shop and ledger first (npm run credentials -- shop --format ca), and new certificates to shop (npm run credentials -- shop), since step 3 refuses the old ones, then run npm run rotate -- ca again",
    );
    const given = serial();
    expect(given).not.toBe(before);
    expect(error.mock.calls).toEqual([
      [
        "renewed the certificate of application shop: give it the new one (npm run credentials -- shop); the old one is refused as soon as the servers do not trust its CA any more",
      ],
    ]);
    await rotate(environment, declared, "ca");
    expect(serial()).toBe(given);
    const [ca, ...others] = certificatesIn(readFileSync(join(own, "ca", "bundle.pem"), "utf8"));
    const { publicKey } = new X509Certificate(ca);
    expect(others).toEqual([]);
    const file = join(own, "applications", "shop.pem");
    expect(new X509Certificate(readFileSync(file)).verify(publicKey)).toBe(true);
  });
});

describe("with --revoke, certificates", () => {
  const issuers = () => [
    ...new Set(
      [...principalsOf(environment).keys()].map(
        (name) => new X509Certificate(readFileSync(join(own, "key-pairs", `${name}.pem`))).issuer,
      ),
    ),
  ];
  const trusted = () =>
    certificatesIn(readFileSync(join(own, "ca", "bundle.pem"), "utf8")).map(
      (pem) => new X509Certificate(pem).subject,
    );

  test("get another CA, and the old one is trusted no more", async () => {
    const [old] = trusted();
    const node = readFileSync(join(own, "key-pairs", "kafka-1.pem"), "utf8");
    await rotate(environment, [], "certificates", { revoke: true });
    expect(trusted()).toEqual(issuers());
    expect(trusted()).not.toContain(old);
    const [ca] = certificatesIn(readFileSync(join(own, "ca", "bundle.pem"), "utf8"));
    expect(new X509Certificate(node).verify(new X509Certificate(ca).publicKey)).toBe(false);
    expect(jest.mocked(deployPlatform)).toHaveBeenCalledTimes(3);
    expect(said[0]).toMatch(
      /^revoking every certificate that was issued so far: .*\n- three deploys/,
    );
    expect(said.at(-1)).toBe(
      "\nthe CA and every certificate are new. Certificates of the old CA are refused, also those of a leaked key",
    );
  });

  test("wait for the applications after the first deploy, and continue with the same command", async () => {
    const again = () => rotate(environment, applications, "certificates", { revoke: true });
    const [old] = trusted();
    await again();
    expect(trusted()).toHaveLength(2);
    expect(said.at(-1)).toContain(
      "give both CAs to shop and ledger first (npm run credentials -- shop --format ca), then run npm run rotate -- certificates --revoke again",
    );
    await again();
    expect(trusted()).toEqual(issuers());
    expect(trusted()).not.toContain(old);
  });
});

describe("with --due, certificates", () => {
  const serials = () =>
    [...principalsOf(environment).keys()].map(
      (name) =>
        new X509Certificate(readFileSync(join(own, "key-pairs", `${name}.pem`))).serialNumber,
    );
  const inDays = (days: number) =>
    jest.useFakeTimers({ now: Date.now() + days * 86_400_000, advanceTimers: true });
  afterEach(() => {
    jest.useRealTimers();
    delete process.env.GROUNDWORK_SECRETS;
  });

  test("stay until two thirds of their 90 days, and are deployed in case an earlier command renewed them", async () => {
    const before = serials();
    inDays(59);
    await rotate(environment, [], "certificates", { due: true });
    expect(serials()).toEqual(before);
    expect(said).toContain("no certificate is past two thirds of its life");
    expect(deployPlatform).toHaveBeenCalledTimes(1);
  });

  test("are not deployed with --only-if-due unless one was renewed, so that drift stays to be found", async () => {
    const before = serials();
    inDays(59);
    await rotate(environment, [], "certificates", { onlyIfDue: true });
    expect(serials()).toEqual(before);
    expect(deployPlatform).not.toHaveBeenCalled();
    inDays(61);
    await rotate(environment, [], "certificates", { onlyIfDue: true });
    expect(serials().filter((serial) => before.includes(serial))).toEqual([]);
    expect(jest.mocked(deployPlatform).mock.calls).toEqual([[environment, { atOnce: false }]]);
  });

  test.each(["the project", "GROUNDWORK_SECRETS"])(
    "in a folder of %s, are deployed with --only-if-due after a deploy that failed, and then no more",
    async (whose) => {
      if (whose === "GROUNDWORK_SECRETS") {
        process.env.GROUNDWORK_SECRETS = own;
      }
      inDays(61);
      jest.mocked(deployPlatform).mockRejectedValueOnce(new Error("interrupted"));
      const renew = () => rotate(environment, [], "certificates", { onlyIfDue: true });
      await expect(renew()).rejects.toThrow("interrupted");
      const renewed = serials();
      expect(kept()).toHaveLength(renewed.length);

      await renew();
      expect(said.slice(-2)).toEqual([
        "no certificate is past two thirds of its life",
        "an earlier command renewed certificates and did not end: deploying those",
      ]);
      expect(deployPlatform).toHaveBeenCalledTimes(2);
      expect([serials(), kept()]).toEqual([renewed, []]);

      await renew();
      expect(deployPlatform).toHaveBeenCalledTimes(2);
    },
  );

  test("of an application are deployed with --only-if-due after a deploy that failed", async () => {
    const shop = { name: "shop", authentication: "certificate" } as const;
    await ensureKeyPairs(environment, [shop]);
    inDays(61);
    jest.mocked(deployPlatform).mockRejectedValueOnce(new Error("interrupted"));
    const renew = () => rotate(environment, [shop], "certificates", { onlyIfDue: true });
    await expect(renew()).rejects.toThrow("interrupted");
    // As if only this one had been due.
    for (const file of kept().filter((one) => !one.startsWith("applications/"))) {
      rmSync(join(own, file));
    }
    expect(kept()).toEqual(["applications/shop.pem.replaced"]);
    await renew();
    expect(deployPlatform).toHaveBeenCalledTimes(2);
    expect(kept()).toEqual([]);
  });

  test("are renewed with 30 days left", async () => {
    const before = serials();
    inDays(61);
    await rotate(environment, [], "certificates", { due: true });
    expect(serials().filter((serial) => before.includes(serial))).toEqual([]);
    expect(said[0]).toBe(
      `renewed ${before.length} certificates past two thirds of their life: ${listed([...principalsOf(environment).keys()])}`,
    );
  });

  test("are renewed in a folder from GROUNDWORK_SECRETS that has the CA's key, and only their generation is written besides", async () => {
    const before = contentsOf(own);
    process.env.GROUNDWORK_SECRETS = own;
    inDays(61);
    await rotate(environment, [], "certificates", { due: true });
    const after = contentsOf(own);
    const changed = [...after.keys()].filter((file) => after.get(file) !== before.get(file));
    const keyPairs = [...before.keys()].filter((file) => file.startsWith("key-pairs/"));
    expect(changed).toEqual(["generation", ...keyPairs]);
  });

  test("are only deployed from a folder without the CA's key, whose source renews them", async () => {
    rmSync(join(own, "ca", "ca.pem"));
    const before = contentsOf(own);
    process.env.GROUNDWORK_SECRETS = own;
    inDays(61);
    await rotate(environment, [], "certificates", { due: true });
    expect(contentsOf(own)).toEqual(before);
    expect(deployPlatform).toHaveBeenCalledTimes(1);
  });
});

test.each([
  ["shop", { revoke: true }, "--revoke"],
  ["ca", { due: true }, "--due"],
  ["ca", { onlyIfDue: true }, "--only-if-due"],
])("the target %s takes no %j", async (what, options, option) => {
  await expect(rotate(environment, applications, what, options)).rejects.toThrow(
    `${option} is for certificates, not for "${what}": run npm run rotate -- certificates ${option}`,
  );
  expect(deployPlatform).not.toHaveBeenCalled();
});
