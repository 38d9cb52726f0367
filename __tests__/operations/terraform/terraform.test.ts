import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { environments } from "../../../environments";
import { variablesOf } from "../../../operations/synthesis/inputs";
import type { Stack } from "../../../operations/synthesis/synthesize";
import { createsOnly, replacing, Terraform } from "../../../operations/terraform/terraform";
import { synthesize } from "../../support/platform";
import { programsOnPath } from "../../support/programs";
import { restoreVariables } from "../../support/variables";

let home: string | undefined;

jest.mock("../../../environments/home-folder", () => ({ homeFolder: () => home }));

beforeEach(() => {
  home = join(folder, "home");
});

const { folder, program } = programsOnPath();
const command = join(folder, "terraform");
const BINARY = { command, product: "Terraform", version: "1.11.4", choice: "" } as const;

test.each([
  ["only creates", ["create", "create"], true],
  ["replaces something too", ["create", "replace"], false],
  ["changes something", ["update"], false],
])(
  "a saved plan that %s stays valid after a change of a dependency: %j, %s",
  (_, actions, lasts) => {
    const plan = new Map(actions.map((action, i) => [`docker_container.${i}`, action]));
    expect(createsOnly({ changes: true, actions: plan })).toBe(lasts);
  },
);

test("a saved plan without changes does not stay valid after a change of a dependency", () => {
  expect(createsOnly({ changes: false, actions: new Map() })).toBe(false);
});

test("Terraform gets the address and the certificates of the engine", async () => {
  const told = join(folder, "told");
  program("terraform", `echo "$DOCKER_HOST $DOCKER_TLS_VERIFY $DOCKER_CERT_PATH" >>${told}`);
  const stack = { folder, variables: [], name: "laptop-network" } as unknown as Stack;
  const variables = { ...process.env };
  const tls = { certPath: "/contexts/tls/1/docker", verify: true };
  for (const engine of [{ host: "tcp://elsewhere:2376", tls }, { host: "ssh://ops@engine" }]) {
    const terraform = new Terraform(BINARY, join(folder, "log"), engine);
    await terraform.destroy(stack);
    await terraform.import(stack, "docker_network.infra", "infra_net");
  }
  const lines = readFileSync(told, "utf8").split("\n");
  expect(lines).toEqual([
    "tcp://elsewhere:2376 1 /contexts/tls/1/docker",
    "tcp://elsewhere:2376 1 /contexts/tls/1/docker",
    expect.stringMatching(/^ssh:\/\/ops@engine /),
    expect.stringMatching(/^ssh:\/\/ops@engine /),
    "",
  ]);
  expect(process.env).toEqual(variables);
});

test.each([
  ['{"secrets_generation":{"sensitive":false,"type":"string","value":"6 abc"}}', "6 abc"],
  ["{}", undefined],
])("the output of a stack whose state has %s is %j", async (printed, value) => {
  const told = join(folder, "arguments");
  program("terraform", `echo "$*" >${told}; echo '${printed}'`);
  const stack = { folder, variables: [], name: "laptop-network" } as unknown as Stack;
  expect(await new Terraform(BINARY, join(folder, "log")).output(stack, "secrets_generation")).toBe(
    value,
  );
  expect(readFileSync(told, "utf8")).toBe(`-chdir=${folder} output -json -no-color\n`);
});

test("a revocation replaces nodes that do not change, and only those that are applied", async () => {
  const told = join(folder, "arguments");
  program("terraform", `echo "$*" >>${told}`);
  rmSync(told, { force: true });
  const stack = { folder, variables: [], name: "laptop-data" } as unknown as Stack;
  const terraform = new Terraform(BINARY, join(folder, "log"));
  const [one, two] = ["docker_container.a", "docker_container.b"];
  await terraform.plan(stack, ...replacing([one, two]));
  await terraform.applyTargets(stack, [one], [one]);
  await terraform.applyTargets(stack, [two]);
  const lines = readFileSync(told, "utf8").trimEnd().split("\n");
  expect(lines.map((line) => line.match(/-(replace|target)=\S+/g))).toEqual([
    [`-replace=${one}`, `-replace=${two}`],
    [`-target=${one}`, `-replace=${one}`],
    [`-target=${two}`],
  ]);
});

test("a run closes the state's folder to other users and removes the plan of a killed run", async () => {
  program("terraform", "exit 0");
  const state = join(folder, "state");
  mkdirSync(state);
  chmodSync(state, 0o755);
  const plan = join(folder, "plan");
  writeFileSync(plan, "");
  const stack = { folder, settings: {} } as unknown as Stack;
  mkdirSync(join(folder, ".terraform"), { recursive: true });
  await new Terraform(BINARY, join(state, "log")).init([stack]);
  expect(statSync(state).mode & 0o777).toBe(0o700);
  expect(existsSync(plan)).toBe(false);
});

describe("the cache of providers", () => {
  restoreVariables();

  /** Initializes a stack and returns the cache that Terraform is given. */
  async function cacheWith(variables: NodeJS.ProcessEnv): Promise<string> {
    const told = join(folder, "cache-told");
    program("terraform", `echo "$TF_PLUGIN_CACHE_DIR" >${told}`);
    for (const name of ["CDKTF_DISABLE_PLUGIN_CACHE_ENV", "TF_PLUGIN_CACHE_DIR"]) {
      delete process.env[name];
    }
    Object.assign(process.env, variables);
    const stack = { folder, settings: variables } as unknown as Stack;
    mkdirSync(join(folder, ".terraform"), { recursive: true });
    await new Terraform(BINARY, join(folder, "state", "log")).init([stack]);
    return readFileSync(told, "utf8").trim();
  }

  test("is below the home folder", async () => {
    const cache = join(folder, "home", ".terraform.d", "plugin-cache");
    expect(await cacheWith({})).toBe(cache);
    expect(existsSync(cache)).toBe(true);
  });

  test("is left out where this user has no home folder to write to", async () => {
    writeFileSync(join(folder, "no-folder"), "");
    for (home of [join(folder, "no-folder"), undefined]) {
      rmSync(join(folder, ".terraform.lock.hcl"), { force: true });
      expect(await cacheWith({})).toBe("");
    }
  });

  test("is refused if a person named it and it cannot be created", async () => {
    writeFileSync(join(folder, "no-folder"), "");
    const given = join(folder, "no-folder", "cache");
    await expect(cacheWith({ TF_PLUGIN_CACHE_DIR: given })).rejects.toThrow(
      `TF_PLUGIN_CACHE_DIR is "${given}", which cannot be created (ENOTDIR`,
    );
  });
});

describe("the inputs of a deploy", () => {
  const { production } = environments;
  const variables = Object.values(synthesize(production).stacks).flatMap(variablesOf);
  restoreVariables();

  test("are not needed to destroy a stack", async () => {
    const asked = join(folder, "asked");
    program(
      "terraform",
      `echo "$* url=$TF_VAR_grafana_url password=$TF_VAR_grafana_admin_password" >${asked}`,
    );
    process.env.TF_VAR_grafana_admin_password = "secret";
    const stack = { folder, variables, name: "production-observability" } as unknown as Stack;
    await new Terraform(BINARY, join(folder, "log")).destroy(stack);
    const said = readFileSync(asked, "utf8");
    expect(said).toContain(" destroy ");
    expect(said).toContain("url=unused password=secret\n");
  });
});
