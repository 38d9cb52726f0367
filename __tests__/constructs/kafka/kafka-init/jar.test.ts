import { readFileSync } from "node:fs";
import { join } from "node:path";
import { KAFKA_IMAGE } from "../../../../constructs";
import { buildAgain, compileWith, JAR } from "../../../support/fake-kafka";

/** The last version of the minor before that of the Kafka image, which an environment may still have. */
const EARLIER_KAFKA = "4.2.1";

describe("kafka-init.jar", () => {
  test.concurrent("is what its sources compile to, byte for byte", async () => {
    // Differs? npm run jar
    expect(readFileSync(await buildAgain()).equals(readFileSync(JAR))).toBe(true);
  });

  test.concurrent("is compiled against the client library of the Kafka image", async () => {
    const pom = readFileSync(join(JAR, "..", "kafka-init", "pom.xml"), "utf8");
    expect(/<artifactId>kafka-clients<\/artifactId>\s*<version>(.*)</.exec(pom)?.[1]).toBe(
      KAFKA_IMAGE.split(":")[1],
    );
  });

  test.concurrent("uses nothing that the client library of an earlier Kafka image lacks", async () => {
    expect(await compileWith(EARLIER_KAFKA)).toBe("");
  });
});
