import { type Format, RENDERERS } from "../operations/changes/render";
import { exitCodeOf } from "../operations/changes/report";
import { describeForeignCa } from "../operations/deploy/foreign-ca";
import { describeConsequences } from "../operations/deploy/prepare";
import { followContext } from "../operations/engine/context";
import { checkMachines } from "../operations/machine/machine";
import { Platform } from "../operations/platform/platform";
import { Run } from "../operations/run/run";
import { currentEnvironment } from "../operations/synthesis/environment";
import { missingInputs } from "../operations/synthesis/inputs";
import { synthesize } from "../operations/synthesis/synthesize";
import { refuse } from "../operations/terminal/terminal";

/** Prints what a deploy would change, as Terraform plans it. Sets the exit code by the severity of the changes. */
export async function showPlan({ format }: { readonly format: Format }): Promise<void> {
  const environment = await followContext(currentEnvironment());
  const stacks = await synthesize(environment);
  refuse(
    missingInputs(
      environment,
      stacks.flatMap(({ variables }) => variables),
    ),
  );
  const terraform = await checkMachines(environment);
  const platform = new Platform(environment);
  refuse(await describeForeignCa(platform));
  const run = new Run(platform, stacks, terraform);
  try {
    await run.plan();
    const { refusals, moves } = await describeConsequences(run);
    for (const line of [
      ...refusals.map((refusal) => `warning: npm run up would refuse this: ${refusal}`),
      ...moves,
    ]) {
      console.warn(line);
    }
    const report = await run.report();
    console.log(RENDERERS[format]([report]));
    process.exitCode = exitCodeOf([report]);
  } finally {
    run.forgetPlans();
  }
}
