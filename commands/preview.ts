// npm run preview: what the working tree changes against a revision. Needs no engine, no network and no credentials.
// Exit code 0 for no change, 2 for changes, 3 for changes that destroy something.
import { parseArgs } from "node:util";
import { environments } from "../environments";
import { preview } from "../operations/changes/preview";
import { FORMATS, formatNamed } from "../operations/changes/render";
import { exitCodeOf } from "../operations/changes/report";
import { currentEnvironment } from "../operations/synthesis/environment";
import { optionsOrError, runCommand } from "../operations/terminal/terminal";

const OPTIONS = {
  base: { type: "string", default: "HEAD" },
  env: { type: "string" },
  all: { type: "boolean", default: false },
  format: { type: "string", default: "terminal" },
} as const;

runCommand(async () => {
  const { base, env, all, format } = optionsOrError(
    Object.keys(OPTIONS),
    () => parseArgs({ options: OPTIONS }).values,
  );
  const render = FORMATS[formatNamed(format)];
  const names = all
    ? Object.keys(environments)
    : [currentEnvironment(env ?? process.env.GROUNDWORK_ENV).name];
  const reports = preview(base, names);
  console.log(render(reports));
  process.exitCode = exitCodeOf(reports);
});
