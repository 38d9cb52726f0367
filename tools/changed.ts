// Selects the tests that a change affects. Imports are not enough: tests read scripts, configuration, dashboards, rules and pages by name.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { CommandError, firstOf, table } from "../operations/terminal/terminal";

/** Test files of `npm test`. */
const TEST = /^__tests__\/(?!e2e\/|quarantine\/).*\.test\.ts$/;
/** Rules for every file. */
const POLICY = /^__tests__\/policy\/(architecture|suites)\.test\.ts$/;
const CODE = /\.(ts|mjs|js)$/;
const PAGE = /\.md$/;
/** What the catalog reads, and what containers are given. */
const CONTENT = /^(alerts|catalog|constructs|dashboards)\/(?!.*\.(ts|mjs|js)$)/;
/** Tests that look into what all containers are given. */
const CHECK = /^__tests__\/(policy\/containers|stacks\/secured-observability-stack)\.test\.ts$/;
/** What a test has that looks into what a container is given. */
const LOOKS_INSIDE = /\b(content|fileOf|source_hash|upload)\b/;
const READS_FILES = /\b(exists|readdir|readFile)Sync\b|\breadOwnFile\b/;
const ENVIRONMENT = /^export const (\w+)(?:: Environment = |[\s\S]*\bsatisfies Environment;$)/m;
/** What every test rests on: files of the root, unless they are pages, and what jest runs the tests in. */
const BASE =
  /^(?!.*\.md$)[^/]+$|^(tools\/register|tools\/jest\.e2e\.config|__tests__\/support\/environment)\.js$/;

const MOST_LINES = 20;

/** The text of each file, by its path from the project's root. That of a file that is no code may be empty. */
export type Project = ReadonlyMap<string, string>;

/** The readers of each file. */
type Readers = ReadonlyMap<string, readonly string[]>;

interface Spread {
  readonly readers: Readers;
  /** Files that load another one by name: the program loads a command when it runs, the list of environments loads each. */
  readonly byName: Readers;
}

export interface Selection {
  /** Paths of test files. */
  readonly tests: readonly string[];
  /** Says what was compared, and what runs for which file. */
  readonly summary: string;
}

/**
 * Selects the tests that the uncommitted changes of a working tree touch, or those of its last commit if there are none. Throws where there is
 * nothing to compare with.
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

/** The files that differ, and from what. */
function changesOf(root: string): { readonly title: string; readonly files: readonly string[] } {
  const differing = (...revisions: string[]) =>
    git(root, "diff", "--name-only", "--no-renames", "--relative", "-z", ...revisions);
  const untracked = git(root, "ls-files", "-z", "--others", "--exclude-standard");
  const uncommitted = [...differing("HEAD"), ...untracked];
  const [head] = git(root, "log", "-1", "--format=%h (%s)");
  if (uncommitted.length > 0) {
    return { title: `Uncommitted changes since ${head}:`, files: uncommitted };
  }
  // The first one of a merge.
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

/** Reads the code of the files that git tracks or would track. @internal */
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
      `git does not say what has changed: ${stderr?.trim() || "there is no git on the PATH"}`,
    );
  }
  return stdout.trim().split("\0").filter(Boolean);
}

/**
 * The test files that a change of each of these files touches: those that import or name it, directly or by way of what they import, and the
 * rules for every file. All of them if no test is known to read the file.
 *
 * @internal
 */
