import { spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
} from "node:fs";
import { join, relative } from "node:path";
import { lastLines } from "../support/logs";

/** A process whose progress can be seen in a folder: it moves whenever a file there is written. */
export interface SuiteProcess {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The folder, which exists. What the process prints to standard error goes to a log there too. */
  readonly logs: string;
  /** The file there whose last line says what runs, such as `in test "a topic is created"`. */
  readonly progressFile: string;
  /** How long nothing may move before the process is ended. */
  readonly patienceSeconds: number;
  /** Ends it at once. */
  readonly signal: AbortSignal;
}

export interface Outcome {
  /** Null if it was ended. */
  readonly exitCode: number | null;
  /** Why it was ended, and the last lines of the newest log; undefined if it came to its end by itself. */
  readonly ended?: { readonly why: string; readonly log: string };
}

/** Runs a process to its end, and ends it with all its descendants if nothing has moved for as long as the patience lasts. */
export async function runPatiently(suite: SuiteProcess): Promise<Outcome> {
  const { command, args, cwd, logs, patienceSeconds, signal } = suite;
  const output = join(logs, "output.log");
  // A file instead of a pipe: a pipe is open for as long as any process has it that was left behind.
  const written = openSync(output, "w");
  const child = spawn(command, args, {
    cwd,
    // A group of its own, so that all of it can be ended.
    detached: true,
    stdio: ["ignore", "ignore", written],
  });
  closeSync(written);
  const exited = new Promise<number | null>((resolve, reject) => {
    child.on("exit", resolve);
    child.on("error", reject);
  });
  let ended: Outcome["ended"];
  const end = (why: string) => {
    ended = { why, log: endOfNewestLog(suite) };
    killWithDescendants(child.pid as number);
  };
  const interrupt = () => end("interrupted");
  signal.addEventListener("abort", interrupt);
  const shown = openSync(output, "r");
  let last = lastWritten(logs);
  let movedAt = performance.now();
  const timer = setInterval(
    () => {
      show(shown);
      const now = lastWritten(logs);
      if (now !== last) {
        last = now;
        movedAt = performance.now();
      } else if (!ended && performance.now() - movedAt > patienceSeconds * 1000) {
        end(`ended after ${durationOf(patienceSeconds)} without progress, ${whereIn(suite)}`);
      }
    },
    Math.min(1000, patienceSeconds * 100),
  );
  try {
    return { exitCode: await exited, ended };
  } finally {
    clearInterval(timer);
    signal.removeEventListener("abort", interrupt);
    show(shown);
    closeSync(shown);
  }
}

/** Prints what was written to a file since the last time. */
function show(file: number): void {
  const buffer = Buffer.alloc(64 * 1024);
  for (let length = readSync(file, buffer); length > 0; length = readSync(file, buffer)) {
    process.stderr.write(Buffer.from(buffer.subarray(0, length)));
  }
}

/** When the files of a folder were written last, in milliseconds. */
function lastWritten(folder: string): number {
  return Math.max(0, ...filesIn(folder).map(({ writtenAt }) => writtenAt));
}

function filesIn(folder: string): { path: string; writtenAt: number }[] {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .map((path) => ({ path, writtenAt: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }));
}

function endOfNewestLog({ logs, cwd }: SuiteProcess): string {
  const [{ path }] = filesIn(logs)
    .filter(({ path }) => path.endsWith(".log"))
    .sort((a, b) => b.writtenAt - a.writtenAt);
  return `the last lines of ${relative(cwd, path)}:\n${lastLines(readFileSync(path, "utf8"))}`;
}

function durationOf(seconds: number): string {
  return seconds % 60 === 0 ? `${seconds / 60} minutes` : `${seconds} s`;
}

function whereIn({ progressFile }: SuiteProcess): string {
  return existsSync(progressFile)
    ? String(readFileSync(progressFile, "utf8").trimEnd().split("\n").pop())
    : "before its first test";
}

/** Ends a process and all that it has started, groups of their own included, before any of them can go on with the next step. */
function killWithDescendants(pid: number): void {
  const parents = new Map<number, number>();
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(")")).split(" ")[2]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const family = [pid];
  for (const parent of family) {
    family.push(...[...parents].filter(([, of]) => of === parent).map(([child]) => child));
  }
  for (const one of [-pid, ...family]) {
    try {
      process.kill(one, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}
