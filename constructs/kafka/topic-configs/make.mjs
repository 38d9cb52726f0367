// node make.mjs [FILE]: writes the topic configs of the Kafka image's brokers to FILE, ../topic-configs.json by default. Needs JDK 17 or
// newer and Maven.
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
    // Shown only on errors: slf4j complains that there is no logger.
    { stdio: "pipe" },
  ),
);
