import { type Format, RENDERERS } from "../operations/changes/render";
import { exitCodeOf } from "../operations/changes/report";
import { describeForeignCa } from "../operations/deploy/foreign-ca";
import { changedClusters } from "../operations/deploy/prepare";
import { describeStaleSecrets } from "../operations/deploy/stale-secrets";
import { followContext } from "../operations/engine/context";
import { checkMachines } from "../operations/machine/machine";
import { Platform } from "../operations/platform/platform";
import { Run } from "../operations/run/run";
import { describeScaling } from "../operations/scaling/scaling";
import { currentEnvironment } from "../operations/synthesis/environment";
import { missingInputs } from "../operations/synthesis/inputs";
import { synthesize } from "../operations/synthesis/synthesize";
import { refuse } from "../operations/terminal/terminal";
import { describeVersionRefusals } from "../operations/versions/refusals";

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
    const scaling = await describeScaling(run);
    for (const refusal of [
      ...(await describeStaleSecrets(run)),
      ...(await describeVersionRefusals(platform, changedClusters(run))),
      ...scaling.refusals,
    ]) {
      console.warn(`warning: npm run up would refuse this: ${refusal}`);
    }
    for (const move of scaling.moves) {
      console.warn(move);
    }
    const report = await run.report();
    console.log(RENDERERS[format]([report]));
    process.exitCode = exitCodeOf([report]);
  } finally {
    run.forgetPlans();
  }
}
