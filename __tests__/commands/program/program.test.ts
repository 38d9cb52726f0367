import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createProgram } from "../../../commands/program/program";
import { EXIT_CHANGES, EXIT_DESTRUCTIVE, EXIT_NO_CHANGE } from "../../../operations/changes/report";
import {
  EXIT_CHANGING,
  EXIT_DRIFT,
  EXIT_FAILED,
  EXIT_NO_DRIFT,
} from "../../../operations/drift/drift";
import type { GuidedCommand } from "../../../operations/terminal/command";
import { runHere } from "../../support/command";
import { ROOT } from "../../support/root";

const mockRun = jest.fn();
jest.mock("../../../commands/run-on-terminal", () => ({
  runOnTerminal: (...commands: unknown[]) => mockRun(...commands),
}));

const { scripts, version } = require("../../../package.json");

const program = createProgram();
const commands = program.commands as readonly GuidedCommand[];

/** Returns the lines below a heading of the help. */
function section(command: GuidedCommand, heading: string): string[] {
  const [, text = ""] = command.helpInformation().split(`\n${heading}:\n`);
  return text.split("\n\n")[0].split("\n");
}

/** Returns the names of the commands that a shell line runs or shows the help of, as the program parses it. */
async function calledBy(line: string): Promise<string[]> {
  const called: string[] = [];
  for (const part of line.split(" && ").filter((one) => !one.startsWith("git "))) {
    const [, words] = /^(?:[A-Z_]+=\S+ )*npx groundwork (.*?)(?: >\S+)?$/.exec(part) ?? [];
    const parsed = createProgram();
    for (const command of parsed.commands) {
      const call = () => void called.push(command.name());
      command.action(call).configureOutput({ writeOut: call });
    }
    await parsed.parseAsync(words?.split(" ") ?? [], { from: "user" }).catch((error) => {
      expect(error.code).toBe("commander.helpDisplayed");
    });
  }
  return called;
}

describe.each([program, ...commands].map((command) => [command.name(), command] as const))(
  "the help of %s",
  (name, command) => {
    const help = command.helpInformation();

    test("begins with the usage and the purpose", () => {
      const [usage, , purpose] = help.split("\n");
      expect(usage).toMatch(/^Usage: npx groundwork /);
      expect(usage).toContain(name);
      expect(purpose).toMatch(/^[A-Z].*[^.]$/);
      expect(purpose).toBe(command.guide.purpose);
    });

    test("has two or three valid examples with descriptions", async () => {
      const lines = section(command, "Examples");
      const examples = lines.filter((_, i) => i % 2 === 1);
      expect([2, 3]).toContain(examples.length);
      for (const [i, example] of examples.entries()) {
        expect(lines[2 * i]).toMatch(/^ {2}# \S/);
        const called = await calledBy(example.trim());
        expect(command === program ? called.length : called.includes(name)).toBeTruthy();
      }
    });

    test("describes every argument and option, with its default", () => {
      const { registeredArguments } = command;
      // Deprecated options are hidden.
      const options = command.options.filter(({ hidden }) => !hidden);
      const standard = command.createHelp();
      const texts = [
        ...options.map((option) => [option.flags, standard.optionDescription(option)]),
        ...registeredArguments.map((argument) => [
          argument.name(),
          standard.argumentDescription(argument),
        ]),
      ];
      for (const [term, text] of texts) {
        expect(help.replace(/\s+/g, " ")).toContain(` ${term} ${text}`);
        expect(text).toMatch(/^\S/);
      }
      const defaults = options.filter(({ long }) => long !== "--version");
      expect(
        defaults.filter((option) => !/default: .+\)$/.test(standard.optionDescription(option))),
      ).toEqual([]);
    });

    test("describes its exit codes", () => {
      const codes = section(command, "Exit codes").flatMap(
        (line) => /^ {2}(\d+) +\S/.exec(line)?.[1] ?? [],
      );
      expect(codes.slice(0, 2)).toEqual(["0", "1"]);
      expect(codes).toEqual(Object.keys(command.guide.exitCodes));
    });

    test("ends with links to existing pages", () => {
      const [, pages] = /\n\nRead more: (.+)\n$/.exec(help) ?? [];
      expect(pages.split(", ").filter((page) => !existsSync(join(ROOT, page)))).toEqual([]);
    });
  },
);

test.each(["preview", "plan"])("the exit codes of %s match those of a report", (name) => {
  const { guide } = commands.find((command) => command.name() === name) as GuidedCommand;
  expect(Object.keys(guide.exitCodes).map(Number)).toEqual([
    ...[EXIT_NO_CHANGE, 1, EXIT_CHANGES, EXIT_DESTRUCTIVE],
  ]);
});

test("the exit codes of drift match those of its report", () => {
  const { guide } = commands.find((command) => command.name() === "drift") as GuidedCommand;
  expect(Object.keys(guide.exitCodes).map(Number)).toEqual([
    ...[EXIT_NO_DRIFT, EXIT_FAILED, EXIT_DRIFT, EXIT_CHANGING],
  ]);
});

test("every npm script is a command, and every command is an npm script", () => {
  const { "test:quarantine": quarantine, ...others } = scripts;
  expect(quarantine).toBe("node commands/groundwork.mjs test:e2e --quarantine --times 5");
  expect(others).toEqual(
    Object.fromEntries(
      commands.map((command) => [command.name(), `node commands/groundwork.mjs ${command.name()}`]),
    ),
  );
});

