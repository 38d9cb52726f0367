import { type Format, RENDERERS } from "../operations/changes/render";
import { exitCodeOf } from "../operations/changes/report";
import { describeConsequences, withPlan } from "../operations/deploy/prepare";
import { followContext } from "../operations/engine/context";
import { currentEnvironment } from "../operations/synthesis/environment";

/** Prints what a deploy would change, as Terraform plans it. Sets the exit code by the severity of the changes. */
export async function showPlan({ format }: { readonly format: Format }): Promise<void> {
  await withPlan(await followContext(currentEnvironment()), async (run) => {
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
  });
}
