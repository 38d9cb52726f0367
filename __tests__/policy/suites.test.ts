import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { GREEN_FILE } from "../e2e/stale";
import { coveredBy, MOST_SECONDS, SHORTEST_FIRST, SUITES } from "../e2e/suites";
import { ROOT } from "../support/root";

const SUPPORT = "__tests__/support";
const foldersIn = (path: string) =>
  readdirSync(join(ROOT, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();

/** The files of the project that git knows, of some pathspecs alone. */
const filesOf = (...pathspecs: string[]) =>
  execFileSync("git", ["ls-files", "--", ...pathspecs], { cwd: ROOT, encoding: "utf8" })
    .trim()
    .split("\n");

test("every folder of end-to-end tests is a suite, and none takes longer than a suite may", () => {
  expect(Object.keys(SUITES).sort()).toEqual(foldersIn("__tests__/e2e"));
  expect(Object.entries(SUITES).filter(([, { seconds }]) => seconds > MOST_SECONDS)).toEqual([]);
});

describe("what suites cover", () => {
  test("is everything but what no server is needed for", () => {
    const covered = new Set(Object.keys(SUITES).flatMap((suite) => filesOf(...coveredBy(suite))));
    const left = filesOf(".").filter((file) => !covered.has(file));
    const folders = left.map((file) => file.split("/", file.startsWith("__tests__/") ? 2 : 1));
    expect([...new Set(folders.map((names) => names.join("/")))]).toEqual([
      ...[".ci", ".editorconfig", ".gitattributes", ".github", ".gitignore", ".nvmrc"],
      ...[".shellcheckrc", "__tests__/alerts", "__tests__/catalog"],
      ...["__tests__/commands", "__tests__/constructs", "__tests__/dashboards"],
      ...["__tests__/docs", "__tests__/e2e", "__tests__/environments", "__tests__/examples"],
      ...["__tests__/lab", "__tests__/main.test.ts"],
      ...["__tests__/operations", "__tests__/policy", "__tests__/quarantine"],
      ...["__tests__/secrets", "__tests__/stacks", "__tests__/tools"],
      ...["biome.json", "tsconfig.json"],
    ]);
    // A suite's folder is covered, so that what is left is of all suites.
    expect(left.filter((file) => /^__tests__\/e2e\/.*\//.test(file))).toEqual([]);
  });

  test("is named by paths that are there", () => {
    const paths = Object.keys(SUITES).flatMap(coveredBy);
    const named = new Set(paths.map((path) => path.replace(":(exclude)", "")));
    expect([...named].filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test.each(Object.keys(SUITES))(
    "has all that the tests of %s import of their support",
    (suite) => {
      const imported = new Set<string>();
      const follow = (file: string) => {
        const text = readFileSync(join(ROOT, file), "utf8");
        const names = file.startsWith(SUPPORT)
          ? text.matchAll(/ from "\.\/([\w-]+)"/g)
          : text.matchAll(/ from "\.\.\/\.\.\/support\/([\w-]+)"/g);
        for (const [, name] of names) {
          const found = `${SUPPORT}/${name}.ts`;
          if (!imported.has(found)) {
            imported.add(found);
            follow(found);
          }
        }
      };
      filesOf(`__tests__/e2e/${suite}`).forEach(follow);
      const covered = filesOf(...coveredBy(suite));
      expect([...imported].filter((file) => !covered.includes(file))).toEqual([]);
    },
  );
});

test("green runs are recorded by whole commits", () => {
  const recorded = JSON.parse(readFileSync(join(ROOT, GREEN_FILE), "utf8"));
  const wrong = Object.entries(recorded).filter(
    ([, commit]) => !/^[0-9a-f]{40}$/.test(String(commit)),
  );
  expect(wrong).toEqual([]);
});

test("the nightly workflow runs every suite", () => {
  const { jobs } = parse(readFileSync(join(ROOT, ".github", "workflows", "nightly.yml"), "utf8"));
  expect(jobs.suite.strategy.matrix.suite).toEqual(Object.keys(SUITES));
});

test("at most three files are in quarantine, each with a line that says what was seen", () => {
  const folder = join(ROOT, "__tests__", "quarantine");
  const files = readdirSync(folder).filter((name) => name.endsWith(".test.ts"));
  expect(files.length).toBeLessThanOrEqual(3);
  const silent = files.filter(
    (name) => !/^\/\/ Seen: \S.*$/m.test(readFileSync(join(folder, name), "utf8").split("\n")[0]),
  );
  expect(silent).toEqual([]);
});

test("the gate retries nothing but what uses the network, and smoke, of which it says so", () => {
  const gate = readFileSync(join(ROOT, ".ci", "run"), "utf8");
  expect([...gate.matchAll(/^stage ("[^"]+"|\S+)/gm)].map(([, name]) => name)).toEqual([
    ...["prepare", "lint", '"npm test"', "lab", "smoke"],
  ]);
  expect(gate.match(/^ *printf '\\nFLAKY/gm)).toHaveLength(1);
  for (const config of ["package.json", "tools/jest.e2e.config.js"]) {
    expect(readFileSync(join(ROOT, config), "utf8")).not.toContain("retry");
  }
  const again = (readdirSync(join(ROOT, "__tests__"), { recursive: true }) as string[])
    .filter((file) => file.endsWith(".ts"))
    .filter((file) => /retry(Times)\(/.test(readFileSync(join(ROOT, "__tests__", file), "utf8")));
  expect(again).toEqual([]);
});

describe("npm run test:e2e", () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ["commands/groundwork.mjs", "test:e2e", ...args], {
      cwd: ROOT,
      encoding: "utf8",
    });

  test("names the suites that there are when one is not", () => {
    const { status, stderr } = run("smoek", "lifecycle");
    expect(status).toBe(1);
    expect(stderr).toBe(`\nthere is no suite "smoek": allowed are ${SHORTEST_FIRST.join(", ")}\n`);
  });

  test("names those that are stale, and fails if there are any", () => {
    const { status, stdout } = run("smoke", "--stale");
    const [, stale] = /(\d) green, (\d) stale\n$/.exec(stdout)?.slice(1).map(Number) ?? [];
    expect(status).toBe(stale);
    expect(/^smoke /m.test(stdout)).toBe(stale === 1);
  });

  test("takes a whole number of times", () => {
    expect(run("smoke", "--times", "0").stderr).toBe(
      '\n--times is "0": give a whole number from 1 to 99\n',
    );
  });
});

// "begun" is said with the file's name, as one jest runs all of them.
const BEGUN = 'console.log("begun", require("node:path").basename(__filename))';
const FAILS_IN_A_TEST = `test("a", () => {}); test("b", () => { throw new Error("b"); }); test("c", () => {});
  describe("d", () => { beforeAll(() => ${BEGUN}); test("e", () => {}); });`;
const FAILS_AS_IT_BEGINS = `beforeAll(() => { throw new Error("no engine"); });
  test("a", () => ${BEGUN}); describe("d", () => { beforeAll(() => ${BEGUN}); test("e", () => ${BEGUN}); });`;

describe("of a file of tests with real servers jest runs", () => {
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
      "nothing after its first failure",
      "dependent.test.js",
      { states: ["passed", "failed", "pending", "pending"], why: "b", begun: 0 },
    ],
    [
      "all of them where they say that they are independent",
      "independent.test.js",
      { states: ["passed", "failed", "passed", "passed"], why: "b", begun: 1 },
    ],
    [
      "none where what is set up for them fails, and says why of each",
      "unprepared.test.js",
      { states: ["failed", "failed"], why: "no engine", begun: 0 },
    ],
  ])("%s", (_, file, { states, why, begun }) => {
    const [{ assertionResults, message }] = results.filter(({ name }) => name.endsWith(`/${file}`));
    expect(assertionResults.map(({ status }) => status)).toEqual(states);
    expect(message).toContain(why);
    expect(said.split(`begun ${file}`).length - 1).toBe(begun);
  });

  test("and writes what begins and ends, of tests and of what is set up for them", () => {
    // jest has a beforeEach of its own.
    const progress = readFileSync(progressFile, "utf8").replace(/^.* beforeEach of .*\n/gm, "");
    const times = (...lines: string[]) => progress.split(`${lines.join("\n")}\n`).length - 1;
    expect([
      times('in test "a"', 'after test "a"', 'in test "b"', 'after test "b"'),
      times('in beforeAll of "d"', 'after beforeAll of "d"', 'in test "d e"', 'after test "d e"'),
      times('in beforeAll of "unprepared.test.js"', 'after beforeAll of "unprepared.test.js"'),
    ]).toEqual([2, 1, 1]);
  });
});
