import { eventually } from "./eventually";
import type { GrownKafka } from "./grown-kafka";
import { kafka, records } from "./lab";
import { expectEven, expectNothingSet } from "./replicas";

const PROGRAM = "operations/platform/kafka-members.ts";
const DECLARED_RATE = "50 * 1024 ** 2";
/** So slow that moves last longer than the deploys that are killed meanwhile. */
const SLOW_RATE = "100 * 1024";

/** The text that a deploy prints, and the wait after it, before it is killed. */
export type Point = readonly [text: RegExp, isTime: () => unknown];

export const LEFT_TO_MOVE = /left to move/;
export const atOnce = () => undefined;

/** Waits until Kafka's description of its brokers or topics has a text. */
export const untilDescribed = (type: "brokers" | "topics", text: RegExp) => () =>
  eventually(() => {
    const described = kafka("kafka-configs", ["--describe", "--entity-type", type]);
    return text.test(described) ? [] : [`no ${text}`];
  });

/** Lets the moves of further deploys last longer than the deploys that are killed. */
export function slowDown({ copy }: GrownKafka): void {
  copy.edit(PROGRAM, DECLARED_RATE, SLOW_RATE);
}

/** Lets the moves of further deploys go at the declared rate again. */
export function speedUp({ copy }: GrownKafka): void {
  copy.edit(PROGRAM, SLOW_RATE, DECLARED_RATE);
}

/** Lets the moves that run go as fast as they can. The last digits are those by which `npm run up` knows its own rates. */
export function hurry(leaving: readonly number[]): void {
  for (const id of [1, 2, 3, 4]) {
    const rate = leaving.includes(id) ? 1_000_000_702 : 1_000_000_701;
    const rates = ["leader", "follower"].map((of) => `${of}.replication.throttled.rate=${rate}`);
    kafka("kafka-configs", [
      ...["--alter", "--entity-type", "brokers", "--entity-name", String(id)],
      ...["--add-config", rates.join(",")],
    ]);
  }
}

/** Kills a deploy with a number of brokers at each point, and asserts that it still ran and that no record is lost. */
export async function killAtEach(
  lab: GrownKafka,
  brokers: number,
  points: readonly Point[],
): Promise<void> {
  for (const [text, isTime] of points) {
    expect({ text, killed: await lab.killedUp(brokers, text, isTime) }).toEqual({
      ...{ text, killed: true },
    });
  }
  expect(records("large")).toBe(20_000);
}

/** Asserts that nothing of a move is left or lost. */
export function expectNothingLeft(): void {
  expectNothingSet();
  expect(records("large")).toBe(20_000);
}

/** Asserts that and that so many brokers hold even shares. */
export function expectDoneWith(brokers: number): void {
  expectEven(brokers);
  expectNothingLeft();
}
