import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { cleanCommit, findStale, GREEN_FILE, recordGreen } from "../e2e/stale";

const COVERS = {
  smoke: ["constructs", ":(exclude)constructs/README.md"],
  rolling: ["constructs", "operations"],
};

let root: string;

const git = (...args: string[]) =>
  execFileSync("git", args, {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).trim();

function write(file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

/** Commits a change of some files. Returns the commit. */
function commit(...files: string[]): string {
  for (const file of files) {
    write(file, `${Math.random()}\n`);
  }
  git("add", "--all");
  git("commit", "--message", "Change");
  return git("rev-parse", "HEAD");
}

const FILES = ["constructs/kafka.ts", "constructs/README.md", "operations/roll.ts"];
let first: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "stale-"));
  git("init");
  git("config", "user.name", "somebody");
  git("config", "user.email", "somebody@example.org");
  write(GREEN_FILE, "{}\n");
  first = commit(...FILES);
});
afterEach(() => rmSync(root, { recursive: true }));

const record = (...suites: string[]) => {
  for (const suite of suites) {
    recordGreen(root, suite, cleanCommit(root));
  }
};

describe("a suite is stale if", () => {
  test("no green run of it is recorded", () => {
    record("smoke");
    expect(findStale(root, COVERS)).toEqual([
      { suite: "rolling", why: "no green run is recorded" },
    ]);
  });

  test("a file that it covers changed, and names the file", () => {
    record("smoke", "rolling");
    expect(findStale(root, COVERS)).toEqual([]);
    commit(
      "constructs/README.md",
      "operations/roll.ts",
      "operations/a.ts",
      "operations/b.ts",
      "operations/c.ts",
    );
    const why = "constructs/README.md, operations/a.ts, and 3 more";
    expect(findStale(root, COVERS)).toEqual([{ suite: "rolling", commit: first, why }]);
  });

  test("a change is not committed yet", () => {
    record("smoke", "rolling");
    write("constructs/kafka.ts", "");
    const why = "constructs/kafka.ts";
    expect(findStale(root, COVERS)).toEqual([
      { suite: "smoke", commit: first, why },
      { suite: "rolling", commit: first, why },
    ]);
  });

  test("the clone does not have the commit of its last green run", () => {
    const gone = "0123456789abcdef0123456789abcdef01234567";
    write(GREEN_FILE, JSON.stringify({ smoke: gone, rolling: first }));
    const why =
      "this clone does not have that commit, since it was rewritten or the clone is shallow: run git fetch --unshallow, or run the suite again";
    expect(findStale(root, COVERS)).toEqual([{ suite: "smoke", commit: gone, why }]);
  });
});

describe("a green run", () => {
  test("is recorded by its commit, next to those of other suites", () => {
    record("smoke");
    const second = commit("operations/roll.ts");
    record("rolling");
    // An earlier record does not prevent the next one.
    expect(readFileSync(join(root, GREEN_FILE), "utf8")).toBe(
      `{\n  "rolling": "${second}",\n  "smoke": "${first}"\n}\n`,
    );
  });

  test("is not recorded if the working tree has changes, and names them", () => {
    write("constructs/kafka.ts", "");
    write("constructs/new.ts", "");
    expect(() => cleanCommit(root)).toThrow(
      "the working tree has changes (constructs/kafka.ts, constructs/new.ts), so a green run has no commit to record: commit or stash them, or omit --record",
    );
  });

  test("is not recorded if another commit is checked out at its end", () => {
    const second = commit("operations/roll.ts");
    expect(() => recordGreen(root, "smoke", first)).toThrow(
      `the run started at commit ${first}, and the working tree is now at ${second}`,
    );
    expect(readFileSync(join(root, GREEN_FILE), "utf8")).toBe("{}\n");
  });
});
