import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readProject, selectChanged, touchedBy } from "../../tools/changed";
import { ROOT } from "../support/root";

const testOf = (name: string) => `__tests__/${name}.test.ts`;

/** Returns the tests, without their folder, that a change of a file selects in a project with these files. */
function touching(file: string, files: Readonly<Record<string, string>>): string[] {
  const tests = touchedBy(new Map(Object.entries(files)), [file]).get(file) ?? [];
  return tests.map((test) => test.replace(/^__tests__\/(.*)\.test\.ts$/, "$1"));
}

const OTHER = { [testOf("other")]: "" };

describe("a change of a module selects", () => {
  test("the tests that import it, directly or indirectly, and no others", () => {
    const files = {
      "operations/deploy/deploy.ts": "",
      "operations/deploy/index.ts": 'export { deploy } from "./deploy";',
      "commands/up.ts": 'const { deploy } = await import("../operations/deploy");',
      [testOf("commands/up")]: 'runHere("commands/up.ts");',
      ...OTHER,
    };
    expect(touching("operations/deploy/deploy.ts", files)).toEqual(["commands/up"]);
  });

  test("no test that only imports a type, which the compiler checks, or names it in a comment", () => {
    const files = {
      "constructs/file.ts": "",
      [testOf("constructs/typed")]: 'import type {\n  File,\n} from "../../constructs/file";',
      [testOf("constructs/comment")]: "// constructs/file.ts\n/** `file.ts` */",
    };
    expect(touching("constructs/file.ts", files)).toEqual([]);
  });

  test("the tests that still import it after it was removed", () => {
    const files = { [testOf("stacks/a")]: 'import { a } from "../../stacks/a";', ...OTHER };
    expect(touching("stacks/a.ts", files)).toEqual(["stacks/a"]);
  });

  test("no test that only names another test that imports it", () => {
    const files = {
      "constructs/a.ts": "",
      [testOf("constructs/a")]: 'import { a } from "../../constructs/a";',
      [testOf("docs/docs")]: '["npm run a", "__tests__/constructs/a.test.ts"]',
    };
    expect(touching("constructs/a.ts", files)).toEqual(["constructs/a"]);
    expect(touching(testOf("constructs/a"), files)).toEqual(["constructs/a", "docs/docs"]);
  });
});

describe("a change of a file that is loaded by name selects", () => {
  const PROGRAM = {
    "operations/plan.ts": "",
    "commands/plan.ts": 'import { plan } from "../operations/plan";',
    "commands/program/inspect.ts":
      '"plan": () => import("../plan"); "environments/production.ts"; "docs/how-to/plan.md"',
    [testOf("commands/plan")]: 'import "../../commands/program/inspect"; runHere(["plan"])',
    [testOf("commands/doctor")]: 'import "../../commands/program/inspect"; runHere(["doctor"])',
  };

  test("the tests that name a command, since the program loads it when it runs", () => {
    expect(touching("operations/plan.ts", PROGRAM)).toEqual(["commands/plan"]);
    expect(touching("commands/program/inspect.ts", PROGRAM)).toEqual([
      "commands/plan",
      "commands/doctor",
    ]);
  });

  test("the tests that name the environment or all of them, and for the default one also those that name none", () => {
    const files = {
      ...PROGRAM,
      "environments/laptop.ts": "export const laptop: Environment = {};",
      "environments/production.ts": "export const production: Environment = {};",
      "environments/index.ts":
        'import { laptop } from "./laptop"; import { production } from "./production"; (name = laptop.name) => name',
      [testOf("stacks/all")]: 'import "../../environments"; Object.values(environments)',
      [testOf("stacks/other")]: 'import { environments } from "../../environments";',
      [testOf("stacks/production")]: 'import "../../environments"; ({ env: "production" })',
    };
    expect(touching("environments/production.ts", files)).toEqual([
      "stacks/all",
      "stacks/production",
    ]);
    expect(touching("environments/laptop.ts", files)).toEqual([
      "stacks/all",
      "stacks/other",
      "stacks/production",
    ]);
  });

  test("the tests of code that reads a page, and none of help that only links to it", () => {
    const files = {
      ...PROGRAM,
      "docs/how-to/plan.md": "",
      "constructs/rules.ts": 'existsSync("docs/how-to/plan.md")',
      [testOf("constructs/rules")]: 'import "../../constructs/rules";',
    };
    expect(touching("docs/how-to/plan.md", files)).toEqual(["constructs/rules"]);
    // A link to a removed page is an error.
    const { "docs/how-to/plan.md": _, ...removed } = files;
    expect(touching("docs/how-to/plan.md", removed)).toEqual([
      ...["commands/plan", "commands/doctor", "constructs/rules"],
    ]);
  });

  test("the tests that run suites, for a file that suites run", () => {
    const files = {
      "__tests__/e2e/run.ts": 'import "./suites";',
      "__tests__/e2e/suites.ts": '"__tests__/support/load.ts"',
      "__tests__/support/load.ts": "",
      "commands/program/develop.ts": '"test:e2e": "__tests__/e2e/run.ts"',
      [testOf("support/run")]: 'import "../../commands/program/develop"; ["test:e2e"]',
      [testOf("commands/doctor")]: 'import "../../commands/program/develop";',
    };
    expect(touching("__tests__/e2e/suites.ts", files)).toEqual(["support/run"]);
    // Suites list the files that they cover, and do not read them.
    expect(touching("__tests__/support/load.ts", files)).toEqual([]);
  });
});

