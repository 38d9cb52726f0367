import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { labSecured } from "../../../lab/environments";
import { rotate } from "../../../operations/rotation/rotate";
import { makeKeyPairs } from "../../../secrets/platform-secrets";
import { contentsOf } from "../../support/earlier-secrets";
import { ownSecrets } from "../../support/own-secrets";
import { programsOnPath } from "../../support/programs";

jest.mock("../../../operations/synthesis/synthesize", () => ({ synthesize: async () => [] }));

const environment = { ...labSecured, name: "refused-test" };
const made = mkdtempSync(join(tmpdir(), "refused-"));
const own = ownSecrets(environment, made);
const { program } = programsOnPath();

beforeAll(() => makeKeyPairs(made, environment, [{ name: "shop" }]));
beforeEach(() => {
  jest.spyOn(console, "log").mockImplementation();
});
afterEach(() => jest.restoreAllMocks());
afterAll(() => {
  rmSync(made, { recursive: true });
  rmSync(join(own, ".."), { recursive: true, force: true });
});

test.each(["shop", "certificates", "ca"])(
  "the rotation of %s leaves every secret as it is if the Docker engine does not answer",
  async (what) => {
    program("terraform", "echo Terraform v1.11.4");
    program("docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1");
    const before = contentsOf(own);
    await expect(rotate(environment, [{ name: "shop" }], what)).rejects.toThrow(
      "Cannot connect to the Docker daemon",
    );
    expect(contentsOf(own)).toEqual(before);
  },
);
