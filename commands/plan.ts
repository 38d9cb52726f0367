// npm run plan: what a deploy would do in every stack, as Terraform plans it against what is deployed. Exit codes as of a preview.
import { parseArgs } from "node:util";
import { FORMATS, formatNamed } from "../operations/changes/render";
import { exitCodeOf } from "../operations/changes/report";
import { describeForeignAuthorities } from "../operations/deploy/authorities";
import { followContext } from "../operations/engine/context";
import { checkMachines } from "../operations/machine/machine";
import { Run } from "../operations/run/run";
import { currentEnvironment } from "../operations/synthesis/environment";
import { missingInputs } from "../operations/synthesis/inputs";
import { synthesize } from "../operations/synthesis/synthesize";
import { optionsOrError, refuse, runCommand } from "../operations/terminal/terminal";

const OPTIONS = { format: { type: "string", default: "terminal" } } as const;

runCommand(async () => {
  const { format } = optionsOrError(
    Object.keys(OPTIONS),
    () => parseArgs({ options: OPTIONS }).values,
  );
  const render = FORMATS[formatNamed(format)];
  const environment = await followContext(currentEnvironment());
  const stacks = synthesize(environment);
  refuse(
    missingInputs(
      environment,
      stacks.flatMap(({ variables }) => variables),
    ),
  );
  const terraform = await checkMachines(environment);
  refuse(await describeForeignAuthorities(environment));
  const run = new Run(environment, stacks, terraform);
  try {
    await run.plan();
    const report = await run.report();
    console.log(render([report]));
    process.exitCode = exitCodeOf([report]);
  } finally {
    run.forgetPlans();
  }
});
