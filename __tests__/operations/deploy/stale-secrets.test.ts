import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../../../environments";
import { laptop } from "../../../environments/laptop";
import { labSecured } from "../../../lab/environments";
import {
  compareGenerations,
  describeStaleCopy,
  describeStaleSecrets,
} from "../../../operations/deploy/stale-secrets";
import type { Run } from "../../../operations/run/run";
import { ensureKeyPairs, makeKeyPairs } from "../../../secrets/platform-secrets";
import { endRotations, replaceCredentials } from "../../../secrets/rotation";
import { ownSecrets } from "../../support/own-secrets";
import { programsOnPath } from "../../support/programs";

const environment = { ...labSecured, name: "stale-test" };
const made = mkdtempSync(join(tmpdir(), "stale-"));
const own = ownSecrets(environment, made);

beforeAll(() => makeKeyPairs(made, environment, [{ name: "shop" }]));
afterAll(() => {
  delete process.env.GROUNDWORK_SECRETS;
  rmSync(made, { recursive: true });
});

/** Replaces the password of "shop" and returns the generation that a deploy then has in its state. */
async function rotated(): Promise<string> {
  await replaceCredentials(environment, { name: "shop" });
  await ensureKeyPairs(environment, [{ name: "shop" }]);
  endRotations(environment);
  return readFileSync(join(own, "generation"), "utf8").split("\n")[0];
}

/** Puts the secrets back as they were in the beginning, as from another clone. */
function putBack(): void {
  rmSync(own, { recursive: true });
  cpSync(made, own, { recursive: true });
}

const compare = (...deployed: string[]) => compareGenerations(environment, deployed);

test("secrets of the deployed generation and of later ones are deployed", async () => {
  const first = readFileSync(join(own, "generation"), "utf8").trim();
  expect(compare(first)).toEqual([]);
  const second = await rotated();
  expect([compare(first), compare(second)]).toEqual([[], []]);
});

test("the deployed secrets are deployed from a copy that lacks the file of their generations", async () => {
  await rotated();
  const deployed = await rotated();
  rmSync(join(own, "generation"));
  await ensureKeyPairs(environment, [{ name: "shop" }]);
  expect(readFileSync(join(own, "generation"), "utf8")).toMatch(/^1 /);
  expect(compare(deployed)).toEqual([]);
});

test("an older copy is refused, with both generations and the remedy", async () => {
  await rotated();
  const deployed = await rotated();
  putBack();
  expect(compare(deployed)).toEqual([
    `the secrets in ${own} are older than those of the running platform: generation 1 here, 3 there, so they would bring back replaced passwords or certificates. Copy the secrets from the clone that deployed last, or set GROUNDWORK_SECRETS to their folder. If those are lost, run echo 3 >"${own}/generation" to deploy these, then the same command again`,
  ]);
});

test("a copy that has changed by itself is refused, also with more changes", async () => {
  const deployed = await rotated();
  putBack();
  for (const change of ["one", "two"]) {
    await rotated();
    expect([change, compare(deployed)]).toEqual([
      change,
      [
        expect.stringContaining(
          "are not made from those of the running platform: both have a generation 2, with other content, so they",
        ),
      ],
    ]);
  }
});

test("the command of the message has a lost newer generation replaced", async () => {
  await rotated();
  const deployed = await rotated();
  putBack();
  writeFileSync(join(own, "generation"), "3\n");
  await ensureKeyPairs(environment, [{ name: "shop" }]);
  expect(compare(deployed)).toEqual([]);
  // In a folder that Groundwork does not write to, the number stays alone.
  writeFileSync(join(own, "generation"), "3\n");
  expect([compare(deployed), compare("3")]).toEqual([[], []]);
});

test.each([
  ["a platform of an earlier version", []],
  ["secrets without a generation", ["", ""]],
])("what %s has deployed is accepted", (_, deployed) => {
  expect(compare(...deployed)).toEqual([]);
});

test("a folder from GROUNDWORK_SECRETS that has no generation is accepted", async () => {
  const deployed = await rotated();
  const given = mkdtempSync(join(tmpdir(), "stale-given-"));
  process.env.GROUNDWORK_SECRETS = given;
  expect(compare(deployed)).toEqual([]);
  rmSync(given, { recursive: true });
});

