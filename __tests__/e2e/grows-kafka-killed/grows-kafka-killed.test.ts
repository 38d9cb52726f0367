import { setTimeout } from "node:timers/promises";
import { eventually } from "../../support/eventually";
import { grownKafka } from "../../support/grown-kafka";
import { docker, expectDone, kafka, records } from "../../support/lab";
import { expectEven, expectNothingSet, loads, startTimes } from "../../support/replicas";

const lab = grownKafka();

const PROGRAM = "operations/platform/kafka-members.ts";
const DECLARED_RATE = "50 * 1024 ** 2";
/** So slow that moves last longer than the deploys that are killed meanwhile. */
const SLOW_RATE = "100 * 1024";

const MOVING = /moving data from kafka-4/;
const LEFT = /left to move/;
const atOnce = () => undefined;

/** Waits until Kafka's description of its brokers or topics has a text. */
const untilDescribed = (type: "brokers" | "topics", text: RegExp) => () =>
  eventually(() => {
    const described = kafka("kafka-configs", ["--describe", "--entity-type", type]);
    return text.test(described) ? [] : [`no ${text}`];
  });
const untilReassigned = () =>
  eventually(() => (kafka("kafka-topics", ["--describe"]).includes("Adding") ? [] : ["none"]));
const untilStopped = () =>
  eventually(() => {
    const running = docker("ps", "--quiet", "--filter", "name=kafka-4");
    return running === "" ? [] : [running];
  });

/** Lets the moves that run go as fast as they can. The last digits are those by which `npm run up` knows its own rates. */
function hurry(leaving: readonly number[]): void {
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
async function killAtEach(
  brokers: number,
  points: readonly (readonly [text: RegExp, isTime: () => unknown])[],
): Promise<void> {
  for (const [text, isTime] of points) {
    expect({ text, killed: await lab.killedUp(brokers, text, isTime) }).toEqual({
      ...{ text, killed: true },
    });
  }
  expect(records("large")).toBe(20_000);
}

/** Asserts that nothing of a move is left or lost. */
function expectNothingLeft(): void {
  expectNothingSet();
  expect(records("large")).toBe(20_000);
}

/** Asserts that and that so many brokers hold even shares. */
function expectDoneWith(brokers: number): void {
  expectEven(brokers);
  expectNothingLeft();
}

describe("a new broker is filled by the next deploy", () => {
  test("although it got replicas of a new topic before its deploy was killed", async () => {
    await killAtEach(4, [
      [/kafka-4: creating/, untilDescribed("brokers", /groundwork\.unfilled\.kafka-4/)],
      [/kafka-4: created/, atOnce],
    ]);
    kafka("kafka-topics", [
      ...["--create", "--topic", "meanwhile", "--replica-assignment", "4:1:2,4:2:3"],
    ]);
    expect(loads(4).replicas[3]).toBe(2);
  });

  test("although that one was killed while replicas moved", async () => {
    lab.copy.edit(PROGRAM, DECLARED_RATE, SLOW_RATE);
    await killAtEach(4, [
      [/./, untilDescribed("topics", /throttled/)],
      [LEFT, atOnce],
      [LEFT, () => setTimeout(500)],
    ]);
    hurry([]);
    expectDone(lab.up(4));
    expectDoneWith(4);
  });

  test("and not again by the one after it", async () => {
    await killAtEach(4, [[/checking every guarantee/, atOnce]]);
    expectDoneWith(4);
  });
});

describe("a removal that is undone is taken back", () => {
  test("while replicas move", async () => {
    const { "kafka-4": started } = startTimes("kafka");
    await killAtEach(3, [
      [MOVING, atOnce],
      [MOVING, untilDescribed("brokers", /cordoned/)],
      [MOVING, untilReassigned],
    ]);
    hurry([4]);
    lab.copy.edit(PROGRAM, SLOW_RATE, DECLARED_RATE);
    const undone = lab.up(4);
    expectDone(undone);
    expect(undone.output).toContain("kafka: removed the cordon of kafka-4, which an interrupted");
    expect(startTimes("kafka")["kafka-4"]).toBe(started);
    expectDoneWith(4);
  });

  test("after the broker has stopped", async () => {
    await killAtEach(3, [[MOVING, untilStopped]]);
    expectDone(lab.up(4));
    expectDoneWith(4);
  });
});

test("a removal that is killed at any point is finished by the next deploy", async () => {
  lab.copy.edit(PROGRAM, DECLARED_RATE, SLOW_RATE);
  await killAtEach(3, [[LEFT, atOnce]]);
  hurry([4]);
  await killAtEach(3, [
    [MOVING, untilStopped],
    [/left kafka/, atOnce],
    [/kafka-4\w*: destroying/, atOnce],
  ]);
  expectDone(lab.up(3));
  expect(Object.keys(startTimes("kafka")).sort()).toEqual(["kafka-1", "kafka-2", "kafka-3"]);
  expect(docker("volume", "ls", "--quiet", "--filter", "name=kafka-4-data")).toBe("kafka-4-data");
  // Only the replicas of the removed broker move, so the shares of the others need not be even.
  expectNothingLeft();
});
