// Writes lib/ from schema.json with cdktf's own generator, as the published @cdktf/provider-* packages are made. Skipped when
// neither has changed. npm runs it as `prepare` where it runs scripts at all, for what is used right after `npm ci`; a failure there
// stops no installation, since every command and the app look here again (tools/install.mjs, cdktf.json).
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
  console.error("generating the bindings of the grafana provider ...");
  try {
    await generate(JSON.parse(schema));
  } catch (error) {
    const remedy =
      error.code === "MODULE_NOT_FOUND"
        ? "it is a development dependency: npm ci --include=dev"
        : "mend that, then run node packages/provider-grafana/generate.mjs";
    console.error(
      `packages/provider-grafana/lib cannot be generated from schema.json: ${error.message.split("\n")[0]}; ${remedy}`,
    );
    process.exit(1);
  }
}

async function generate(providerSchema) {
  // When it is loaded, the generator asks Terraform for its version and cdktf's makers for a newer one. Neither matters here.
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
  // In a folder of this process alone: another command may do the same at this moment.
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
      // The bindings need no browser and no package of types, which take longer to read than they do.
      ...["--lib", "es2022", "--typeRoots", join(work, "none")],
      join(sources, "index.ts"),
    ],
    { stdio: "inherit" },
  );
  writeFileSync(join(work, "lib", basename(stamp)), inputs);
  replaceBindings(join(work, "lib"));
}

/** Puts new bindings in the place of what is there, whole; those that another command has just put there are as good. */
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
