import { type Format, RENDERERS } from "../operations/changes/render";
import { exitCodeOf } from "../operations/changes/report";
import { describeConsequences, withPlan } from "../operations/deploy/prepare";
import { followContext } from "../operations/engine/context";
import { currentEnvironment } from "../operations/synthesis/environment";
import { describePendingFinalization } from "../operations/versions/finalize";

/** Prints what a deploy would change, as Terraform plans it. Sets the exit code by the severity of the changes. */
export async function showPlan({ format }: { readonly format: Format }): Promise<void> {
  await withPlan(await followContext(currentEnvironment()), async (run) => {
    const planned = await run.report();
    const report = {
      ...planned,
      consequences: {
        ...(await describeConsequences(run, planned.changes)),
        afterwards: await describePendingFinalization(run.platform),
      },
    };
    console.log(RENDERERS[format]([report]));
    process.exitCode = exitCodeOf([report]);
  });
}
