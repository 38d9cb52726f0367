import { setTimeout } from "node:timers/promises";
import { grownKafka } from "../../support/grown-kafka";
import {
  atOnce,
  expectDoneWith,
  hurry,
  killAtEach,
  LEFT_TO_MOVE,
  slowDown,
  untilDescribed,
} from "../../support/killed-moves";
import { expectDone, kafka } from "../../support/lab";
import { loads } from "../../support/replicas";

const lab = grownKafka();

describe("a new broker is filled by the next deploy", () => {
  test("although it got replicas of a new topic before its deploy was killed", async () => {
    await killAtEach(lab, 4, [
      [/kafka-4: creating/, untilDescribed("brokers", /groundwork\.unfilled\.kafka-4/)],
      [/kafka-4: created/, atOnce],
    ]);
    kafka("kafka-topics", [
      ...["--create", "--topic", "meanwhile", "--replica-assignment", "4:1:2,4:2:3"],
    ]);
    expect(loads(4).replicas[3]).toBe(2);
  });

  test("although that one was killed while replicas moved", async () => {
    slowDown(lab);
    await killAtEach(lab, 4, [
      [/./, untilDescribed("topics", /throttled/)],
      [LEFT_TO_MOVE, atOnce],
      [LEFT_TO_MOVE, () => setTimeout(500)],
    ]);
    hurry([]);
    expectDone(lab.up(4));
    expectDoneWith(4);
  });

  test("and not again by the one after it", async () => {
    await killAtEach(lab, 4, [[/checking every guarantee/, atOnce]]);
    expectDoneWith(4);
  });
});
