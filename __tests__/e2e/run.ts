// npm run test:e2e -- [SUITE...] [--times N] [--record]: runs the named suites, or all of them, the shortest first and each in its own
// process. A failed suite does not stop the others. A table at the end shows every result.
// npm run test:e2e -- [SUITE...] --stale: lists the suites that were not run since the last change of the files that they cover.
// npm run test:quarantine: runs each flaky test five times.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  CommandError,
  optionsOrError,
  runCommand,
  table,
} from "../../operations/terminal/terminal";
import { COMMAND_LOGS } from "../support/logs";
import { type Outcome, runPatiently } from "./patience";
import { cleanCommit, findStale, recordGreen } from "./stale";
import { coveredBy, SHORTEST_FIRST } from "./suites";

const ROOT = join(__dirname, "..", "..");
const QUARANTINE = "quarantine";

/** How long a suite may make no progress: no test starts or ends, and nothing is written to a log. */
const PATIENCE_SECONDS = 300;

interface Result extends Pick<Outcome, "ended"> {
  readonly suite: string;
  readonly tests: string;
  readonly seconds: number;
  readonly passed: boolean;
}

runCommand(async () => {
  const { values, positionals } = optionsOrError(["times", "record", "stale", "quarantine"], () =>
    parseArgs({
      allowPositionals: true,
      options: {
        times: { type: "string", default: "1" },
        record: { type: "boolean", default: false },
        stale: { type: "boolean", default: false },
        quarantine: { type: "boolean", default: false },
      },
    }),
  );
  const unknown = positionals.filter((name) => !SHORTEST_FIRST.includes(name));
  if (unknown.length > 0) {
    throw new CommandError(
      `unknown suite ${unknown.map((name) => `"${name}"`).join(", ")}: allowed are ${SHORTEST_FIRST.join(", ")}`,
    );
  }
  if (!/^[1-9]\d?$/.test(values.times)) {
    throw new CommandError(`--times is "${values.times}": it must be an integer from 1 to 99`);
  }
  if (values.record && values.quarantine) {
    throw new CommandError(
      "--record cannot be combined with --quarantine: green runs are recorded only for suites",
    );
  }
  const suites = positionals.length > 0 ? positionals : SHORTEST_FIRST;
  if (values.stale) {
    printStale(suites);
    return;
  }
  const commit = values.record ? cleanCommit(ROOT) : undefined;
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"]) {
    process.once(name, () => interrupted.abort());
  }
  const results: Result[] = [];
  const unrecorded: string[] = [];
  for (const suite of values.quarantine ? quarantined() : suites) {
    const times: Result[] = [];
    while (times.length < Number(values.times) && !interrupted.signal.aborted) {
      times.push(await run(suite, interrupted.signal));
    }
    results.push(...times);
    if (commit && times.length === Number(values.times) && times.every(({ passed }) => passed)) {
      try {
        recordGreen(ROOT, suite, commit);
      } catch (error) {
        unrecorded.push(`green run of ${suite} is not recorded: ${(error as Error).message}`);
      }
    }
  }
  console.log(
    `\n${table([
      ["suite", "tests", "seconds", "result"],
      ...results.map(({ suite, tests, seconds, passed, ended }) => [
        ...[suite, tests, String(seconds)],
        passed ? "passed" : ["FAILED", ...(ended ? [ended.why] : [])].join(", "),
      ]),
    ])}`,
  );
  for (const { suite, ended } of results) {
    if (ended) {
      console.error(`\n${suite}: ${ended.why}; ${ended.log}`);
    }
  }
  for (const message of unrecorded) {
    console.error(`\n${message}`);
  }
  const red = results.filter(({ passed }) => !passed);
  console.log(`\n${results.length - red.length} passed, ${red.length} failed`);
  if (interrupted.signal.aborted) {
    process.exitCode = 130;
  } else {
    process.exitCode = red.length + unrecorded.length > 0 ? 1 : 0;
  }
});

function quarantined(): string[] {
  return readdirSync(join(ROOT, "__tests__", QUARANTINE))
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => join(QUARANTINE, name));
}

async function run(suite: string, signal: AbortSignal): Promise<Result> {
  console.log(`\n== ${suite}`);
  rmSync(COMMAND_LOGS, { recursive: true, force: true });
  mkdirSync(COMMAND_LOGS, { recursive: true });
  const report = join(COMMAND_LOGS, "report.json");
  const progressFile = join(COMMAND_LOGS, "progress.txt");
  const started = Date.now();
  const path = suite.startsWith(QUARANTINE) ? suite : `e2e/${suite}/`;
  const { exitCode, ended } = await runPatiently({
    command: process.execPath,
    args: [
      ...[
        join(ROOT, "node_modules", "jest", "bin", "jest.js"),
        "--config",
        "tools/jest.e2e.config.js",
      ],
      ...["--testEnvironmentOptions", JSON.stringify({ progressFile })],
      // Prints to standard output too, which runPatiently ignores.
      ...["--json", "--outputFile", report, `__tests__/${path}`],
    ],
    cwd: ROOT,
    logs: COMMAND_LOGS,
    progressFile,
    patienceSeconds: PATIENCE_SECONDS,
    signal,
  });
  const { numPassedTests, numTotalTests } = existsSync(report)
    ? JSON.parse(readFileSync(report, "utf8"))
    : { numPassedTests: "?", numTotalTests: "?" };
  return {
    suite,
    tests: `${numPassedTests}/${numTotalTests}`,
    seconds: Math.round((Date.now() - started) / 1000),
    passed: exitCode === 0 && numTotalTests > 0,
    ended,
  };
}

/** Prints the stale suites, and sets exit code 1 if there are any. */
function printStale(names: readonly string[]): void {
  const stale = findStale(ROOT, Object.fromEntries(names.map((name) => [name, coveredBy(name)])));
  if (stale.length > 0) {
    console.log(
      table([
        ["suite", "last green run", "changed since"],
        ...stale.map(({ suite, commit, why }) => [suite, commit?.slice(0, 7) ?? "-", why]),
      ]),
    );
    process.exitCode = 1;
  }
  console.log(
    `${stale.length > 0 ? "\n" : ""}${names.length - stale.length} green, ${stale.length} stale`,
  );
}
