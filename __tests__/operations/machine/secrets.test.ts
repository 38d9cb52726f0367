import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { laptop } from "../../../environments/laptop";
import { labSecured } from "../../../lab/environments";
import { checkSecrets } from "../../../operations/machine/secrets";
import { makeKeyPairs, principalsOf } from "../../../secrets/platform-secrets";
import { ownSecrets } from "../../support/own-secrets";

const folder = mkdtempSync(join(tmpdir(), "key-pairs-"));
const made = join(folder, "made");
const DAY_MS = 24 * 60 * 60 * 1000;
const NAMES = [...principalsOf(labSecured).keys()];
beforeAll(() => makeKeyPairs(made, labSecured, [{ name: "shop" }]));
afterAll(() => {
  rmSync(folder, { recursive: true });
  delete process.env.GROUNDWORK_SECRETS;
});

describe("generated secrets", () => {
  const environment = { ...labSecured, name: "secrets-test" };
  ownSecrets(environment, made);

  test("are listed by doctor with their expiry", async () => {
    expect(await checkSecrets(environment, [{ name: "shop" }])).toEqual([
      { name: "secrets", found: ".state/secrets-test/secrets" },
      { name: "certificates", found: `${NAMES.length}, the first expires in 89 days (kafka-1)` },
      {
        name: "CA",
        found: expect.stringMatching(
          /^1, the first expires in 3649 days \(CN=groundwork lab-secured [0-9a-f]{8}\)$/,
        ),
      },
    ]);
  });
});

describe("the certificate of an application", () => {
  const environment = { ...labSecured, name: "secrets-application-test" };
  ownSecrets(environment, made);

  test("is counted by doctor too", async () => {
    const shop = { name: "shop", authentication: "certificate" } as const;
    const [, certificates] = await checkSecrets(environment, [shop]);
    expect(certificates.found).toMatch(`${NAMES.length + 1}, the first expires in 89 days`);
  });
});

describe("a rotation's step that is none", () => {
  const environment = { ...labSecured, name: "secrets-step-test" };
  const own = ownSecrets(environment, made);

  test("is a problem that doctor names", async () => {
    writeFileSync(join(own, "ca", "step"), "next\n");
    expect(await checkSecrets(environment, [{ name: "shop" }])).toEqual([
      {
        name: "secrets",
        found: "unusable",
        problem: expect.stringMatching(
          /ca\/step is "next", and the step of a CA rotation is 1, 2 or 3: /,
        ),
      },
    ]);
  });
});

describe("doctor", () => {
  afterEach(() => jest.useRealTimers());

  test("names the missing file and the remedy", async () => {
    process.env.GROUNDWORK_SECRETS = "/nowhere";
    expect(await checkSecrets(labSecured, [])).toEqual([
      {
        name: "secrets",
        found: "unusable",
        problem: expect.stringMatching(
          /^GROUNDWORK_SECRETS is "\/nowhere", where ca\/bundle.pem, /,
        ),
      },
    ]);
  });

  test("warns if provided certificates expire soon", async () => {
    process.env.GROUNDWORK_SECRETS = made;
    jest.useFakeTimers({ now: Date.now() + 75 * DAY_MS, advanceTimers: true });
    const [secrets, certificates] = await checkSecrets(labSecured, [{ name: "shop" }]);
    expect(secrets.found).toBe(`provided in ${made}`);
    expect(certificates.problem).toMatch(
      /^the certificate of kafka-1 expires in 14 days, on \S+Z: provide new ones$/,
    );
  });

  test("lists no secrets without TLS", async () => {
    expect(await checkSecrets({ ...laptop, excludedServices: ["grafana"] }, [])).toEqual([]);
  });
});
