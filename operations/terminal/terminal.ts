import { join } from "node:path";
import { ValidationError } from "../../constructs/container/validation";

/** Renders rows as an aligned table. The first row is the header. */
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

/** Joins items: `a`, `a and b`, `a, b and c`. */
export function listed(items: readonly string[]): string {
  return new Intl.ListFormat("en-GB").format(items);
}

/** Renders a number with its noun: `1 container`, `2 containers`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

/** Renders `812 KiB` or `3.4 GiB`. */
export function renderSize(bytes: number): string {
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let size = bytes / 1024;
  while (size >= 1024 && units.length > 1) {
    size /= 1024;
    units.shift();
  }
  return `${size < 10 && units[0] !== "KiB" ? size.toFixed(1) : Math.round(size)} ${units[0]}`;
}

/** Returns the first items, then how many more there are. */
export function firstOf(items: readonly string[], most: number): string[] {
  return items.length <= most + 1
    ? [...items]
    : [...items.slice(0, most), `and ${items.length - most} more`];
}

/** An error that the user can fix. It is shown without a stack trace. */
export class CommandError extends Error {}

/** Throws all problems, if there are any. */
export function refuse(problems: readonly string[]): void {
  if (problems.length > 0) {
    throw new CommandError(
      ["no changes made:", ...problems.map((problem) => `- ${problem}`)].join("\n"),
    );
  }
}

/** The user pressed Ctrl-C. */
export class InterruptedError extends CommandError {}

/** Returns the message for the user, or undefined for a defect, which is shown with its stack trace. */
function messageOf(error: Error): string | undefined {
  // Paths are shown relative to the project.
  const project = join(__dirname, "..", "..", "/");
  return error instanceof CommandError || error instanceof ValidationError
    ? `\n${error.message.replaceAll(project, "")}`
    : undefined;
}

/** Runs the main function of a command. Sets exit code 1 if it throws. */
export async function runCommand(main: () => Promise<void>): Promise<void> {
  await main().catch((error: Error) => {
    console.error(messageOf(error) ?? error);
    process.exitCode = 1;
  });
}

/** Parses the command line. Throws an error that names the allowed options. @internal */
export function optionsOrError<Values>(names: readonly string[], parse: () => Values): Values {
  try {
    return parse();
  } catch (error) {
    const allowed = names.map((name) => `--${name}`).join(", ") || "none";
    throw new CommandError(
      `${(error as Error).message.split(". ")[0]}. Allowed options: ${allowed}`,
    );
  }
}