describe("a change of a file that code reads selects", () => {
  const CONSTRUCT = {
    "constructs/loki/loki.yaml": "",
    "constructs/loki/loki.ts": 'readOwnFile(__dirname, "loki.yaml")',
    "stacks/platform.ts": 'import { Loki } from "../constructs/loki/loki";',
    "__tests__/support/platform.ts": 'import "../../stacks/platform";',
    [testOf("policy/containers")]: 'import "../support/platform";',
    [testOf("stacks/placement")]: 'import "../support/platform";',
  };

  test.each([
    ["by its name", '"loki/loki.yaml"'],
    ["by its path from there", '"../../constructs/loki/loki.yaml"'],
    ["by its path in a container", '"/etc/loki/loki.yaml"'],
    ["in parts of a path", 'join(ROOT, "constructs", "loki",\n  "loki.yaml")'],
  ])(
    "the tests that name it %s, and of others that load its construct only the checks of the platform",
    (_, text) => {
      const files = { ...CONSTRUCT, [testOf("constructs/loki")]: text };
      expect(touching("constructs/loki/loki.yaml", files)).toEqual([
        "policy/containers",
        "constructs/loki",
      ]);
    },
  );

  test("the tests that name its construct and inspect the files of a container, and for a script those that name it", () => {
    const files = {
      ...CONSTRUCT,
      "constructs/loki/start.sh": "",
      "constructs/loki/loki.ts": 'for (const file of ["loki.yaml", "start.sh"]) {}',
      [testOf("stacks/looks")]: 'import "../support/platform"; fileOf(container("loki"), "a")',
      [testOf("stacks/runs")]: 'import "../support/platform"; container("loki").command',
    };
    expect(touching("constructs/loki/loki.yaml", files)).toEqual([
      "policy/containers",
      "stacks/looks",
    ]);
    expect(touching("constructs/loki/start.sh", files)).toEqual(["policy/containers"]);
  });

  test("all tests of the module that imports it", () => {
    const files = {
      "constructs/kafka/topic-configs.json": "",
      "constructs/kafka/topic-config.ts": 'import configs from "./topic-configs.json";',
      [testOf("constructs/kafka/topic")]: 'import "../../../constructs/kafka/topic-config";',
      ...OTHER,
    };
    expect(touching("constructs/kafka/topic-configs.json", files)).toEqual([
      "constructs/kafka/topic",
    ]);
  });

  test("the tests of a helper that names it", () => {
    const files = {
      "constructs/lib.sh": "",
      "__tests__/support/sidecar.ts": 'cpSync(join(CONSTRUCTS, "lib.sh"), folder)',
      [testOf("constructs/a")]: 'import { start } from "../support/sidecar";',
      ...OTHER,
    };
    expect(touching("constructs/lib.sh", files)).toEqual(["constructs/a"]);
  });

  test("the tests of the module that names it, if that is not a construct", () => {
    const files = {
      "operations/machine/ping.sh": "",
      "operations/machine/machine.ts": 'read("ping.sh")',
      [testOf("commands/doctor")]: 'import { look } from "../../operations/machine/machine";',
      ...OTHER,
    };
    expect(touching("operations/machine/ping.sh", files)).toEqual(["commands/doctor"]);
  });

  test("the tests that read its folder", () => {
    const files = {
      "docs/how-to/topic.md": "",
      [testOf("docs/docs")]: 'readdirSync(join(ROOT, "docs"), { recursive: true })',
      ...OTHER,
    };
    expect(touching("docs/how-to/topic.md", files)).toEqual(["docs/docs"]);
    // Even if it does not exist yet.
    expect(touching("docs/how-to/new.md", files)).toEqual(["docs/docs"]);
  });

  test("the tests of the module in its folder, if several files have its name", () => {
    const files = {
      "constructs/alloy/alloy.ts": 'readOwnFile(__dirname, "start.conf")',
      "constructs/alloy/start.conf": "",
      "constructs/grafana/start.conf": "",
      "__tests__/policy/alloy.test.ts": 'import "../../constructs/alloy/alloy"; ({ content })',
      "__tests__/alerts/grafana.test.ts": '"../../constructs/grafana/start.conf"',
    };
    expect(touching("constructs/alloy/start.conf", files)).toEqual(["policy/alloy"]);
  });

  test("the test that a snapshot belongs to", () => {
    const SNAPSHOT = "__tests__/stacks/__snapshots__/a.test.ts.snap";
    const files = { [SNAPSHOT]: "", [testOf("stacks/a")]: "", ...OTHER };
    expect(touching(SNAPSHOT, files)).toEqual(["stacks/a"]);
  });
});

