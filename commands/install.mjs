// Installs the dependencies that the lock file names, unless they are there: the first half of every npm command, so that each
// works on a fresh clone. Plain JavaScript, since it runs before anything is installed.
import { execSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const installed = join(root, "node_modules", ".package-lock.json");
const wanted = join(root, "package-lock.json");

if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(wanted).mtimeMs) {
  console.error("installing dependencies ...");
  execSync("npm ci --no-audit --no-fund", { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
}
