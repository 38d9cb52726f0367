import { numberOfNode } from "../../constructs/container/node-name";
import { CommandError } from "../terminal/terminal";
import type { Members, Moves, OnMove, PlannedMoves } from "./cluster";
import { KafkaProgram, type RunInBroker } from "./kafka-program";

/**
 * How much a broker copies to and from others at most while replicas move, in bytes a second: 50 MiB, a third of what a disk with 150 MiB/s
 * writes. An hour moves 175 GiB off or onto a broker.
 */
const MOVE_BYTES_PER_SECOND = 50 * 1024 ** 2;

/** A line of the program's output. */
interface Line {
  readonly moves?: Moves;
  readonly left?: Moves;
  readonly refusal?: string;
  readonly undone?: string;
}

export interface KafkaMembersProps {
  readonly run: RunInBroker;
  /** Returns the machine of a broker, if there are several. */
  readonly rackOf: (broker: string) => string | undefined;
}

/** Moves the replicas of Kafka with a program on its AdminClient, see KafkaMembers.java. It runs in a broker's container. */
export class KafkaMembers implements Members {
  private readonly program: KafkaProgram;

  constructor(private readonly props: KafkaMembersProps) {
    this.program = new KafkaProgram("KafkaMembers", props.run);
  }

  async describeDeparture(node: string, leaving: readonly string[]): Promise<PlannedMoves> {
    return movesIn(node, await this.run(node, ["departure", idsOf(leaving)]));
  }

  async drain(node: string, leaving: readonly string[], onMove: OnMove): Promise<void> {
    await this.run(node, ["drain", idsOf(leaving), String(MOVE_BYTES_PER_SECOND)], onMove);
  }

  async forget(node: string, leaving: readonly string[]): Promise<void> {
    await this.run(node, ["forget", idsOf(leaving)]);
  }

  async describeArrival(node: string, joining: readonly string[]): Promise<PlannedMoves> {
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

  private run(node: string, args: readonly string[], onMove?: OnMove): Promise<readonly Line[]> {
    return this.program.run<Line>(node, args, {
      onLine: ({ left }) => {
        if (left) {
          onMove?.(left);
        }
      },
    });
  }
}

function movesIn(node: string, lines: readonly Line[]): PlannedMoves {
  const moves = lines.find((line) => line.moves)?.moves;
  if (moves === undefined) {
    throw new CommandError(`${node} does not tell what moves: run the same command again`);
  }
  return { ...moves, refusals: lines.flatMap(({ refusal }) => refusal ?? []) };
}

function idsOf(brokers: readonly string[]): string {
  return brokers.map(numberOfNode).join(",");
}
