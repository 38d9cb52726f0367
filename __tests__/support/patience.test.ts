import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type Outcome, runPatiently } from "../e2e/patience";
import { eventually } from "./eventually";

let logs: string;
/** The files by which a script and its test wait for each other. */
let steps: string;
let said: string;

jest.mock("./logs", () => ({
  ...jest.requireActual("./logs"),
  newLog: () => join(logs, "eventually.log"),
}));

beforeEach(() => {
  logs = mkdtempSync(join(tmpdir(), "patience-"));
  steps = mkdtempSync(join(tmpdir(), "steps-"));
  said = "";
  jest.spyOn(process.stderr, "write").mockImplementation((text) => {
    said += text;
    return true;
  });
});
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
  rmSync(logs, { recursive: true });
  rmSync(steps, { recursive: true });
});

/** Stops the clock by which a suite has progress, so that time passes only where a test says. */
function stopClock(): void {
  jest.useFakeTimers({
    doNotFake: [
      ...["Date", "hrtime", "nextTick", "queueMicrotask", "setImmediate", "clearImmediate"],
      ...["setTimeout", "clearTimeout"],
    ] as never,
  });
}

/** Defines `step`, with which a script waits until the test has seen that it got there. */
const STEP = `n=0; step() { n=$((n + 1)); : >"$steps/done-$n"; until [ -e "$steps/go-$n" ]; do sleep 0.02; done; }`;

/** Waits until a file exists. */
async function untilExists(file: string): Promise<void> {
  while (!existsSync(file)) {
    await setTimeout(10);
  }
}

/** Runs a shell script in the folder of its logs, and stops it after two seconds without progress. */
const run = (script: string, signal = new AbortController().signal): Promise<Outcome> =>
  runPatiently({
    ...{ command: "sh", args: ["-c", script], cwd: logs, logs, signal },
    progressFile: join(logs, "progress.txt"),
    patienceSeconds: 2,
  });

/** Returns whether the process with the id in a file runs, and is not a zombie. */
function isRunning(file: string): boolean {
  const stat = `/proc/${readFileSync(join(logs, file), "utf8").trim()}/stat`;
  return existsSync(stat) && !/\) [ZX] /.test(readFileSync(stat, "utf8"));
}

describe("a suite", () => {
  test("runs to its end while it makes progress, even if it takes longer than the limit without progress", async () => {
    stopClock();
    // Writes to a command's log, to the progress file, and to standard error in turn.
    const running = run(`steps='${steps}'; ${STEP}; for i in 1 2 3; do
      echo a >>001-npm.log; step; echo "in test" >>progress.txt; step; echo "lab: $i" >&2; step
    done; exit 3`);
    for (let n = 1; n <= 9; n++) {
      await untilExists(join(steps, `done-${n}`));
      jest.advanceTimersByTime(1800);
      writeFileSync(join(steps, `go-${n}`), "");
    }
    expect(await running).toEqual({ exitCode: 3, ended: undefined });
    expect(said).toBe("lab: 1\nlab: 2\nlab: 3\n");
  });

  test("is killed with all its descendants if it makes no progress, and the message names the test", async () => {
    stopClock();
    const running =
      run(`echo 'after beforeAll of "topics"\nin test "topics are created"' >progress.txt
      sleep 600 & echo $! >child; setsid sleep 600 & echo $! >leader; echo asked >001-kafka.log; : >'${steps}/done'; sleep 600`);
    await untilExists(join(steps, "done"));
    jest.advanceTimersByTime(2400);
    expect(await running).toEqual({
      exitCode: null,
      ended: {
        why: 'killed after 2 s without progress, in test "topics are created"',
        log: "the last lines of 001-kafka.log:\nasked",
      },
    });
    await eventually(() => ["child", "leader"].filter(isRunning));
  });

  test("is killed at once if it is interrupted", async () => {
    stopClock();
    const interrupted = new AbortController();
    const running = run("sleep 600 & echo $! >child; wait", interrupted.signal);
    await untilExists(join(logs, "child"));
    interrupted.abort();
    expect(await running).toMatchObject({ exitCode: null, ended: { why: "interrupted" } });
    await eventually(() => ["child"].filter(isRunning));
  });
});

test("a wait writes its findings at each look, which counts as progress", async () => {
  const log = () => readFileSync(join(logs, "eventually.log"), "utf8");
  const seen: string[] = [];
  await eventually(() => {
    const left = ["two nodes", "one node"].slice(seen.length, seen.length + 1);
    seen.push(existsSync(join(logs, "eventually.log")) ? log() : "nothing");
    return left;
  });
  expect(seen).toEqual(["nothing", 'still: ["two nodes"]\n', 'still: ["one node"]\n']);
});
