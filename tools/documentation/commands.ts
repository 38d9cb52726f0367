import { fullName, type GuidedCommand } from "../../operations/terminal/command";
import { code, row } from "./reference";

/** Renders the help of every command as a page of Markdown. */
export function renderCommands(program: GuidedCommand): string {
  const commands = program.commands as readonly GuidedCommand[];
  const anchor = (command: GuidedCommand) => fullName(command).replace(/[^\w -]/g, "");
  return [
    "# Commands",
    "",
    "Generated from the commands' `--help` by `npm run reference`. `npm run up -- --at-once` is the same as `npx groundwork up --at-once`, and so on.",
    "",
    ...table(
      ["command", "purpose"],
      commands.map((command) => [
        `[\`${command.name()}\`](#${anchor(command).replaceAll(" ", "-")})`,
        command.guide.purpose,
      ]),
    ),
    ...commands.flatMap(renderCommand),
  ].join("\n");
}

function renderCommand(command: GuidedCommand): string[] {
  const { purpose, examples, exitCodes, variables = {}, pages } = command.guide;
  const help = command.createHelp();
  return [
    `## ${fullName(command)}`,
    "",
    `${purpose}: \`${help.commandUsage(command)}\`. Read more: ${pages.map((page) => `[${page}](../../${page})`).join(", ")}.`,
    "",
    "```sh",
    ...Object.entries(examples).map(([example, text]) => `${example} # ${text}`),
    "```",
    "",
    ...table(
      ["argument or option", "meaning"],
      [
        ...command.registeredArguments.map((argument) => [
          code(`${argument.name()}${argument.variadic ? "..." : ""}`),
          help.argumentDescription(argument),
        ]),
        ...command.options
          .filter(({ hidden }) => !hidden)
          .map((option) => [code(option.flags), help.optionDescription(option)]),
      ],
    ),
    ...table(["exit code", "meaning"], Object.entries(exitCodes)),
    ...table(
      ["variable", "sets"],
      Object.entries(variables).map(([name, text]) => [code(name), text]),
    ),
  ];
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return rows.length > 0
    ? [header, header.map(() => "---"), ...rows].map((cells) => row(...cells)).concat("")
    : [];
}
