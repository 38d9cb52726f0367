// npm run test:e2e -- [SUITE...] [--times N]: runs suites, all of them unless some are named, the shortest first and each in a process of
// its own. A red one does not stop the others; a table at the end says how each went.
// npm run test:quarantine: what is known to fail now and then, each five times.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  CommandError,
  optionsOrError,
  runCommand,
  table,
} from "../../operations/terminal/terminal";
import { COMMAND_LOGS, lastLines } from "../support/logs";
import { LIMIT_SECONDS, SUITES } from "./suites";

const ROOT = join(__dirname, "..", "..");
const QUARANTINE = "quarantine";

interface Result {
  readonly suite: string;
  readonly tests: string;
  readonly seconds: number;
  readonly passed: boolean;
  readonly why: string;
}

runCommand(async () => {
  const { values, positionals } = optionsOrError(["times", "quarantine"], () =>
    parseArgs({
      allowPositionals: true,
      options: {
        times: { type: "string", default: "1" },
        quarantine: { type: "boolean", default: false },
      },
    }),
  );
  const allowed = Object.keys(SUITES).sort((a, b) => SUITES[a] - SUITES[b]);
  const unknown = positionals.filter((name) => !allowed.includes(name));
  if (unknown.length > 0) {
    throw new CommandError(
      `there is no suite ${unknown.map((name) => `"${name}"`).join(", ")}: allowed are ${allowed.join(", ")}`,
    );
  }
  if (!/^[1-9]\d?$/.test(values.times)) {
    throw new CommandError(`--times is "${values.times}": give a whole number from 1 to 99`);
  }
  const named = values.quarantine ? quarantined() : positionals.length > 0 ? positionals : allowed;
  const results: Result[] = [];
  for (const suite of named) {
    for (let i = 0; i < Number(values.times); i++) {
      results.push(await run(suite));
    }
  }
  console.log(
    `\n${table([
      ["suite", "tests", "seconds", "result"],
      ...results.map(({ suite, tests, seconds, passed, why }) => [
        ...[suite, tests, String(seconds), passed ? "passed" : `FAILED${why}`],
      ]),
    ])}`,
  );
  const red = results.filter(({ passed }) => !passed);
  console.log(`\n${results.length - red.length} passed, ${red.length} failed`);
  process.exitCode = red.length === 0 ? 0 : 1;
});

function quarantined(): string[] {
  return readdirSync(join(ROOT, "__tests__", QUARANTINE))
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => join(QUARANTINE, name));
}

async function run(suite: string): Promise<Result> {
  console.log(`\n== ${suite}`);
  rmSync(COMMAND_LOGS, { recursive: true, force: true });
  mkdirSync(COMMAND_LOGS, { recursive: true });
  const report = join(COMMAND_LOGS, "report.json");
  const started = Date.now();
  const path = suite.startsWith(QUARANTINE) ? suite : `e2e/${suite}/`;
  const child = spawn(
    process.execPath,
    [
      ...[join(ROOT, "node_modules", "jest", "bin", "jest.js"), "--config", "jest.e2e.config.js"],
      ...["--json", "--outputFile", report, `__tests__/${path}`],
    ],
    // A group of its own, so that all of it can be ended. What --json prints is in the report too.
    { cwd: ROOT, detached: true, stdio: ["ignore", "ignore", "inherit"] },
  );
  const why = await ended(child);
  const seconds = Math.round((Date.now() - started) / 1000);
  const { numPassedTests = 0, numTotalTests = 0 } = existsSync(report)
    ? JSON.parse(readFileSync(report, "utf8"))
    : {};
  return {
    suite,
    tests: `${numPassedTests}/${numTotalTests}`,
    seconds,
    passed: child.exitCode === 0 && numTotalTests > 0,
    why,
  };
}

/** Waits for the end of a suite, and sees to it when its time is over: empty, or what there is to say of that. */
async function ended(child: ChildProcess): Promise<string> {
  let why = "";
  const end = (reason: string) => {
    why = reason;
    const newest = newestLog();
    if (newest) {
      console.error(`the last lines of ${newest}:\n${lastLines(readFileSync(newest, "utf8"))}`);
    }
    killWithDescendants(child.pid as number);
  };
  const timer = setTimeout(() => end(`, ended after ${LIMIT_SECONDS} s`), LIMIT_SECONDS * 1000);
  const interrupted = () => {
    end(", interrupted");
    process.exit(130);
  };
  process.once("SIGINT", interrupted);
  process.once("SIGTERM", interrupted);
  await new Promise((resolve) => child.on("close", resolve));
  clearTimeout(timer);
  process.off("SIGINT", interrupted);
  process.off("SIGTERM", interrupted);
  return why;
}

/** What the command that was started last has printed. */
function newestLog(): string | undefined {
  return readdirSync(COMMAND_LOGS)
    .filter((name) => name.endsWith(".log"))
    .map((name) => join(COMMAND_LOGS, name))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
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
