// npm run plan: what a deploy would do in every stack, as Terraform plans it against what is deployed. Exit codes as of a preview.
import { parseArgs } from "node:util";
import { exitCodeOf } from "./support/changes/change";
import { planReport } from "./support/changes/plan";
import { FORMATS, formatNamed } from "./support/changes/render";
import { checkMachine, currentEnvironment, synthesize } from "./support/platform";
import { optionsOrError, runCommand } from "./support/terminal";

const OPTIONS = { format: { type: "string", default: "terminal" } } as const;

runCommand(async () => {
  const { format } = optionsOrError(
    Object.keys(OPTIONS),
    () => parseArgs({ options: OPTIONS }).values,
  );
  const render = FORMATS[formatNamed(format)];
  const environment = currentEnvironment();
  await synthesize(environment);
  const report = await planReport(environment, await checkMachine());
  console.log(render([report]));
  process.exitCode = exitCodeOf([report]);
});
