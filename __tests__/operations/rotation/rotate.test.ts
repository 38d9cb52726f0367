import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { labSecured } from "../../../lab/environments";
import { deployPlatform } from "../../../operations/deploy/deploy";
import { checkDeploy } from "../../../operations/deploy/prepare";
import { retireSecrets } from "../../../operations/deploy/retire";
import { rotate } from "../../../operations/rotation/rotate";
import { ensureKeyPairs, makeKeyPairs } from "../../../secrets/platform-secrets";
import { contentsOf } from "../../support/earlier-secrets";
import { ownSecrets } from "../../support/own-secrets";

jest.mock("../../../operations/deploy/deploy", () => ({ deployPlatform: jest.fn() }));
jest.mock("../../../operations/deploy/prepare", () => ({ checkDeploy: jest.fn() }));

const environment = { ...labSecured, name: "rotate-test" };
const made = mkdtempSync(join(tmpdir(), "rotate-"));
const own = ownSecrets(environment, made);
const applications = [{ name: "shop" }, { name: "ledger" }];
const names = applications.map(({ name }) => name);

const password = () => readFileSync(join(own, "applications", "shop.password"), "utf8");
const kept = () =>
  (readdirSync(own, { recursive: true }) as string[]).filter((file) => file.endsWith(".replaced"));

const said: string[] = [];
beforeAll(async () => makeKeyPairs(made, environment, names));
beforeEach(() => {
  said.length = 0;
  jest.spyOn(console, "log").mockImplementation((line) => said.push(line));
  jest.mocked(checkDeploy).mockReset();
  // What a deploy does with secrets.
  jest
    .mocked(deployPlatform)
    .mockReset()
    .mockImplementation(async () => {
      await ensureKeyPairs(environment, names);
      retireSecrets(environment, names);
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
  ["certificates", {}, { replacesNodes: true }],
  ["ca", {}, { replacesNodes: true }],
  ["certificates", { atOnce: true }, { replacesNodes: false }],
])("the rotation of %s with %j needs clusters that %j", async (what, options, needs) => {
  await rotate(environment, applications, what, options);
  expect(jest.mocked(checkDeploy).mock.calls).toEqual([[environment, needs]]);
  expect(jest.mocked(deployPlatform).mock.calls[0]).toEqual([
    environment,
    { atOnce: false, ...options },
  ]);
});

test("the old password is there until the new one is deployed", async () => {
  const old = password();
  let during: string[] = [];
  jest.mocked(deployPlatform).mockImplementation(async () => {
    during = kept();
    retireSecrets(environment, names);
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