export function touchedBy(
  project: Project,
  changed: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const tests = [...project.keys()].filter((path) => TEST.test(path));
  // A file that was removed is still named.
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
  // Data of a module is as its code.
  const isImported = readers.some((reader) =>
    textOf(reader).includes(` from "./${basename(file)}"`),
  );
  if (isImported || !(PAGE.test(file) || CONTENT.test(file))) {
    return [...reach(project, file, spread)];
  }
  const owners = readers.filter((reader) => reader.endsWith(".ts") && !isOfTests(reader));
  // Who shows the name of a page does not read it, and shows a name of nothing when it was removed.
  const isPage = PAGE.test(file) && project.has(file);
  const reading = isPage ? owners.filter((owner) => READS_FILES.test(textOf(owner))) : owners;
  const names = reading.map((owner) => basename(owner.replace(/(\/index)?\.\w+$/, "")));
  // What a container is given lies beside its construct.
  const isGiven =
    file.startsWith("constructs/") && reading.some((owner) => dirname(owner) === dirname(file));
  // A test that loads the owner of the file for something else does not name it, or does not look into what a container is given. A script is
  // looked at by its own name.
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

/** A file, what reads it, or these of its readers, what reads that, and so on. Of what is read by name the tests alone that have the name. */
function reach(
  project: Project,
  file: string,
  { readers, byName }: Spread,
  first = readers.get(file) ?? [],
): ReadonlySet<string> {
  const reached = new Set([file, ...first]);
  // A set goes through what is added meanwhile, too.
  for (const one of reached) {
    // What names a test does not run it.
    const isEnd = one === file || one.endsWith(".test.ts");
    for (const reader of isEnd ? [] : (readers.get(one) ?? [])) {
      reached.add(reader);
    }
  }
  for (const one of [...reached].filter((path) => !path.endsWith(".test.ts") && byName.has(path))) {
    // Each once, since a command may lead to the program that loads it.
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

/** How a test names a command or an environment, or all environments. */
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
  // A folder beside a module of its name is the module's.
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

/** What suites cover is listed, and not read. */
const isReading = (path: string) => CODE.test(path) && path !== "__tests__/e2e/suites.ts";

function isByName(project: Project, reader: string, file: string): boolean {
  const [listed, text] = [project.get(reader) ?? "", project.get(file) ?? ""];
  const isProgram = reader.startsWith("commands/program/");
  if (isOfTests(file)) {
    return isProgram;
  }
  const [, constant] = ENVIRONMENT.exec(text) ?? [];
  if (constant !== undefined) {
    // The one that is taken when none is named is everybody's.
    const isDefault = new RegExp(`\\b${constant}\\.`).test(listed);
    return isProgram || (reader === "environments/index.ts" && !isDefault);
  }
  return isProgram && /^commands\/[^/]+\.ts$/.test(file) && nameOf(file).test(listed);
}

/** Makes a function that finds the files that a file of code imports or names in its text. */
function finderOf(paths: readonly string[]): (reader: string, text: string) => Set<string> {
  const known = new Set(paths);
  const byName = groupBy(paths, (path) => [basename(path)]);
  const byFolder = groupBy(paths, foldersOf);

  const moduleAt = (path: string): readonly string[] =>
    [path, `${path}.ts`, join(path, "index.ts")].filter((candidate) => known.has(candidate));

  /** The file there, or all of the folder. A folder of code is named as the place of its files, one beside a module in place of that. */
  const at = (path: string): readonly string[] => {
    const files = byFolder.get(path) ?? [];
    const isModule = known.has(`${path}.ts`) || files.some((file) => file.endsWith(".ts"));
    return known.has(path) ? [path] : isModule ? [] : files;
  };

  /** The file with that name, or end of a path: the one beside, the one from the root, or any. */
  const named = (folder: string, name: string): readonly string[] => {
    // A file in a container has the name of the file that it comes from.
    const end = name.startsWith("/") ? basename(name) : name;
    const files = (byName.get(basename(name)) ?? []).filter((path) =>
      `/${path}`.endsWith(`/${end}`),
    );
    const one = [join(folder, basename(name)), end].find((path) => files.includes(path));
    if (one || !/[./]/.test(end)) {
      return one ? [one] : [];
    }
    // Many modules are called index.ts.
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
      // Modules that are loaded by a path of the project.
      ...joinedIn(code).flatMap(moduleAt),
    ]);
    found.delete(reader);
    return found;
  };
}

/** The paths that are given in parts, `join(ROOT, "docs", "reference")`. */
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
