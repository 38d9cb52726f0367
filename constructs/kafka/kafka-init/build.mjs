// node build.mjs [--sources FOLDER] [--source-path FOLDER] [--class-path JAR] [--jar FILE]: compiles a folder of Java sources into a jar and
// prints the folder of the libraries. Sources default to this folder, the jar to ../kafka-init.jar. Needs JDK 17 or newer and Maven.
// Reproducible on every machine: it pins the compiler, and times, order and modes in the jar are fixed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const cache = join(here, "..", "..", "..", "node_modules", ".cache", "kafka-init");
const pom = join(here, "pom.xml");

const { values } = parseArgs({
  options: {
    sources: { type: "string", default: here },
    "source-path": { type: "string" },
    "class-path": { type: "string" },
    jar: { type: "string", default: join(here, "..", "kafka-init.jar") },
  },
});
// The jar keeps the files' modes.
process.umask(0o022);
const libraries = fetchLibraries();
const folder = mkdtempSync(join(cache, "build-"));
process.on("exit", () => rmSync(folder, { recursive: true }));
compile(join(folder, "classes"));
maven("jar:jar", `-DbuildDirectory=${folder}`);
copyFileSync(join(folder, "kafka-init.jar"), values.jar);
console.log(libraries);

/** Returns the folder of the POM's libraries, which is cached until the POM changes. */
function fetchLibraries() {
  const folder = join(
    cache,
    createHash("sha256").update(readFileSync(pom)).digest("hex").slice(0, 16),
  );
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true });
    const fetched = mkdtempSync(join(cache, "libraries-"));
    maven("dependency:copy-dependencies", `-DoutputDirectory=${fetched}`);
    try {
      renameSync(fetched, folder);
    } catch (error) {
      // Another process was first, with the same libraries.
      if (!existsSync(folder)) {
        throw error;
      }
      rmSync(fetched, { recursive: true });
    }
  }
  return folder;
}

function compile(output) {
  const { sources, "source-path": sourcePath, "class-path": classPath } = values;
  const jars = readdirSync(libraries).map((file) => join(libraries, file));
  run(
    ...["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", join(libraries, "*")],
    ...["org.eclipse.jdt.internal.compiler.batch.Main", "--release", "17", "-failOnWarning"],
    ...["-cp", [...jars, ...(classPath ? [classPath] : [])].join(delimiter), "-d", output],
    ...(sourcePath ? ["-sourcepath", sourcePath] : []),
    ...readdirSync(sources)
      .filter((file) => file.endsWith(".java"))
      .sort()
      .map((file) => join(sources, file)),
  );
}

function maven(...args) {
  run("mvn", "--batch-mode", "--quiet", "--file", pom, ...args);
}

function run(command, ...args) {
  const { status, error } = spawnSync(command, args, {
    // Standard output is reserved for the folder.
    stdio: ["ignore", process.stderr, "inherit"],
  });
  if (error?.code === "ENOENT") {
    console.error(
      `${command} is not on the PATH: building kafka-init.jar needs JDK 17 or newer and Maven`,
    );
  }
  if (status !== 0) {
    process.exit(1);
  }
}
