// Runs shellcheck over every shell script that git knows, and gofmt over every Go file.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  encoding: "utf8",
})
  .trim()
  .split("\n");

const scripts = files.filter((file) => /\.sh$/.test(file) || isShell(file));
execFileSync("shellcheck", scripts, { stdio: "inherit" });
console.log(`shellcheck: ${scripts.length} scripts`);

const go = files.filter((file) => file.endsWith(".go"));
const unformatted = execFileSync("gofmt", ["-l", ...go], { encoding: "utf8" }).trim();
if (unformatted) {
  console.error(`not formatted with gofmt:\n${unformatted}`);
  process.exitCode = 1;
}
console.log(`gofmt: ${go.length} files`);

function isShell(file) {
  return !file.includes(".") || file.startsWith(".ci/")
    ? /^#!.*\b(ba)?sh\b/.test(readFileSync(file, "utf8").slice(0, 40))
    : false;
}
