import { plainDisplay } from "../../../operations/progress/display";
import { type Display, Progress } from "../../../operations/progress/progress";
import {
  applied,
  begin,
  DATA,
  end,
  KAFKA_1,
  MESSAGING,
  OS_INIT,
  VOLUME,
} from "../../support/progress";

/** A progress with a stopped clock, and its output. */
function follow(display: (said: string[], now: () => number) => Display) {
  let now = 0;
  const said: string[] = [];
  const progress = new Progress(
    display(said, () => now),
    () => now,
  );
  const pass = (seconds: number) => {
    now += 1000 * seconds;
  };
  return { progress, said, pass };
}

const onPipe = () => follow((said, now) => plainDisplay((line) => said.push(line), now));
const onTerminal = () => {
  let drawn: readonly string[] = [];
  const followed = follow((said) => ({
    say: (text) => said.push(text),
    draw: (lines) => {
      drawn = lines;
    },
    remind: () => undefined,
    end: () => undefined,
  }));
  return { ...followed, drawn: () => drawn };
};

test("a pipe gets a line when a container starts to change, every ten seconds until it is done, and then", () => {
  const { progress, said, pass } = onPipe();
  progress.message(MESSAGING, begin(VOLUME));
  progress.message(MESSAGING, begin(KAFKA_1));
  for (let second = 1; second <= 22; second++) {
    pass(1);
    progress.status("kafka-1", "starting: no answer yet");
    progress.draw();
  }
  progress.message(MESSAGING, end(KAFKA_1));
  progress.message(MESSAGING, applied(2));
  progress.unchanged(DATA);
  expect(said).toEqual([
    "  messaging: kafka-1: creating",
    "  messaging: kafka-1: 10 s, starting: no answer yet",
    "  messaging: kafka-1: 20 s, starting: no answer yet",
    "  messaging: kafka-1: created after 22 s",
    "  messaging: 2 added in 22 s",
    "  data: no changes",
  ]);
});

test("a terminal shows every stage with its current tasks and their status", () => {
  const { progress, said, drawn, pass } = onTerminal();
  progress.message(MESSAGING, begin(KAFKA_1));
  pass(2);
  progress.message(DATA, begin(OS_INIT));
  pass(3);
  expect(progress.waitedFor()).toEqual(["kafka-1", "os-init"]);
  progress.status("os-init", "attempt 4 failed, next in 8 s: 2 of 3 nodes joined");
  progress.draw();
  expect(drawn()).toEqual([
    "messaging: 5 s",
    "  kafka-1  5 s, creating",
    "data: 3 s",
    "  os-init  3 s, attempt 4 failed, next in 8 s: 2 of 3 nodes joined",
  ]);
  progress.message(DATA, end(OS_INIT));
  progress.message(DATA, applied(1, 1));
  expect(drawn()).toEqual(["messaging: 5 s", "  kafka-1  5 s, creating"]);
  expect(said).toEqual(["data: os-init: created after 3 s", "data: 1 added, 1 destroyed in 3 s"]);
});

test("a failure is shown at once and its task ends, while the others continue", () => {
  const { progress, said, drawn } = onTerminal();
  progress.message(MESSAGING, begin(KAFKA_1));
  progress.message(DATA, begin(OS_INIT));
  progress.message(MESSAGING, {
    kind: "error",
    summary: "unable to start container\nmore of it",
    detail: "",
    address: KAFKA_1,
  });
  expect(said).toEqual(["messaging: kafka-1: failed"]);
  expect(drawn().join("\n")).not.toContain("kafka-1");
  expect(progress.waitedFor()).toEqual(["os-init"]);
});

test("a container that is destroyed is not waited for", () => {
  const { progress, drawn } = onTerminal();
  progress.message(MESSAGING, begin(KAFKA_1, "destroying"));
  expect(progress.waitedFor()).toEqual([]);
  expect(drawn()).toEqual(["messaging: 0 s", "  kafka-1  0 s, destroying"]);
});

test("a container that is no longer declared has its name", () => {
  const { progress, said } = onTerminal();
  const removed = "docker_container.kafka-4_3D17C7F1";
  progress.message(MESSAGING, begin(removed, "destroying"));
  progress.message(MESSAGING, end(removed));
  expect(said).toEqual(["messaging: kafka-4: destroyed after 0 s"]);
});
