// lint-scripts.mjs [--fetch]: runs shellcheck on every shell script that git tracks or would add, gofmt on every Go file, Alloy's
// formatter on its configuration, and actionlint on the workflows. With --fetch, only downloads what it needs from the Go module proxy.
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const actionlint = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.10";

if (process.argv.includes("--fetch")) {
  execFileSync("go", ["run", "-C", "lab/alloy-fmt", "."], { stdio: "inherit" });
  execFileSync("go", ["run", actionlint, "-version"], { stdio: "inherit" });
  process.exit();
}

const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  encoding: "utf8",
})
  .trim()
  .split("\n");

const scripts = files.filter((file) => /\.sh$/.test(file) || isShell(file));
const { status, error } = spawnSync("shellcheck", scripts, { stdio: "inherit" });
if (error) {
  console.error(`cannot run shellcheck: ${error.message}. Install it from your distribution`);
}
process.exitCode = status ?? 1;
console.log(`shellcheck: ${scripts.length} scripts`);

const go = files.filter((file) => file.endsWith(".go"));
const unformatted = execFileSync("gofmt", ["-l", ...go], { encoding: "utf8" }).trim();
if (unformatted) {
  console.error(`not formatted with gofmt:\n${unformatted}`);
  process.exitCode = 1;
}
console.log(`gofmt: ${go.length} files`);

const alloy = files.filter((file) => file.endsWith(".alloy")).map((file) => resolve(file));
const formatted = spawnSync("go", ["run", "-C", "lab/alloy-fmt", ".", ...alloy], {
  stdio: "inherit",
});
process.exitCode ||= formatted.status ?? 1;
console.log(`alloy fmt: ${alloy.length} files`);

const workflows = files.filter((file) => file.startsWith(".github/workflows/"));
const sound = spawnSync("go", ["run", actionlint, ...workflows], { stdio: "inherit" });
process.exitCode ||= sound.status ?? 1;
console.log(`actionlint: ${workflows.length} workflows`);

/** Returns whether a file without an extension starts with the shebang of a shell. */
function isShell(file) {
  const name = file.split("/").pop();
  return !name.includes(".") && /^#!.*\b(ba)?sh\b/.test(readFileSync(file, "utf8").slice(0, 40));
}
