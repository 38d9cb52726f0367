import { join } from "node:path";
import { ValidationError } from "../../constructs/container/validation";

/** Rows as an aligned table; the first row is the header. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(items: readonly string[]): string {
  return new Intl.ListFormat("en-GB").format(items);
}

/** The first of many, and how many more there are. */
export function firstOf(items: readonly string[], most: number): string[] {
  return items.length <= most + 1
    ? [...items]
    : [...items.slice(0, most), `and ${items.length - most} more`];
}

/** A failure that the user can act on: shown without a stack trace. */
export class CommandError extends Error {}

/** Fails with everything that stands in the way, if anything does. */
export function refuse(problems: readonly string[]): void {
  if (problems.length > 0) {
    throw new CommandError(
      ["nothing was changed, because:", ...problems.map((problem) => `- ${problem}`)].join("\n"),
    );
  }
}

/** The user's own Ctrl-C. */
export class InterruptedError extends CommandError {}

/** What a user is told of an error; nothing of a defect. */
function messageOf(error: Error): string | undefined {
  // Files by their paths in the project, which is where one looks for them.
  const project = join(__dirname, "..", "..", "/");
  return error instanceof CommandError || error instanceof ValidationError
    ? `\n${error.message.replaceAll(project, "")}`
    : undefined;
}

/** Runs a command's main function and turns its outcome into an exit code. */
export async function runCommand(main: () => Promise<void>): Promise<void> {
  await main().catch((error: Error) => {
    console.error(messageOf(error) ?? error);
    process.exitCode = 1;
  });
}

/** What the command line is parsed to, or an error that names the options that are allowed. @internal */
export function optionsOrError<Values>(names: readonly string[], parse: () => Values): Values {
  try {
    return parse();
  } catch (error) {
    const allowed = names.map((name) => `--${name}`).join(", ") || "none";
    throw new CommandError(
      `${(error as Error).message.split(". ")[0]}; options allowed: ${allowed}`,
    );
  }
}
