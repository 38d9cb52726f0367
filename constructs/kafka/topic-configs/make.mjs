// node make.mjs [FILE]: writes what the brokers of the Kafka image know of a topic's configs, into topic-configs.json when no file is
// given. Asks Kafka's own libraries; needs what kafka-init/build.mjs needs.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const [, , file = join(here, "..", "topic-configs.json")] = process.argv;
const folder = mkdtempSync(join(tmpdir(), "topic-configs-"));
process.on("exit", () => rmSync(folder, { recursive: true }));
const jar = join(folder, "topic-configs.jar");
const build = join(here, "..", "kafka-init", "build.mjs");
const libraries = execFileSync(process.execPath, [build, "--sources", here, "--jar", jar], {
  encoding: "utf8",
}).trim();
writeFileSync(
  file,
  execFileSync(
    "java",
    [
      ...["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"],
      ...["-cp", `${jar}:${libraries}/*`, "TopicConfigs"],
    ],
    // Told with an error alone: slf4j complains that it finds no log.
    { stdio: "pipe" },
  ),
);
