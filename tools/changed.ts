// Selects the tests that a change affects. Imports are not enough: code reads scripts, configuration, dashboards, rules and pages by name.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { CommandError, firstOf, table } from "../operations/terminal/terminal";

/** The test files of `npm test`. */
const TEST = /^__tests__\/(?!e2e\/|quarantine\/).*\.test\.ts$/;
/** Tests with rules for every file. */
const POLICY = /^__tests__\/policy\/(architecture|suites)\.test\.ts$/;
const CODE = /\.(ts|mjs|js)$/;
const PAGE = /\.md$/;
/** Files that the catalog reads or that containers are given. */
const CONTENT = /^(alerts|catalog|constructs|dashboards)\/(?!.*\.(ts|mjs|js)$)/;
/** Tests that inspect the files of all containers. */
const CHECK = /^__tests__\/(policy\/containers|stacks\/secured-observability-stack)\.test\.ts$/;
/** Matches a test that inspects the files of a container. */
const LOOKS_INSIDE = /\b(content|fileOf|source_hash|upload)\b/;
const READS_FILES = /\b(exists|readdir|readFile)Sync\b|\breadOwnFile\b/;
const ENVIRONMENT = /^export const (\w+)(?:: Environment = |[\s\S]*\bsatisfies Environment;$)/m;
/** Files that affect every test: those in the root except pages, and jest's setup. */
const BASE =
  /^(?!.*\.md$)[^/]+$|^(tools\/register|tools\/jest\.e2e\.config|__tests__\/support\/environment)\.js$/;

const MOST_LINES = 20;

/** The text of each file, by its path from the project root. May be empty for files without code. */
export type Project = ReadonlyMap<string, string>;

/** For each file, the files that read it. */
type Readers = ReadonlyMap<string, readonly string[]>;

interface Spread {
  readonly readers: Readers;
  /** Readers that load a file only by name: the program loads the command that runs, and the list of environments has each one. */
  readonly byName: Readers;
}

export interface Selection {
  /** The paths of the test files to run. */
  readonly tests: readonly string[];
  /** A text that says what was compared, and how many test files each change selects. */
  readonly summary: string;
}

/**
 * Selects the tests that the uncommitted changes of a working tree affect, or those of its last commit if there are none. Throws if
 * there is nothing to compare with.
 */
export function selectChanged(root: string): Selection {
  const { title, files } = changesOf(root);
  const project = readProject(root);
  const all = [...project.keys()].filter((path) => TEST.test(path));
  const touched = touchedBy(project, files);
  const tests = all.filter((test) => [...touched.values()].some((some) => some.includes(test)));
  const rows = [...touched].map(([file, some]) => [
    `  ${file}`,
    some.length === all.length ? "all test files" : counted(some.length),
  ]);
  return {
    tests,
    summary: [
      title,
      ...firstOf(table(rows).split("\n"), MOST_LINES),
      `${tests.length} of ${all.length} test files run. npm test runs all of them.\n`,
    ].join("\n"),
  };
}

function counted(tests: number): string {
  return tests === 1 ? "1 test file" : `${tests || "no"} test files`;
}

/** Returns the changed files, and a title that says what they were compared with. */
function changesOf(root: string): { readonly title: string; readonly files: readonly string[] } {
  const differing = (...revisions: string[]) =>
    git(root, "diff", "--name-only", "--no-renames", "--relative", "-z", ...revisions);
  const untracked = git(root, "ls-files", "-z", "--others", "--exclude-standard");
  const uncommitted = [...differing("HEAD"), ...untracked];
  const [head] = git(root, "log", "-1", "--format=%h (%s)");
  if (uncommitted.length > 0) {
    return { title: `Uncommitted changes since ${head}:`, files: uncommitted };
  }
  // A merge has several parents. Uses the first one.
  const [parent] = git(root, "log", "-1", "--format=%p").flatMap((parents) => parents.split(" "));
  const files = parent ? differing(parent, "HEAD") : [];
  if (files.length === 0) {
    const why = parent
      ? `commit ${head} changes no file: npm test runs all tests`
      : `there is no commit before ${head} to compare it with: npm test runs all tests, or git fetch --unshallow first if this clone is shallow`;
    throw new CommandError(`nothing is uncommitted, and ${why}`);
  }
  return { title: `Nothing is uncommitted. Changes of the last commit, ${head}:`, files };
}

/** Reads the code of all files that git tracks or would add. @internal */
export function readProject(root: string): Project {
  const paths = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard");
  return new Map(
    paths
      .filter((path) => existsSync(join(root, path)))
      .map((path) => [path, CODE.test(path) ? readFileSync(join(root, path), "utf8") : ""]),
  );
}