test("every change selects the tests with rules for every file", () => {
  const files = { "main.go": "", "__tests__/policy/architecture.test.ts": "", ...OTHER };
  expect(touching("commands/new.ts", files)).toEqual(["policy/architecture"]);
});

test.each([
  "package.json",
  "tools/register.js",
  "__tests__/support/environment.js",
  "lab/provider/a.go",
])("a change of %s, which all may rest on, touches all tests", (file) => {
  expect(touching(file, { [file]: "", [testOf("a")]: '"package.json"', ...OTHER })).toEqual([
    "a",
    "other",
  ]);
});

test("a change of a test with real servers selects no other test", () => {
  expect(touching("__tests__/e2e/smoke/smoke.test.ts", OTHER)).toEqual([]);
});

describe("in this project, a change of", () => {
  const project = readProject(ROOT);
  const touched = touchedBy(project, [...project.keys()]);

  test.each([
    ["constructs/kafka/kafka-init.sh", "constructs/kafka/kafka-init/topics"],
    ["constructs/kafka/kafka-init/Topics.java", "constructs/kafka/kafka-init/drift"],
    ["constructs/opensearch/os-init.sh", "constructs/opensearch/os-init"],
    ["constructs/init-sidecar/supervise.sh", "constructs/opensearch/os-security"],
    ["constructs/exit-relay/exit-relay.sh", "constructs/exit-relay/exit-relay"],
    ["constructs/alloy/exits.alloy", "policy/alloy"],
    ["constructs/grafana/grafana.ini", "policy/containers"],
    ["constructs/loki/loki.yaml", "stacks/secured-observability-stack"],
    ["dashboards/Platform/logs.json", "alerts/dashboards"],
    ["dashboards/Platform/logs.json", "dashboards/dashboards"],
    ["alerts/kafka.yml", "stacks/alerting-stack"],
    ["alerts/kafka.yml", "alerts/rules"],
    ["catalog/data-streams/application-logs.json", "stacks/platform"],
    ["catalog/index-templates/logs_template.json", "stacks/platform"],
    ["operations/machine/neighbours.sh", "commands/doctor"],
    ["operations/machine/preflight.ts", "operations/machine/preflight"],
    ["docs/how-to/topic.md", "docs/docs"],
    ["docs/reference/constructs.md", "tools/documentation/reference"],
    ["README.md", "docs/readme"],
    [".github/workflows/nightly.yml", "policy/workflows"],
    [".ci/run", "lab/shells"],
    ["packages/provider-grafana/generate.mjs", "tools/install"],
    ["examples/kafka-only/main.ts", "examples/examples"],
    ["constructs/grafana/start.sh", "constructs/grafana/grafana"],
    ["constructs/grafana/ask.sh", "constructs/grafana/scripts"],
    ["environments/production.ts", "policy/containers"],
    ["environments/production.ts", "stacks/platform"],
  ])("%s touches __tests__/%s.test.ts, and not every test", (file, test) => {
    const tests = touched.get(file) ?? [];
    expect(tests).toContain(`__tests__/${test}.test.ts`);
    expect(tests.length).toBeLessThan((touched.get("package.json")?.length ?? 0) / 2);
  });
});

