import { Command, type CommanderError, Help } from "@commander-js/extra-typings";
import { CommandError } from "./terminal";

/** The help of a command, in addition to its arguments and options. */
export interface Guide {
  /** One line in the imperative: "Deploy the platform". */
  readonly purpose: string;
  /** Examples: what each does, by the command line. */
  readonly examples: Readonly<Record<string, string>>;
  /** Meanings of the exit codes. */
  readonly exitCodes: Readonly<Record<number, string>>;
  /** Environment variables that the command reads, with their meaning. @default - none */
  readonly variables?: Readonly<Record<string, string>>;
  /** Pages to read more, relative to the project. */
  readonly pages: readonly string[];
}

/** A command with examples, exit codes and pages in its help. */
export class GuidedCommand extends Command {
  constructor(
    name: string,
    readonly guide: Guide,
  ) {
    super(name);
    this.description(guide.purpose).helpOption("-h, --help", "show this help");
    this.configureOutput({ outputError: () => undefined });
    this.exitOverride((error) => {
      throw isUsageError(error) ? new CommandError(explain(this, error)) : error;
    });
  }

  override createHelp(): Help {
    return Object.assign(new GuideHelp(), this.configureHelp());
  }
}

/** Creates a command. `build` adds its arguments, options and action. */
export function guided(
  name: string,
  guide: Guide,
  build: (command: Command) => unknown,
): GuidedCommand {
  const command = new GuidedCommand(name, guide);
  build(command);
  return command;
}

class GuideHelp extends Help {
  override subcommandTerm(command: Command): string {
    return command.name();
  }

  override formatHelp(command: GuidedCommand, helper: Help): string {
    const { examples, exitCodes, variables, pages } = command.guide;
    const list = (heading: string, entries: Readonly<Record<string, string>>) => {
      const width = Math.max(...Object.keys(entries).map((term) => term.length));
      const items = Object.entries(entries).map(([term, text]) =>
        helper.formatItem(term, width, text, helper),
      );
      return helper.formatItemList(heading, items, helper);
    };
    return [
      super.formatHelp(command, helper),
      ...helper.formatItemList(
        "Examples:",
        Object.entries(examples).map(([example, text]) => `  # ${text}\n  ${example}`),
        helper,
      ),
      ...list("Exit codes:", exitCodes),
      ...(variables ? list("Environment variables:", variables) : []),
      `Read more: ${pages.join(", ")}`,
      "",
    ].join("\n");
  }
}

/** Whether the error is about the command line, and not commander's way to exit after help or version. */
function isUsageError({ code, exitCode }: CommanderError): boolean {
  return exitCode !== 0 && code !== "commander.help";
}

/** Explains what is wrong with a command line, what is allowed, and which help describes it. */
function explain(command: Command, { code, message }: CommanderError): string {
  const isCommand = code === "commander.unknownCommand";
  const names = isCommand
    ? command.commands.map((one) => one.name())
    : command.options.filter(({ hidden }) => !hidden).map(({ long }) => long);
  const allowed = `Allowed ${isCommand ? "commands" : "options"}: ${names.join(", ") || "none"}`;
  const help = `See ${fullName(command)} --help`;
  if (code === "commander.excessArguments") {
    const [unexpected] = command.args.slice(command.registeredArguments.length);
    return `Unexpected argument '${unexpected}'. ${allowed}. ${help}`;
  }
  const [, option, value, choices] =
    /^error: option '(--[\w-]+).*' argument '(.*)' is invalid\. Allowed choices are (.*)\.$/s.exec(
      message,
    ) ?? [];
  if (option) {
    return `${option} is "${value}": allowed are ${choices}`;
  }
  const [what, nearest] = message.replace("error: ", "").split("\n(Did you mean ");
  return `${what[0].toUpperCase()}${what.slice(1)}${nearest ? `: did you mean ${nearest.slice(0, -1)}` : "."} ${allowed}. ${help}`;
}

/** Returns the name of a command as the user types it. */
export function fullName(command: Command): string {
  return command.parent ? `${command.parent.name()} ${command.name()}` : command.name();
}