/** Returns the output of a git command, split at NUL bytes. Throws with git's own message. */
function git(root: string, ...args: string[]): string[] {
  const { status, stdout, stderr } = spawnSync("git", args, { cwd: root, encoding: "utf8" });
  if (status !== 0) {
    throw new CommandError(
      `cannot list changes with git: ${stderr?.trim() || "git is not on the PATH"}`,
    );
  }
  return stdout.trim().split("\0").filter(Boolean);
}

/**
 * Returns the test files that each changed file affects: those that import or name it, directly or through other files, and those
 * with rules for every file. Returns all test files for a file that no test is known to read.
 *
 * @internal
 */
export function touchedBy(
  project: Project,
  changed: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const tests = [...project.keys()].filter((path) => TEST.test(path));
  // Includes removed files, since others may still name them.
  const spread = spreadOf(project, [...new Set([...project.keys(), ...changed])]);
  return new Map(
    changed.map((file) => {
      const touched = touchedByOne(project, file, spread).filter((path) => TEST.test(path));
      const isKnown = touched.length > 0 || CODE.test(file) || isOfTests(file);
      return [
        file,
        isKnown && !BASE.test(file)
          ? tests.filter((test) => touched.includes(test) || POLICY.test(test))
          : tests,
      ];
    }),
  );
}

function touchedByOne(project: Project, file: string, spread: Spread): string[] {
  const readers = spread.readers.get(file) ?? [];
  const textOf = (path: string) => project.get(path) ?? "";
  // Data that a module imports counts as its code.
  const isImported = readers.some((reader) =>
    textOf(reader).includes(` from "./${basename(file)}"`),
  );
  if (isImported || !(PAGE.test(file) || CONTENT.test(file))) {
    return [...reach(project, file, spread)];
  }
  const owners = readers.filter((reader) => reader.endsWith(".ts") && !isOfTests(reader));
  // A file that only links to a page does not read it. If the page was removed, the link is broken, so the file counts.
  const isPage = PAGE.test(file) && project.has(file);
  const reading = isPage ? owners.filter((owner) => READS_FILES.test(textOf(owner))) : owners;
  const names = reading.map((owner) => basename(owner.replace(/(\/index)?\.\w+$/, "")));
  // The files of a container are in the folder of its construct.
  const isGiven =
    file.startsWith("constructs/") && reading.some((owner) => dirname(owner) === dirname(file));
  // Skips tests that load the file's owner for another reason: they do not name it, or do not inspect the container's files. A script
  // counts only by its own name.
  const looks = ([, text]: readonly [string, string]) =>
    names.some((name) => text.includes(name)) &&
    (!isGiven || (LOOKS_INSIDE.test(text) && !file.endsWith(".sh")));
  const byOwners = [...reach(project, file, spread, reading)]
    .map((path) => [path, textOf(path)] as const)
    .filter((test) => CHECK.test(test[0]) || looks(test));
  return [
    ...reach(project, file, spread, readers.filter(isOfTests)),
    ...byOwners.map(([path]) => path),
  ];
}

const isOfTests = (path: string) => path.startsWith("__tests__/");

/**
 * Returns a file, its readers (or only those in `first`), their readers, and so on. Of the readers by name, includes only tests that
 * use the name.
 */
function reach(
  project: Project,
  file: string,
  { readers, byName }: Spread,
  first = readers.get(file) ?? [],
): ReadonlySet<string> {
  const reached = new Set([file, ...first]);
  // Iterating over a set includes what is added meanwhile.
  for (const one of reached) {
    // A file that names a test does not run it.
    const isEnd = one === file || one.endsWith(".test.ts");
    for (const reader of isEnd ? [] : (readers.get(one) ?? [])) {
      reached.add(reader);
    }
  }
  for (const one of [...reached].filter((path) => !path.endsWith(".test.ts") && byName.has(path))) {
    // Without this file, since a command may reach the program that loads it.
    const others = new Map([...byName].filter(([path]) => path !== one));
    const named = reach(project, one, { readers, byName: others }, byName.get(one));
    const name = nameOf(one);
    for (const test of named) {
      if (test.endsWith(".test.ts") && name.test(project.get(test) ?? "")) {
        reached.add(test);
      }
    }
  }
  return reached;
}

/** Returns a pattern for how tests name a command, an environment, or all environments. */
function nameOf(file: string): RegExp {
  if (isOfTests(file)) {
    return /"test:e2e"/;
  }
  const name = basename(file, ".ts").replace(/-/g, "[-:]");
  return file.startsWith("commands/")
    ? new RegExp(`("|run |groundwork )${name}\\b`)
    : new RegExp(`(?<!NODE_ENV: ")\\b${name}\\b|[eE]nvironments\\b(?!["/\\\\]|\\.\\w| \\})`);
}

