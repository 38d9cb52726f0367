// npm run test:e2e -- [SUITE...] [--times N]: runs suites, all of them unless some are named, the shortest first and each in a process of
// its own. A red one does not stop the others; a table at the end says how each went.
// npm run test:quarantine: what is known to fail now and then, each five times.

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
import { SHORTEST_FIRST } from "./suites";

const ROOT = join(__dirname, "..", "..");
const QUARANTINE = "quarantine";

/** How long nothing of a suite may move: no test begins or ends, and nothing is written to a log. */
const PATIENCE_SECONDS = 300;

interface Result extends Pick<Outcome, "ended"> {
  readonly suite: string;
  readonly tests: string;
  readonly seconds: number;
  readonly passed: boolean;
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
  const unknown = positionals.filter((name) => !SHORTEST_FIRST.includes(name));
  if (unknown.length > 0) {
    throw new CommandError(
      `there is no suite ${unknown.map((name) => `"${name}"`).join(", ")}: allowed are ${SHORTEST_FIRST.join(", ")}`,
    );
  }
  if (!/^[1-9]\d?$/.test(values.times)) {
    throw new CommandError(`--times is "${values.times}": give a whole number from 1 to 99`);
  }
  const suites = positionals.length > 0 ? positionals : SHORTEST_FIRST;
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"]) {
    process.once(name, () => interrupted.abort());
  }
  const results: Result[] = [];
  for (const suite of values.quarantine ? quarantined() : suites) {
    for (let i = 0; i < Number(values.times) && !interrupted.signal.aborted; i++) {
      results.push(await run(suite, interrupted.signal));
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
  const red = results.filter(({ passed }) => !passed);
  console.log(`\n${results.length - red.length} passed, ${red.length} failed`);
  if (interrupted.signal.aborted) {
    process.exitCode = 130;
  } else {
    process.exitCode = red.length > 0 ? 1 : 0;
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
      ...[join(ROOT, "node_modules", "jest", "bin", "jest.js"), "--config", "jest.e2e.config.js"],
      ...["--testEnvironmentOptions", JSON.stringify({ progressFile })],
      // What --json prints is in the report too.
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
