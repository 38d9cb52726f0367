// npm run preview: what the working tree changes against a revision. Needs no engine, no network and no credentials.
// Exit code 0 for no change, 2 for changes, 3 for changes that destroy something.
import { parseArgs } from "node:util";
import { environmentNamed, environments } from "../environments";
import { exitCodeOf } from "./support/changes/change";
import { preview } from "./support/changes/preview";
import { FORMATS, type Format } from "./support/changes/render";
import { CommandError, runCommand } from "./support/terminal";

const OPTIONS = {
  base: { type: "string", default: "HEAD" },
  env: { type: "string" },
  all: { type: "boolean", default: false },
  format: { type: "string", default: "terminal" },
} as const;

runCommand(async () => {
  const { base, env, all, format } = readOptions();
  const names = all
    ? Object.keys(environments)
    : [environmentNamed(env ?? process.env.GROUNDWORK_ENV).name];
  const reports = preview(base, names);
  console.log(FORMATS[format as Format](reports));
  process.exitCode = exitCodeOf(reports);
});

function readOptions() {
  try {
    const { values } = parseArgs({ options: OPTIONS });
    if (!Object.hasOwn(FORMATS, values.format)) {
      throw new Error(
        `--format is "${values.format}": allowed are ${Object.keys(FORMATS).join(", ")}`,
      );
    }
    return values;
  } catch (error) {
    throw new CommandError(
      `${(error as Error).message.split(". ")[0]}; options allowed: ${Object.keys(OPTIONS)
        .map((name) => `--${name}`)
        .join(", ")}`,
    );
  }
}
