import { CommanderError } from "@commander-js/extra-typings";
import { type GuidedCommand, guided } from "../../operations/terminal/command";
import { runCommand } from "../../operations/terminal/terminal";
import { declareCommands } from "./declare";
import { deployCommands } from "./deploy";
import { developCommands } from "./develop";
import { inspectCommands } from "./inspect";
import { labCommands } from "./lab";
import { secretCommands } from "./secrets";
import { DEPLOY } from "./variables";

/** Commands by their heading in the help. */
const GROUPS: Readonly<Record<string, () => readonly GuidedCommand[]>> = {
  "Deploy:": deployCommands,
  "Inspect:": inspectCommands,
  "Secrets:": secretCommands,
  "Declare:": declareCommands,
  "Lab:": labCommands,
  "Develop Groundwork:": developCommands,
};

/** Returns the program with all commands. A command's code is loaded when it runs. @internal */
export function createProgram(): GuidedCommand {
  return guided(
    "npx groundwork",
    {
      purpose: "Deploy OpenSearch, Kafka and Grafana on Docker, declared in TypeScript",
      examples: {
        "npx groundwork doctor": "check the prerequisites of a deploy",
        "npx groundwork up": 'deploy environment "laptop" to this machine\'s Docker engine',
        "npx groundwork up --help": "show options, examples and exit codes of a command",
      },
      exitCodes: {
        0: "done",
        1: "failed: the message on standard error says what to do",
        2: "preview and plan: there are changes; drift: there is drift",
        3: "preview and plan: there are destructive changes; drift: another command changes the platform",
      },
      variables: DEPLOY,
      pages: ["README.md", "docs/reference/commands.md"],
    },
    (program) => {
      program
        .version(require("../../package.json").version, "-V, --version", "show the version")
        .usage("<command> [options]")
        .helpCommand("help [command]", "Show the help of a command")
        .enablePositionalOptions();
      for (const [heading, commands] of Object.entries(GROUPS)) {
        for (const command of commands()) {
          program.addCommand(command.helpGroup(heading));
        }
      }
    },
  );
}

/** Commander would look for a command named "--help" after "help". */
function withoutHelpOfHelp(args: readonly string[]): string[] {
  return args.filter((arg) => args[0] !== "help" || !["-h", "--help"].includes(arg));
}

/** Runs a command line and sets the exit code. */
export function runProgram(args: readonly string[]): Promise<void> {
  return runCommand(async () => {
    try {
      await createProgram().parseAsync(withoutHelpOfHelp(args), { from: "user" });
    } catch (error) {
      if (!(error instanceof CommanderError)) {
        throw error;
      }
      // Help or version was shown.
      process.exitCode = error.exitCode;
    }
  });
}
