// node build.mjs [--sources FOLDER] [--class-path JAR] [--jar FILE]: compiles the sources of a folder, those beside this file when
// it is not given, into a jar, kafka-init.jar when that is not given. Prints the folder of the libraries. Needs a JDK from 17 on and
// Maven. The same sources give the same bytes on every machine: a compiler of its own, no timestamps, a fixed order.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
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
    "class-path": { type: "string" },
    jar: { type: "string", default: join(here, "..", "kafka-init.jar") },
  },
});
const libraries = fetchLibraries();
const classes = mkdtempSync(join(cache, "classes-"));
process.on("exit", () => rmSync(classes, { recursive: true }));
compile(values.sources, values["class-path"], classes);
writeFileSync(values.jar, zip(classes));
console.log(libraries);

/** What the POM names, in a folder that stays until the POM changes. */
function fetchLibraries() {
  const folder = join(
    cache,
    createHash("sha256").update(readFileSync(pom)).digest("hex").slice(0, 16),
  );
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true });
    const fetched = mkdtempSync(join(cache, "libraries-"));
    run(
      "mvn",
      "--batch-mode",
      "--quiet",
      "--file",
      pom,
      "dependency:copy-dependencies",
      `-DoutputDirectory=${fetched}`,
    );
    renameSync(fetched, folder);
  }
  return folder;
}

function compile(sources, classPath, output) {
  const jars = readdirSync(libraries).map((file) => join(libraries, file));
  run(
    ...["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", join(libraries, "*")],
    ...["org.eclipse.jdt.internal.compiler.batch.Main", "--release", "17", "-failOnWarning"],
    ...["-cp", [...jars, ...(classPath ? [classPath] : [])].join(delimiter), "-d", output],
    ...readdirSync(sources)
      .filter((file) => file.endsWith(".java"))
      .sort()
      .map((file) => join(sources, file)),
  );
}

/** A zip archive of a folder's files, uncompressed, with the first moment that the format knows for their date. */
function zip(folder) {
  const entries = [];
  const directory = [];
  let offset = 0;
  for (const name of readdirSync(folder).sort()) {
    const content = readFileSync(join(folder, name));
    // Version needed, flags, method, time, date, checksum, sizes, length of the name, length of the extra field.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(10, 0);
    common.writeUInt16LE(0x21, 8);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(content.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const entry = Buffer.concat([Buffer.from("PK\x03\x04"), common, Buffer.from(name), content]);
    // Version that made it before the common part; comment, disk, attributes and offset after it.
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.from("PK\x01\x02\x0a\x00"), common, rest, Buffer.from(name));
    entries.push(entry);
    offset += entry.length;
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(listing.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...entries, listing, Buffer.from("PK\x05\x06"), end]);
}

/** Node 20 has none. */
function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
  }
  return ~crc >>> 0;
}

function run(command, ...args) {
  const { status, error } = spawnSync(command, args, {
    // What is printed is the folder alone.
    stdio: ["ignore", process.stderr, "inherit"],
  });
  if (error?.code === "ENOENT") {
    console.error(
      `${command} is not there: building kafka-init.jar takes a JDK from 17 on and Maven`,
    );
  }
  if (status !== 0) {
    process.exit(1);
  }
}
