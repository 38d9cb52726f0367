import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { knownEnvironments } from "../../../operations/synthesis/environment";
import { PROJECT_ROOT } from "../../../operations/synthesis/project";
import { expectDone, run } from "../../support/lab";
import type { Json } from "../../support/platform";
import { projectCopy } from "../../support/project-copy";

/** As in docs/architecture.md: CDK Terrain under the name that the project imports, and the newest `constructs` that it supports. */
const DEPENDENCIES = ["dependencies.cdktf=npm:cdktn@0.24.0", "dependencies.constructs=10.7.2"];

const BINDINGS = join("packages", "provider-grafana", "lib");

const copy = projectCopy();

beforeAll(() => {
  rmSync(join(copy.folder, "node_modules"));
  cpSync(join(PROJECT_ROOT, BINDINGS), join(copy.folder, BINDINGS), { recursive: true });
  expectDone(run("npm", ["pkg", "set", ...DEPENDENCIES], {}, copy.folder));
  // The providers' bindings have cdktf as peer dependency.
  const install = ["install", "--legacy-peer-deps", "--ignore-scripts", "--no-audit", "--no-fund"];
  expectDone(run("npm", install, {}, copy.folder));
});

/** Returns every stack of an environment as Terraform reads it. */
function synthesized(project: string, environment: string): Record<string, Json> {
  const output = mkdtempSync(join(tmpdir(), "synthesized-"));
  const env = {
    GROUNDWORK_ENV: environment,
    GROUNDWORK_WITHOUT_SECRETS: "confirmed",
    CDKTF_OUTDIR: output,
  };
  expectDone(run(process.execPath, ["-r", "./tools/register.js", "main.ts"], env, project));
  const folder = join(output, "stacks");
  const stacks = readdirSync(folder).map((name): [string, Json] => {
    const text = readFileSync(join(folder, name, "cdk.tf.json"), "utf8");
    // Ignores comments, in which the framework names itself.
    return [name, JSON.parse(text, (key, value) => (key === "//" ? undefined : value))];
  });
  rmSync(output, { recursive: true });
  return Object.fromEntries(stacks);
}

test("the copy has CDK Terrain installed as cdktf", () => {
  const { name, version } = JSON.parse(
    readFileSync(join(copy.folder, "node_modules", "cdktf", "package.json"), "utf8"),
  );
  expect([name, version]).toEqual(["cdktn", "0.24.0"]);
});

test.each(Object.keys(knownEnvironments))(
  "every stack of %s is the same with CDK Terrain in every attribute",
  (environment) => {
    const stacks = synthesized(PROJECT_ROOT, environment);
    expect(Object.keys(stacks).length).toBeGreaterThanOrEqual(5);
    expect(synthesized(copy.folder, environment)).toEqual(stacks);
  },
);