describe("in a git working tree", () => {
  let root: string;
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.org", ...args], {
      cwd: root,
      encoding: "utf8",
    });
  const write = (file: string, text: string) => {
    mkdirSync(join(root, dirname(file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  /** Commits everything, and returns the commit as shown to users. */
  const commit = (subject: string) => {
    git("add", "--all");
    git("commit", "--quiet", "--message", subject);
    return `${git("rev-parse", "--short", "HEAD").trim()} (${subject})`;
  };

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "changed-"));
    git("init", "--quiet");
    write(".gitignore", "node_modules");
    for (const name of ["a", "b", "c"]) {
      write(`stacks/${name}.ts`, "");
      write(testOf(`stacks/${name}`), `import "../../stacks/${name}";`);
    }
  });
  afterEach(() => rmSync(root, { recursive: true }));

  test("edited, staged, moved and new files count, and ignored files do not", () => {
    const head = commit("Add a, b and c");
    write("stacks/a.ts", "a");
    git("mv", "stacks/b.ts", "stacks/d.ts");
    write("docs/a page.md", "");
    write("node_modules/c.ts", "");
    expect(selectChanged(root)).toEqual({
      tests: ["a", "b", "c"].map((name) => testOf(`stacks/${name}`)),
      summary: `Uncommitted changes since ${head}:
  stacks/a.ts     1 test file
  stacks/b.ts     1 test file
  stacks/d.ts     no test files
  docs/a page.md  all test files
3 of 3 test files run. npm test runs all of them.
`,
    });
  });

  test("the changes of the last commit count if nothing is uncommitted", () => {
    commit("Add a, b and c");
    write("stacks/a.ts", "a");
    const head = commit("Change a");
    expect(selectChanged(root)).toEqual({
      tests: [testOf("stacks/a")],
      summary: `Nothing is uncommitted. Changes of the last commit, ${head}:
  stacks/a.ts  1 test file
1 of 3 test files run. npm test runs all of them.
`,
    });
  });

  test("the selection fails without a commit, for the first commit, and for an empty one", () => {
    expect(() => selectChanged(root)).toThrow(/^cannot list changes with git: fatal: .*HEAD/);
    const first = commit("Add a, b and c");
    expect(() => selectChanged(root)).toThrow(
      `nothing is uncommitted, and there is no commit before ${first} to compare it with: npm test runs all tests, or git fetch --unshallow first if this clone is shallow`,
    );
    git("commit", "--quiet", "--allow-empty", "--message", "Change nothing");
    expect(() => selectChanged(root)).toThrow(
      /^nothing is uncommitted, and commit \w+ \(Change nothing\) changes no file: npm test runs all tests$/,
    );
  });
});
