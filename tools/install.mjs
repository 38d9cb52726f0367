// Installs the packages that package-lock.json names, unless they are there, and has the bindings of the grafana provider generated,
// which no published package has: the first half of every npm command, so that each works on a fresh clone. What is there is looked
// at, since an installation of the user's own may have left things out. Plain JavaScript, since it runs before anything is installed.
import { execSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

// What may be left out or put elsewhere by NODE_ENV, npm's variables and .npmrc files; switches come before all of them.
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
      `npm ci failed with ${signal ?? `exit status ${status}`}, and ${missing.length} packages of package-lock.json are missing in node_modules: mend what npm says above and run the command again`,
    );
    process.exit(1);
  }
}
// Where Node finds them: a copy of the project may have another one's node_modules.
await import("@cdktf/provider-grafana/generate.mjs");

/** Paths of the packages that are not installed in the version of the lock file. Optional ones are left aside: most are for other systems. */
function missingPackages() {
  const installed = installedPackages();
  return Object.entries(packagesIn("package-lock.json"))
    .filter(([path, { optional }]) => path !== "" && !optional)
    .filter(([path, { version }]) => !installed[path] || installed[path].version !== version)
    .map(([path]) => path);
}

/** As npm keeps them; nothing where it has never finished. */
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
