// Generates lib/ from schema.json with cdktf's own generator, which also builds the published @cdktf/provider-* packages. Skipped if
// neither this file nor schema.json has changed. npm runs it as `prepare` unless scripts are disabled. A failure does not stop
// `npm ci`, since every command and the app run it again (tools/install.mjs, cdktf.json).
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CONSTRAINT } from "./constraint.mjs";

const require = createRequire(import.meta.url);
const root = dirname(fileURLToPath(import.meta.url));
const lib = join(root, "lib");
const stamp = join(lib, ".inputs");

const schema = readFileSync(join(root, "schema.json"), "utf8");
const inputs = createHash("sha256")
  .update(schema)
  .update(readFileSync(fileURLToPath(import.meta.url)))
  .digest("hex");

if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== inputs) {
  console.error("generating the bindings for the grafana provider ...");
  try {
    await generate(JSON.parse(schema));
  } catch (error) {
    const remedy =
      error.code === "MODULE_NOT_FOUND"
        ? "install the development dependencies: npm ci --include=dev"
        : "fix this, then run node packages/provider-grafana/generate.mjs";
    console.error(
      `cannot generate packages/provider-grafana/lib from schema.json: ${error.message.split("\n")[0]}; ${remedy}`,
    );
    process.exit(1);
  }
}

async function generate(providerSchema) {
  // On import, the generator asks Terraform for its version and checks for a newer cdktf. Neither matters here.
  delete process.env.TF_CLI_CONFIG_FILE;
  process.env.CHECKPOINT_DISABLE = "1";
  const {
    CodeMaker,
    TerraformProviderConstraint,
    TerraformProviderGenerator,
  } = require("@cdktf/provider-generator");
  const { ConstructsMakerProviderTarget } = require("@cdktf/commons");
  const generator = new TerraformProviderGenerator(new CodeMaker(), providerSchema);
  const constraint = new TerraformProviderConstraint(CONSTRAINT);
  generator.generate(new ConstructsMakerProviderTarget(constraint, "typescript"));
  // A folder per process, since another command may generate at the same time.
  const work = mkdtempSync(join(root, ".generated-"));
  process.on("exit", () => rmSync(work, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.on(signal, () => process.exit(1));
  }
  await generator.save(work);
  const sources = join(work, "providers", "grafana");
  const tsc = require.resolve("typescript/bin/tsc");
  execFileSync(
    process.execPath,
    [
      tsc,
      ...["--target", "es2022", "--module", "commonjs", "--moduleResolution", "node"],
      ...["--declaration", "--skipLibCheck", "--outDir", join(work, "lib")],
      // Skip the DOM and @types, which the bindings do not use and which take longer to compile than they do.
      ...["--lib", "es2022", "--typeRoots", join(work, "none")],
      join(sources, "index.ts"),
    ],
    { stdio: "inherit" },
  );
  writeFileSync(join(work, "lib", basename(stamp)), inputs);
  replaceBindings(join(work, "lib"));
}

/** Replaces lib/ as a whole. If another command has just created it, keeps that one, which is the same. */
function replaceBindings(made) {
  rmSync(lib, { recursive: true, force: true });
  try {
    renameSync(made, lib);
  } catch (error) {
    if (error.code !== "ENOTEMPTY") {
      throw error;
    }
  }
}
