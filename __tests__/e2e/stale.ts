import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError, firstOf } from "../../operations/terminal/terminal";

/** The file with the commit of each suite's last recorded green run, by name. */
export const GREEN_FILE = "__tests__/e2e/green.json";

/** A suite that was not run since the last change of the files that it covers. */
export interface Stale {
  readonly suite: string;
  /** The commit of its last green run. Undefined if none is recorded. */
  readonly commit?: string;
  readonly why: string;
}

const NOT_HERE =
  "this clone does not have that commit, since it was rewritten or the clone is shallow: run git fetch --unshallow, or run the suite again";

/** Finds stale suites: compares the working tree with the last green run of each. Takes the git pathspecs that each suite covers. */
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

/** Returns the commit of the working tree. Throws if it has changes or untracked files. */
export function cleanCommit(root: string): string {
  const changed = git(root, "status", "--porcelain", "--", ".", `:(exclude)${GREEN_FILE}`);
  if (changed.length > 0) {
    const files = changed.map((line) => line.slice(3));
    throw new CommandError(
      `the working tree has changes (${firstOf(files, 2).join(", ")}), so a green run has no commit to record: commit or stash them, or omit --record`,
    );
  }
  return git(root, "rev-parse", "HEAD")[0];
}

/** Records that a suite was green on a commit. Throws if the working tree is no longer at that commit. */
export function recordGreen(root: string, suite: string, commit: string): void {
  const now = cleanCommit(root);
  if (now !== commit) {
    throw new CommandError(
      `the run started at commit ${commit}, and the working tree is now at ${now}`,
    );
  }
  const green = { ...readGreen(root), [suite]: commit };
  const sorted = Object.fromEntries(Object.entries(green).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(join(root, GREEN_FILE), `${JSON.stringify(sorted, null, 2)}\n`);
}

function readGreen(root: string): Record<string, string> {
  return JSON.parse(readFileSync(join(root, GREEN_FILE), "utf8"));
}

/** Returns the output lines of a git command. */
function git(root: string, ...args: string[]): string[] {
  return execFileSync("git", args, { cwd: root, encoding: "utf8" }).split("\n").filter(Boolean);
}
