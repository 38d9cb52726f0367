import { eventually } from "../../support/eventually";
import { grownKafka } from "../../support/grown-kafka";
import {
  atOnce,
  expectDoneWith,
  expectNothingLeft,
  hurry,
  killAtEach,
  LEFT_TO_MOVE,
  slowDown,
  speedUp,
  untilDescribed,
} from "../../support/killed-moves";
import { docker, expectDone, kafka } from "../../support/lab";
import { startTimes } from "../../support/replicas";

const lab = grownKafka();
beforeAll(() => expectDone(lab.up(4)));

const MOVING = /moving data from kafka-4/;

const untilReassigned = () =>
  eventually(() => (kafka("kafka-topics", ["--describe"]).includes("Adding") ? [] : ["none"]));
const untilStopped = () =>
  eventually(() => {
    const running = docker("ps", "--quiet", "--filter", "name=kafka-4");
    return running === "" ? [] : [running];
  });

describe("a removal that is undone is taken back", () => {
  test("while replicas move", async () => {
    const { "kafka-4": started } = startTimes("kafka");
    slowDown(lab);
    await killAtEach(lab, 3, [
      [MOVING, atOnce],
      [MOVING, untilDescribed("brokers", /cordoned/)],
      [MOVING, untilReassigned],
    ]);
    hurry([4]);
    speedUp(lab);
    const undone = lab.up(4);
    expectDone(undone);
    expect(undone.output).toContain("kafka: removed the cordon of kafka-4, which an interrupted");
    expect(startTimes("kafka")["kafka-4"]).toBe(started);
    expectDoneWith(4);
  });

  test("after the broker has stopped", async () => {
    await killAtEach(lab, 3, [[MOVING, untilStopped]]);
    expectDone(lab.up(4));
    expectDoneWith(4);
  });
});

test("a removal that is killed at any point is finished by the next deploy", async () => {
  slowDown(lab);
  await killAtEach(lab, 3, [[LEFT_TO_MOVE, atOnce]]);
  hurry([4]);
  await killAtEach(lab, 3, [
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