function spreadOf(project: Project, paths: readonly string[]): Spread {
  const find = finderOf(paths);
  // A folder belongs to the module of the same name next to it.
  const readers = new Map(
    paths.map((path) => [path, [`${dirname(path)}.ts`].filter((owner) => project.has(owner))]),
  );
  const byName = new Map<string, string[]>();
  for (const [reader, text] of project) {
    for (const file of isReading(reader) ? find(reader, text) : []) {
      const edges = isByName(project, reader, file) ? byName : readers;
      edges.set(file, [...(edges.get(file) ?? []), reader]);
    }
  }
  return { readers, byName };
}

/** Excludes suites.ts, which lists paths and does not read them. */
const isReading = (path: string) => CODE.test(path) && path !== "__tests__/e2e/suites.ts";

function isByName(project: Project, reader: string, file: string): boolean {
  const [listed, text] = [project.get(reader) ?? "", project.get(file) ?? ""];
  const isProgram = reader.startsWith("commands/program/");
  if (isOfTests(file)) {
    return isProgram;
  }
  const [, constant] = ENVIRONMENT.exec(text) ?? [];
  if (constant !== undefined) {
    // The default environment affects everything.
    const isDefault = new RegExp(`\\b${constant}\\.`).test(listed);
    return isProgram || (reader === "environments/index.ts" && !isDefault);
  }
  return isProgram && /^commands\/[^/]+\.ts$/.test(file) && nameOf(file).test(listed);
}

/** Returns a function that finds the files that a code file imports or names. */
function finderOf(paths: readonly string[]): (reader: string, text: string) => Set<string> {
  const known = new Set(paths);
  const byName = groupBy(paths, (path) => [basename(path)]);
  const byFolder = groupBy(paths, foldersOf);

  const moduleAt = (path: string): readonly string[] =>
    [path, `${path}.ts`, join(path, "index.ts")].filter((candidate) => known.has(candidate));

  /** Returns the file at a path, or all files of a folder. Ignores folders of code and folders of a module: their names stand for the files. */
  const at = (path: string): readonly string[] => {
    const files = byFolder.get(path) ?? [];
    const isModule = known.has(`${path}.ts`) || files.some((file) => file.endsWith(".ts"));
    return known.has(path) ? [path] : isModule ? [] : files;
  };

  /** Returns the files with that name or end of a path: the one in the same folder, else the one from the root, else all. */
  const named = (folder: string, name: string): readonly string[] => {
    // An absolute path is in a container, where a file has the name of its source.
    const end = name.startsWith("/") ? basename(name) : name;
    const files = (byName.get(basename(name)) ?? []).filter((path) =>
      `/${path}`.endsWith(`/${end}`),
    );
    const one = [join(folder, basename(name)), end].find((path) => files.includes(path));
    if (one || !/[./]/.test(end)) {
      return one ? [one] : [];
    }
    // Modules such as index.ts share a name, so a bare name is ambiguous.
    return files.filter((path) => end.includes("/") || files.length === 1 || !CODE.test(path));
  };

  return (reader, text) => {
    const folder = dirname(reader);
    const code = text.replace(/^ *\/\*[\s\S]*?\*\/|^ *\/\/.*|^import type [^;]*;/gm, "");
    const names = [...code.matchAll(/[\w@./-]+/g)].map(([name]) => name);
    const found = new Set([
      ...at(join(folder, "__snapshots__", `${basename(reader)}.snap`)),
      ...names.flatMap((name) => named(folder, name)),
      ...names
        .filter((name) => name.startsWith("."))
        .flatMap((name) => moduleAt(join(folder, name))),
      ...[...names.filter((name) => name.includes("/")), ...joinedIn(code)].flatMap((path) => [
        ...at(join(path, ".").replace(/^(\.\.\/)+/, "")),
        ...at(join(folder, path, ".")),
      ]),
      // Modules that are loaded by a path from the project root.
      ...joinedIn(code).flatMap(moduleAt),
    ]);
    found.delete(reader);
    return found;
  };
}

/** Returns the paths that code joins from parts, as in `join(ROOT, "docs", "reference")`. */
function joinedIn(code: string): string[] {
  const calls = code.matchAll(/\bjoin\(\s*(?:[\w.]+,\s*)?((?:"[^"]*",?\s*)+)\)/g);
  return [...calls].map(([, parts]) => join(...parts.split(/"[,\s]*"?/).filter(Boolean)));
}

function foldersOf(path: string): string[] {
  const folder = dirname(path);
  return folder === "." ? [] : [folder, ...foldersOf(folder)];
}

function groupBy(
  paths: readonly string[],
  keysOf: (path: string) => readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const path of paths) {
    for (const key of keysOf(path)) {
      groups.set(key, [...(groups.get(key) ?? []), path]);
    }
  }
  return groups;
}
