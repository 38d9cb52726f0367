import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { GREEN_FILE } from "../e2e/stale";
import { coveredBy, MOST_SECONDS, SUITES } from "../e2e/suites";
import { ROOT } from "../support/root";

const SUPPORT = "__tests__/support";
const foldersIn = (path: string) =>
  readdirSync(join(ROOT, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();

/** Returns the files that git tracks or would add, limited to some pathspecs. */
const filesOf = (...pathspecs: string[]) =>
  execFileSync("git", ["ls-files", "--", ...pathspecs], { cwd: ROOT, encoding: "utf8" })
    .trim()
    .split("\n");

test("every folder of end-to-end tests is a suite, and none takes longer than a suite may", () => {
  expect(Object.keys(SUITES).sort()).toEqual(foldersIn("__tests__/e2e"));
  expect(Object.entries(SUITES).filter(([, { seconds }]) => seconds > MOST_SECONDS)).toEqual([]);
});

describe("what suites cover", () => {
  test("is everything except files that need no server", () => {
    const covered = new Set(Object.keys(SUITES).flatMap((suite) => filesOf(...coveredBy(suite))));
    const left = filesOf(".").filter((file) => !covered.has(file));
    const folders = left.map((file) => file.split("/", file.startsWith("__tests__/") ? 2 : 1));
    expect([...new Set(folders.map((names) => names.join("/")))]).toEqual([
      ...[".ci", ".editorconfig", ".gitattributes", ".github", ".gitignore", ".nvmrc"],
      ...[".shellcheckrc", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "SECURITY.md"],
      ...["__tests__/alerts", "__tests__/catalog"],
      ...["__tests__/commands", "__tests__/constructs", "__tests__/dashboards"],
      ...["__tests__/docs", "__tests__/e2e", "__tests__/environments", "__tests__/examples"],
      ...["__tests__/lab", "__tests__/main.test.ts"],
      ...["__tests__/operations", "__tests__/policy", "__tests__/quarantine"],
      ...["__tests__/secrets", "__tests__/stacks", "__tests__/tools"],
      ...["biome.json", "tsconfig.json"],
    ]);
    // Each suite covers its folder, so that the rest belongs to all suites.
    expect(left.filter((file) => /^__tests__\/e2e\/.*\//.test(file))).toEqual([]);
  });

  test("is listed with paths that exist", () => {
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

test("green runs are recorded with full commit hashes", () => {
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

test("at most three files are in quarantine, each with a line that describes the failure", () => {
  const folder = join(ROOT, "__tests__", "quarantine");
  const files = readdirSync(folder).filter((name) => name.endsWith(".test.ts"));
  expect(files.length).toBeLessThanOrEqual(3);
  const silent = files.filter(
    (name) => !/^\/\/ Seen: \S.*$/m.test(readFileSync(join(folder, name), "utf8").split("\n")[0]),
  );
  expect(silent).toEqual([]);
});

test("the gate retries only what uses the network, and smoke, which it reports as flaky", () => {
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
