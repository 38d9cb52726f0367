import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { numberOfNode } from "../../constructs/container/node-name";
import type { Outcome } from "../engine/docker";
import { CommandError } from "../terminal/terminal";
import type { Departure, Members, Moves, OnMove } from "./cluster";

/**
 * How much a broker copies to and from others at most while replicas move, in bytes a second: 50 MiB, a third of what a disk with 150 MiB/s
 * writes. An hour moves 175 GiB off or onto a broker.
 */
const MOVE_BYTES_PER_SECOND = 50 * 1024 ** 2;

const JAR = join(__dirname, "..", "..", "constructs", "kafka", "kafka-init.jar");
const SCRIPT = readFileSync(join(__dirname, "kafka-members.sh"), "utf8");

/** A line of the program's output. */
interface Line {
  readonly moves?: Moves;
  readonly left?: Moves;
  readonly refusal?: string;
  readonly undone?: string;
}

export interface KafkaMembersProps {
  /** Runs the program in a broker's container, with the variables that its client needs. */
  readonly run: (
    broker: string,
    command: readonly string[],
    input: Buffer,
    onLine: (line: string) => void,
  ) => Promise<Outcome>;
  /** Returns the machine of a broker, if there are several. */
  readonly rackOf: (broker: string) => string | undefined;
}

/** Moves the replicas of Kafka with a program on its AdminClient, see KafkaMembers.java. It runs in a broker's container. */
export class KafkaMembers implements Members {
  constructor(private readonly props: KafkaMembersProps) {}

  async describeDeparture(node: string, leaving: readonly string[]): Promise<Departure> {
    const lines = await this.run(node, ["departure", idsOf(leaving)]);
    const refusals = lines.flatMap(({ refusal }) => refusal ?? []);
    return { ...movesIn(node, lines), refusals };
  }

  async drain(node: string, leaving: readonly string[], onMove: OnMove): Promise<void> {
    await this.run(node, ["drain", idsOf(leaving), String(MOVE_BYTES_PER_SECOND)], onMove);
  }

  async forget(node: string, leaving: readonly string[]): Promise<void> {
    await this.run(node, ["forget", idsOf(leaving)]);
  }

  async describeArrival(node: string, joining: readonly string[]): Promise<Moves> {
    const { rackOf } = this.props;
    const racks = joining.map((broker) => {
      const rack = rackOf(broker);
      return `${numberOfNode(broker)}${rack === undefined ? "" : `=${rack}`}`;
    });
    return movesIn(node, await this.run(node, ["arrival", racks.join(",")]));
  }

  async fill(node: string, onMove: OnMove): Promise<void> {
    await this.run(node, ["fill", String(MOVE_BYTES_PER_SECOND)], onMove);
  }

  async keep(node: string, staying: readonly string[]): Promise<readonly string[]> {
    const lines = await this.run(node, ["keep", idsOf(staying)]);
    return lines.flatMap(({ undone }) => undone ?? []);
  }

  /** Returns the lines of the program. Throws with Kafka's words if it fails. */
  private async run(
    node: string,
    args: readonly string[],
    onMove?: OnMove,
  ): Promise<readonly Line[]> {
    const jar = readFileSync(JAR);
    const hash = createHash("sha256").update(jar).digest("hex").slice(0, 16);
    const { exitCode, output } = await this.props.run(
      node,
      [
        ...["sh", "-c", SCRIPT, "kafka-members.sh"],
        ...[`/tmp/groundwork-${hash}.jar`, String(jar.length), ...args],
      ],
      jar,
      (text) => {
        const { left }: Line = JSON.parse(text);
        if (left) {
          onMove?.(left);
        }
      },
    );
    if (exitCode !== 0) {
      throw new CommandError(`Kafka, asked through ${node}: ${output}`);
    }
    return output === "" ? [] : output.split("\n").map((text) => JSON.parse(text));
  }
}

function movesIn(node: string, lines: readonly Line[]): Moves {
  const moves = lines.find((line) => line.moves)?.moves;
  if (moves === undefined) {
    throw new CommandError(`${node} does not tell what moves: run the same command again`);
  }
  return moves;
}

function idsOf(brokers: readonly string[]): string {
  return brokers.map(numberOfNode).join(",");
}
