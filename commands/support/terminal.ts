import { parseArgs } from "node:util";

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

/** A failure that the user can act on: shown without a stack trace. */
export class CommandError extends Error {}

/** The user's own Ctrl-C. */
export class InterruptedError extends CommandError {}

/** Runs a command's main function and turns its outcome into an exit code. */
export function runCommand(main: () => Promise<void>): void {
  main().catch((error: Error) => {
    console.error(error instanceof CommandError ? `\n${error.message}` : error);
    process.exitCode = 1;
  });
}

/** The command line's switches, or an error that names the allowed ones. */
export function parseOptions<const Name extends string>(
  ...names: readonly Name[]
): Record<Name, boolean> {
  const values = optionsOrError(
    names,
    () =>
      parseArgs({
        options: Object.fromEntries(names.map((name) => [name, { type: "boolean" as const }])),
      }).values,
  );
  return Object.fromEntries(names.map((name) => [name, values[name] === true])) as Record<
    Name,
    boolean
  >;
}

/** What the command line is parsed to, or an error that names the options that are allowed. */
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
