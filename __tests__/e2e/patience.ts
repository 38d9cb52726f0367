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

/** A process that shows progress by writing to files in a folder. */
export interface SuiteProcess {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The folder, which must exist. The process's standard error goes to a log in it. */
  readonly logs: string;
  /** The file in the folder whose last line says what runs, such as `in test "a topic is created"`. */
  readonly progressFile: string;
  /** The seconds without progress after which the process is killed. */
  readonly patienceSeconds: number;
  /** Kills the process at once when aborted. */
  readonly signal: AbortSignal;
}

export interface Outcome {
  /** The exit code, or null if the process was killed. */
  readonly exitCode: number | null;
  /** Why it was killed, with the last lines of the newest log. Undefined if it ended by itself. */
  readonly ended?: { readonly why: string; readonly log: string };
}

/** Runs a process to its end, and kills it with all its descendants if it makes no progress for `patienceSeconds`. */
export async function runPatiently(suite: SuiteProcess): Promise<Outcome> {
  const { command, args, cwd, logs, patienceSeconds, signal } = suite;
  const output = join(logs, "output.log");
  // A file instead of a pipe: any process that is left behind would keep a pipe open.
  const written = openSync(output, "w");
  const child = spawn(command, args, {
    cwd,
    // A new process group, so that all of it can be killed.
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
        end(`killed after ${durationOf(patienceSeconds)} without progress, ${whereIn(suite)}`);
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

/** Prints what was written to a file since the last call. */
function show(file: number): void {
  const buffer = Buffer.alloc(64 * 1024);
  for (let length = readSync(file, buffer); length > 0; length = readSync(file, buffer)) {
    process.stderr.write(Buffer.from(buffer.subarray(0, length)));
  }
}

/** Returns when any file of a folder was last written, in milliseconds. */
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

/** Kills a process and all its descendants, including those in other process groups, before any of them can go on. */
function killWithDescendants(pid: number): void {
  const parents = new Map<number, number>();
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(")")).split(" ")[2]));
    } catch {
      // The process has ended meanwhile.
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
      // The process has ended by itself.
    }
  }
}
