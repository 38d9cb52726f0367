// Installs the packages of package-lock.json that are missing, and generates the bindings of the Grafana provider, which no published
// package has. Every npm command runs this first, so that it works on a fresh clone. Checks each package, since the user's own
// installation may have omitted some. Plain JavaScript, since it runs before anything is installed.
import { execSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

// Override NODE_ENV, npm's variables and .npmrc files, which may omit packages or put them elsewhere.
const SWITCHES = [
  ...["--include=dev", "--include=optional", "--include=peer"],
  ...["--no-legacy-peer-deps", "--install-strategy=hoisted", "--no-audit", "--no-fund"],
];

const missing = missingPackages();
if (missing.length > 0) {
  console.error("installing dependencies ...");
  try {
    execSync(`npm ci ${SWITCHES.join(" ")}`, {
      cwd: root,
      stdio: ["ignore", "ignore", "inherit"],
    });
  } catch ({ status, signal }) {
    console.error(
      `npm ci failed with ${signal ?? `exit status ${status}`}, and node_modules lacks ${missing.length} ${missing.length === 1 ? "package" : "packages"} of package-lock.json: fix the npm error above, then run the command again`,
    );
    process.exit(1);
  }
}
// Node resolves the package: a copy of the project may share another one's node_modules.
await import("@cdktf/provider-grafana/generate.mjs");

/** Returns the paths of packages that are not installed in the locked version. Skips optional ones: most are for other systems. */
function missingPackages() {
  const installed = installedPackages();
  return Object.entries(packagesIn("package-lock.json"))
    .filter(([path, { optional }]) => path !== "" && !optional)
    .filter(([path, { version }]) => !installed[path] || installed[path].version !== version)
    .map(([path]) => path);
}

/** Returns the installed packages as npm records them, or none if npm never finished. */
function installedPackages() {
  try {
    return packagesIn("node_modules/.package-lock.json");
  } catch {
    return {};
  }
}

function packagesIn(file) {
  return JSON.parse(readFileSync(join(root, file), "utf8")).packages;
}
