import { describeForeignCa } from "../operations/deploy/foreign-ca";
import { describeStaleSecrets } from "../operations/deploy/stale-secrets";
import { describePendingSecrets, exitCodeOf, findDrift } from "../operations/drift/drift";
import { type Format, RENDERERS } from "../operations/drift/render";
import { followContext } from "../operations/engine/context";
import { checkMachines } from "../operations/machine/machine";
import { Platform } from "../operations/platform/platform";
import { Run } from "../operations/run/run";
import { currentDeclarations } from "../operations/synthesis/environment";
import { missingInputs } from "../operations/synthesis/inputs";
import { synthesize } from "../operations/synthesis/synthesize";
import { refuse } from "../operations/terminal/terminal";

/** Prints how the running platform differs from its declaration. Changes nothing and takes no lock. Sets the exit code. */
export async function showDrift({ format }: { readonly format: Format }): Promise<void> {
  const [declared, catalog] = currentDeclarations();
  const environment = await followContext(declared);
  refuse(describePendingSecrets(environment, catalog));
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
    refuse(await describeStaleSecrets(run));
    const report = await findDrift(run, catalog);
    console.log(RENDERERS[format](report));
    process.exitCode = exitCodeOf(report);
  } finally {
    run.forgetPlans();
  }
}