describe("a command line", () => {
  test.each([
    [["--help"], /^Usage: npx groundwork <command> \[options\]\n/],
    [["up", "--help"], /^Usage: npx groundwork up \[options\]\n/],
    [["help", "rotate"], /^Usage: npx groundwork rotate <target> \[options\]\n/],
    [["--version"], new RegExp(`^${version}\n$`)],
  ])("%j prints to standard output and exits with 0", async (args, text) => {
    expect(await runHere(args)).toEqual({
      status: 0,
      stdout: expect.stringMatching(text),
      stderr: "",
    });
  });

  test.each<[string[], string | RegExp]>([
    [
      ["uo"],
      /^\nUnknown command 'uo': did you mean up\? Allowed commands: up, down, .*, bindings\. See npx groundwork --help\n$/,
    ],
    [
      ["preview", "--al"],
      "\nUnknown option '--al': did you mean --all? Allowed options: --base, --env, --all, --format. See npx groundwork preview --help\n",
    ],
    [
      ["doctor", "--fast"],
      "\nUnknown option '--fast'. Allowed options: none. See npx groundwork doctor --help\n",
    ],
    [
      ["up", "production"],
      "\nUnexpected argument 'production'. Allowed options: --at-once, --allow-data-loss, --exclude-machine, --force-unlock. See npx groundwork up --help\n",
    ],
    [
      ["up", "--exclude-machine"],
      "\nOption '--exclude-machine <machines>' argument missing. Allowed options: --at-once, --allow-data-loss, --exclude-machine, --force-unlock. See npx groundwork up --help\n",
    ],
    [["plan", "--format", "xml"], '\n--format is "xml": allowed are terminal, markdown, json\n'],
    [
      ["credentials", "orders", "--format=yaml"],
      '\n--format is "yaml": allowed are text, properties, env, shell, ca, key-pair\n',
    ],
    [
      ["rotate"],
      "\nnpm run rotate needs an argument: allowed are ca, certificates and declared applications (none yet, in catalog/applications.ts)\n",
    ],
    [
      ["bench", "platfrom"],
      '\nunknown part "platfrom" of the benchmark: allowed are tests, compose, platform, secured, machines\n',
    ],
  ])("%j fails with what is allowed", async (args, message) => {
    const expected = typeof message === "string" ? message : expect.stringMatching(message);
    expect(await runHere(args)).toEqual({ status: 1, stdout: "", stderr: expected });
  });

  test.each([
    [[], "npx groundwork <command> [options]"],
    ...commands.map((command) => [[command.name()], `npx groundwork ${command.name()} `] as const),
    [["help"], "npx groundwork <command> [options]"],
    [["help", "up"], "npx groundwork up [options]"],
  ] as const)("%j shows its help with --help, and with -h", async (args, usage) => {
    for (const option of ["--help", "-h"]) {
      const { status, stdout, stderr } = await runHere([...args, option]);
      expect([status, stderr]).toEqual([0, ""]);
      expect(stdout).toContain(`Usage: ${usage}`);
    }
  });

  test.each([
    [
      ["test", "__tests__/docs", "-t", "exit", "--verbose"],
      [["node", "tools/test.mjs", "__tests__/docs", "-t", "exit", "--verbose"]],
    ],
    [
      ["test:e2e", "--quarantine", "--times", "5"],
      [
        [
          ...["node", "-r", "./tools/register.js", "__tests__/e2e/run.ts"],
          ...["--times", "5", "--quarantine"],
        ],
      ],
    ],
    [
      ["lint"],
      [
        ["biome", "ci", "."],
        ["node", "tools/lint-scripts.mjs"],
        ["node", "tools/lint-prose.mjs"],
      ],
    ],
  ])("%j runs the program of the project", async (args, programs) => {
    mockRun.mockClear();
    await runHere(args);
    expect(mockRun.mock.calls).toEqual([programs]);
  });
});

describe("the program as a separate process", () => {
  const run = (script: string) =>
    spawnSync("bash", ["-c", script], { cwd: ROOT, encoding: "utf8" });

  test("shows a command's help without loading its code", () => {
    const { stdout } = run(
      `node -r ./tools/register.js -e 'require("./commands/program/program").createProgram().helpInformation();
       console.log(Object.keys(require.cache).join("\\n"))'`,
    );
    const loaded = stdout.trim().split("\n");
    const own = loaded.filter((file) => !file.includes("/node_modules/"));
    expect(own.filter((file) => !/\/(program|terminal|container)\/\w+\.ts$/.test(file))).toEqual([
      join(ROOT, "tools", "register.js"),
      join(ROOT, "package.json"),
    ]);
    expect(loaded.filter((file) => file.includes("cdktf"))).toEqual([]);
  });

  test("prints the usage to standard error if there is no command", () => {
    const { status, stdout, stderr } = run("node commands/groundwork.mjs");
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^Usage: npx groundwork <command>/);
  });

  test("survives a closed pipe", () => {
    const { status, stderr } = run(
      "set -o pipefail; { sleep 1; node commands/groundwork.mjs --help; } | true",
    );
    expect([status, stderr]).toEqual([0, ""]);
  });
});
