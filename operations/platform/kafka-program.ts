import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Outcome } from "../engine/docker";
import { CommandError } from "../terminal/terminal";

const JAR = join(__dirname, "..", "..", "constructs", "kafka", "kafka-init.jar");
const SCRIPT = readFileSync(join(__dirname, "kafka-program.sh"), "utf8");

/** Runs a command in a broker's container, with the variables that Kafka's client needs. */
export type RunInBroker = (
  broker: string,
  command: readonly string[],
  input: Buffer,
  onLine: (line: string) => void,
) => Promise<Outcome>;

/** A program of kafka-init.jar on Kafka's AdminClient that prints a JSON object a line. It runs in a broker's container. */
export class KafkaProgram {
  constructor(
    private readonly name: "KafkaInventory" | "KafkaMembers",
    private readonly runInBroker: RunInBroker,
  ) {}

  /** Returns its lines. Throws with Kafka's words if it fails. */
  async run<Line>(
    broker: string,
    args: readonly string[],
    {
      input = "",
      onLine,
    }: { readonly input?: string; readonly onLine?: (line: Line) => void } = {},
  ): Promise<readonly Line[]> {
    const jar = readFileSync(JAR);
    const hash = createHash("sha256").update(jar).digest("hex").slice(0, 16);
    const { exitCode, output } = await this.runInBroker(
      broker,
      [
        ...["sh", "-c", SCRIPT, "kafka-program.sh"],
        ...[`/tmp/groundwork-${hash}.jar`, String(jar.length), this.name, ...args],
      ],
      Buffer.concat([jar, Buffer.from(input)]),
      (text) => onLine?.(JSON.parse(text)),
    );
    if (exitCode !== 0) {
      throw new CommandError(`Kafka, asked through ${broker}: ${output}`);
    }
    return output === "" ? [] : output.split("\n").map((text) => JSON.parse(text));
  }
}
