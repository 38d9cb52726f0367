import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "./root";

// "begun" is printed with the file's name, since one jest runs all files.
const BEGUN = 'console.log("begun", require("node:path").basename(__filename))';
const FAILS_IN_A_TEST = `test("a", () => {}); test("b", () => { throw new Error("b"); }); test("c", () => {});
  describe("d", () => { beforeAll(() => ${BEGUN}); test("e", () => {}); });`;
const FAILS_AS_IT_BEGINS = `beforeAll(() => { throw new Error("no engine"); });
  test("a", () => ${BEGUN}); describe("d", () => { beforeAll(() => ${BEGUN}); test("e", () => ${BEGUN}); });`;

describe("for a file of tests with real servers, jest", () => {
  const files = {
    "dependent.test.js": FAILS_IN_A_TEST,
    "independent.test.js": `/** @jest-environment-options {"independent": true} */${FAILS_IN_A_TEST}`,
    "unprepared.test.js": FAILS_AS_IT_BEGINS,
  };
  const folder = mkdtempSync(join(tmpdir(), "chain-"));
  const progressFile = join(folder, "progress.txt");
  let results: { name: string; message: string; assertionResults: { status: string }[] }[];
  let said: string;
  beforeAll(() => {
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(folder, name), text);
    }
    const config = {
      rootDir: folder,
      testEnvironment: join(ROOT, "__tests__", "support", "chain.js"),
      transform: {},
    };
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [
        ...[join(ROOT, "node_modules", "jest", "bin", "jest.js"), "--json", "--runInBand"],
        ...["--config", JSON.stringify(config)],
        ...["--testEnvironmentOptions", JSON.stringify({ progressFile })],
      ],
      { cwd: folder, encoding: "utf8" },
    );
    results = JSON.parse(stdout).testResults;
    said = stderr;
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each<[string, keyof typeof files, { states: string[]; why: string; begun: number }]>([
    [
      "runs nothing after its first failure",
      "dependent.test.js",
      { states: ["passed", "failed", "pending", "pending"], why: "b", begun: 0 },
    ],
    [
      "runs all tests if the file says that they are independent",
      "independent.test.js",
      { states: ["passed", "failed", "passed", "passed"], why: "b", begun: 1 },
    ],
    [
      "runs no test if the setup fails, and reports the reason for each",
      "unprepared.test.js",
      { states: ["failed", "failed"], why: "no engine", begun: 0 },
    ],
  ])("%s", (_, file, { states, why, begun }) => {
    const [{ assertionResults, message }] = results.filter(({ name }) => name.endsWith(`/${file}`));
    expect(assertionResults.map(({ status }) => status)).toEqual(states);
    expect(message).toContain(why);
    expect(said.split(`begun ${file}`).length - 1).toBe(begun);
  });

  test("records the start and end of every test and setup", () => {
    // jest has its own beforeEach.
    const progress = readFileSync(progressFile, "utf8").replace(/^.* beforeEach of .*\n/gm, "");
    const times = (...lines: string[]) => progress.split(`${lines.join("\n")}\n`).length - 1;
    expect([
      times('in test "a"', 'after test "a"', 'in test "b"', 'after test "b"'),
      times('in beforeAll of "d"', 'after beforeAll of "d"', 'in test "d e"', 'after test "d e"'),
      times('in beforeAll of "unprepared.test.js"', 'after beforeAll of "unprepared.test.js"'),
    ]).toEqual([2, 1, 1]);
  });
});