test("the newest of the deployed generations counts, and any other of the same number", async () => {
  const first = readFileSync(join(own, "generation"), "utf8").trim();
  const second = await rotated();
  const other = `2 ${"0".repeat(64)}`;
  expect([compare("", first, second), compare(`1 ${"0".repeat(64)}`, second)]).toEqual([[], []]);
  expect(compare(second, other)).toEqual([
    expect.stringContaining("both have a generation 2, with other content"),
  ]);
  putBack();
  expect(compare(first, second)).toEqual([
    expect.stringContaining("are older than those of the running platform: generation 1 here, 2 "),
  ]);
});

describe("a running platform", () => {
  const { folder, program } = programsOnPath();
  const engines = [{ host: "tcp://a:2376" }, { host: "tcp://b:2376" }];
  const asked: string[][] = [];
  const runOf = (of: Environment, output: string | undefined) =>
    ({
      platform: { environment: of, engines },
      output: async (...args: string[]) => {
        asked.push(args);
        return output;
      },
    }) as unknown as Run;
  /** Makes the sidecars of engine b have these labels; engine a has other containers. */
  const withLabels = (...labels: string[]) =>
    program(
      "docker",
      `echo "$DOCKER_HOST $*" >>"${folder}/asked"
[ "$DOCKER_HOST" = tcp://a:2376 ] && echo || printf '%s\\n' ${labels.map((label) => `'${label}'`).join(" ")}`,
    );

  beforeEach(() => {
    asked.length = 0;
    rmSync(join(folder, "asked"), { force: true });
  });

  test("tells its generation in the state and on the sidecars of every engine", async () => {
    const older = await rotated();
    const deployed = await rotated();
    putBack();
    withLabels("", older);
    const refused = [expect.stringContaining("generation 1 here, 3 there")];
    expect(await describeStaleSecrets(runOf(environment, deployed))).toEqual(refused);
    expect(asked).toEqual([["network", "secrets_generation"]]);
    expect(readFileSync(join(folder, "asked"), "utf8").trim().split("\n").sort()).toEqual(
      engines.map(
        ({ host }) =>
          `${host} ps --all --filter label=groundwork.environment=stale-test --format {{.Label "groundwork.secrets-generation"}}`,
      ),
    );
  });

  test("refuses an older copy of the secrets and of the state beside them", async () => {
    const first = readFileSync(join(own, "generation"), "utf8").trim();
    const deployed = await rotated();
    putBack();
    withLabels(first, deployed);
    const refused = [expect.stringContaining("generation 1 here, 2 there")];
    expect(await describeStaleSecrets(runOf(environment, first))).toEqual(refused);
    expect(await describeStaleCopy(runOf(environment, first).platform)).toEqual(refused);
  });

  test("is not compared with a folder from GROUNDWORK_SECRETS in which a secret was replaced at its source, and a warning says so", async () => {
    const deployed = await rotated();
    const given = mkdtempSync(join(tmpdir(), "stale-given-"));
    cpSync(made, given, { recursive: true });
    process.env.GROUNDWORK_SECRETS = given;
    withLabels("", deployed);
    const warn = jest.spyOn(console, "warn").mockImplementation();
    const compared = () => describeStaleSecrets(runOf(environment, deployed));
    expect([await compared(), warn.mock.calls]).toEqual([[expect.stringContaining("older")], []]);
    writeFileSync(join(given, "applications", "shop.password"), "replaced-at-its-source\n");
    expect([await compared(), warn.mock.calls]).toEqual([
      [],
      [
        [
          `warning: ${given}/generation is not the generation of the secrets beside it, since one was replaced at its source: whether they are a stale copy is not checked. Remove the file, or restore the one that belongs to them`,
        ],
      ],
    ]);
    rmSync(given, { recursive: true });
  });

  test("of an earlier version has no such label, and takes any secrets", async () => {
    withLabels("", "");
    expect(await describeStaleSecrets(runOf(environment, undefined))).toEqual([]);
  });

  test("is not asked if it is plaintext", async () => {
    withLabels(`9 ${"0".repeat(64)}`);
    expect(await describeStaleSecrets(runOf(laptop, undefined))).toEqual([]);
    expect(await describeStaleCopy(runOf(laptop, undefined).platform)).toEqual([]);
    expect([asked, existsSync(join(folder, "asked"))]).toEqual([[], false]);
  });
});
