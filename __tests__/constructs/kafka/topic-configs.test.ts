import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { KAFKA_IMAGE } from "../../../constructs";
import { configText, refusalOfConfig } from "../../../constructs/kafka/topic-config";
import topicConfigs from "../../../constructs/kafka/topic-configs.json";
import { JAR, KafkaHarness } from "../../support/fake-kafka";

/** Values of every type, at the edges of every range and beyond. */
const SPELLINGS = [
  ...[
    "",
    " ",
    "0",
    "-0",
    "1",
    "-1",
    "-2",
    "-3",
    "4",
    "3",
    "9",
    "10",
    "17",
    "18",
    "22",
    "23",
    "007",
  ],
  ...["60000", " 60000 ", "+5", "--5", "+-5", "6 0", "1e6", "1.0", "0x10", "1_000", "1L", "ten"],
  ...["2147483647", "2147483648", "-2147483648", "-2147483649", "1048575", "1048576"],
  ...["9223372036854775807", "9223372036854775808", "-9223372036854775808"],
  ...["-9223372036854775809", "-131072", "-131073"],
  ...["0.5", ".5", "5.", "1e-4", "1.0E-4", "1.0000001", "-0.1", "+0.1", ".", "e1", "0,5"],
  ...["true", "TRUE", " False ", "yes", "on", "null", "[object Object]"],
  ...["compact", "delete", "compact,delete", " delete , compact ", "compact;delete"],
  ...["compact,compact", "compact,", ",", "Compact", "gzip", " gzip ", "GZIP", "producer", "none"],
  ...["CreateTime", "createtime", "LogAppendTime"],
  ...["0:1", "0:1,1:2", "0:1, 1:2", "0:1,", "*", " * ", "*,0:1", "0-1", "a:1", "0 :1", "a=b"],
];

describe("topic-configs.json", () => {
  test.concurrent("matches the libraries of the Kafka image", async () => {
    // Differs? npm run topic-configs
    const folder = mkdtempSync(join(tmpdir(), "topic-configs-"));
    const again = join(folder, "again.json");
    await promisify(execFile)(process.execPath, [
      join(JAR, "..", "topic-configs", "make.mjs"),
      again,
    ]);
    expect(readFileSync(again, "utf8")).toBe(
      readFileSync(join(JAR, "..", "topic-configs.json"), "utf8"),
    );
    rmSync(folder, { recursive: true });
  });

  test.concurrent("is from the version of the Kafka image", async () => {
    const pom = readFileSync(join(JAR, "..", "kafka-init", "pom.xml"), "utf8");
    expect(/<artifactId>kafka-storage<\/artifactId>\s*<version>(.*)</.exec(pom)?.[1]).toBe(
      KAFKA_IMAGE.split(":")[1],
    );
  });

  test.concurrent("allows exactly what a broker accepts", async () => {
    const harness = await KafkaHarness.start();
    const tried = [...Object.keys(topicConfigs), "no.such.config"].flatMap((key) =>
      SPELLINGS.map((value) => [key, value]),
    );
    const asked = async (configs: string[][]): Promise<(string | null)[]> =>
      (await harness.ask({ do: "validate", configs })).refusals;
    const [written, rendered] = [
      await asked(tried),
      await asked(tried.map(([key, value]) => [key, configText(key, value)])),
    ];
    await harness.stop();
    expect(
      tried
        .map(([key, value], i) => ({
          config: `${key}=${value}`,
          here: refusalOfConfig(key, value) === undefined,
          written: written[i] === null,
          rendered: rendered[i] === null,
        }))
        .filter((told) => told.here !== told.written || told.here !== told.rendered),
    ).toEqual(
      // That takes brokers with a remote storage.
      ["true", "TRUE"].map((value) => ({
        config: `remote.storage.enable=${value}`,
        ...{ here: true, written: false, rendered: false },
      })),
    );
    expect(written).toContain("Unknown topic config name: no.such.config");
  });
});
