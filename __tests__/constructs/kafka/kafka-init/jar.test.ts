import { readFileSync } from "node:fs";
import { join } from "node:path";
import { KAFKA_IMAGE } from "../../../../constructs";
import { buildAgain, JAR } from "../../../support/fake-kafka";

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
});
