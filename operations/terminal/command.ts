import { Command, type CommanderError, Help } from "@commander-js/extra-typings";
import { CommandError } from "./terminal";

/** What the help of a command says beside its arguments and options. */
export interface Guide {
  /** One line, as an order: "Deploy the platform". */
  readonly purpose: string;
  /** What each example does, by the example as it is typed. */
  readonly examples: Readonly<Record<string, string>>;
  /** What each exit code means. */
  readonly exitCodes: Readonly<Record<number, string>>;
  /** What each variable that it reads sets. @default - it reads none */
  readonly variables?: Readonly<Record<string, string>>;
  /** The pages that say more, relative to the project. */
  readonly pages: readonly string[];
}

/** A command of the program, whose help a newcomer can work from. */
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

/** A command with the arguments, options and action that `build` gives it. */
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

/** Not what ends the program after it has shown its help or version. */
function isUsageError({ code, exitCode }: CommanderError): boolean {
  return exitCode !== 0 && code !== "commander.help";
}

/** What is wrong with a command line, what is allowed in its place, and where that is described. */
function explain(command: Command, { code, message }: CommanderError): string {
  const isCommand = code === "commander.unknownCommand";
  const names = isCommand
    ? command.commands.map((one) => one.name())
    : command.options.filter(({ hidden }) => !hidden).map(({ long }) => long);
  const allowed = `${isCommand ? "commands" : "options"} allowed: ${names.join(", ") || "none"}`;
  const help = `${fullName(command)} --help describes them`;
  if (code === "commander.excessArguments") {
    const [unexpected] = command.args.slice(command.registeredArguments.length);
    return `Unexpected argument '${unexpected}'; ${allowed}; ${help}`;
  }
  const [, option, value, choices] =
    /^error: option '(--[\w-]+).*' argument '(.*)' is invalid\. Allowed choices are (.*)\.$/s.exec(
      message,
    ) ?? [];
  if (option) {
    return `${option} is "${value}": allowed are ${choices}`;
  }
  const [what, nearest] = message.replace("error: ", "").split("\n(Did you mean ");
  return `${what[0].toUpperCase()}${what.slice(1)}${nearest ? `: did you mean ${nearest.slice(0, -1)}` : ";"} ${allowed}; ${help}`;
}

/** As one types it. */
export function fullName(command: Command): string {
  return command.parent ? `${command.parent.name()} ${command.name()}` : command.name();
}
