import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError, firstOf } from "../../operations/terminal/terminal";

/** The commit of each suite's last green run that was recorded, by its name. */
export const GREEN_FILE = "__tests__/e2e/green.json";

/** A suite that was not run since the last change of what it covers. */
export interface Stale {
  readonly suite: string;
  /** Of its last green run; undefined if none is recorded. */
  readonly commit?: string;
  readonly why: string;
}

const NOT_HERE =
  "this clone does not have that commit, since it was rewritten or the clone is shallow: git fetch --unshallow, or run the suite again";

/** Compares the working tree with the last green run of each of these suites, given by the git pathspecs of what it covers. */
export function findStale(
  root: string,
  covers: Readonly<Record<string, readonly string[]>>,
): Stale[] {
  const green = readGreen(root);
  return Object.entries(covers).flatMap(([suite, pathspecs]): Stale[] => {
    const commit = green[suite];
    if (commit === undefined) {
      return [{ suite, why: "no green run is recorded" }];
    }
    if (spawnSync("git", ["cat-file", "-e", `${commit}^{commit}`], { cwd: root }).status !== 0) {
      return [{ suite, commit, why: NOT_HERE }];
    }
    const changed = git(root, "diff", "--name-only", commit, "--", ...pathspecs);
    return changed.length > 0 ? [{ suite, commit, why: firstOf(changed, 2).join(", ") }] : [];
  });
}

/** The commit that the working tree is. Throws if it has changes, or files that git neither knows nor ignores. */
export function cleanCommit(root: string): string {
  const changed = git(root, "status", "--porcelain", "--", ".", `:(exclude)${GREEN_FILE}`);
  if (changed.length > 0) {
    const files = changed.map((line) => line.slice(3));
    throw new CommandError(
      `the working tree has changes (${firstOf(files, 2).join(", ")}), and a green run is recorded by its commit: commit or stash them, or leave --record out`,
    );
  }
  return git(root, "rev-parse", "HEAD")[0];
}

/** Records that a suite was green on a commit. Throws if the working tree is not that commit any more. */
export function recordGreen(root: string, suite: string, commit: string): void {
  const now = cleanCommit(root);
  if (now !== commit) {
    throw new CommandError(`it began on commit ${commit}, and the working tree is ${now} by now`);
  }
  const green = { ...readGreen(root), [suite]: commit };
  const sorted = Object.fromEntries(Object.entries(green).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(join(root, GREEN_FILE), `${JSON.stringify(sorted, null, 2)}\n`);
}

function readGreen(root: string): Record<string, string> {
  return JSON.parse(readFileSync(join(root, GREEN_FILE), "utf8"));
}

/** The lines that a git command prints. */
function git(root: string, ...args: string[]): string[] {
  return execFileSync("git", args, { cwd: root, encoding: "utf8" }).split("\n").filter(Boolean);
}
