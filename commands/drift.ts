import { withPlan } from "../operations/deploy/prepare";
import { describeStaleSecrets } from "../operations/deploy/stale-secrets";
import { compareAtRest } from "../operations/drift/at-rest";
import {
  describePendingSecrets,
  EXIT_CHANGING,
  EXIT_FAILED,
  exitCodeOf,
  findDrift,
} from "../operations/drift/drift";
import { recordRun } from "../operations/drift/record";
import { type Format, RENDERERS } from "../operations/drift/render";
import { followContext } from "../operations/engine/context";
import { currentDeclarations } from "../operations/synthesis/environment";
import { refuse } from "../operations/terminal/terminal";

/**
 * Prints how the running platform differs from its declaration. Changes nothing and takes no lock. Compares nothing while another command has
 * the lock. Records the run where it is scheduled. Sets the exit code.
 */
export async function showDrift({ format }: { readonly format: Format }): Promise<void> {
  const [declared, catalog] = currentDeclarations();
  const environment = await followContext(declared);
  refuse(describePendingSecrets(environment, catalog));
  const report = await compareAtRest(environment, () =>
    withPlan(environment, async (run) => {
      refuse(await describeStaleSecrets(run));
      return findDrift(run, catalog);
    }),
  );
  if (typeof report === "string") {
    console.error(report);
    process.exitCode = EXIT_CHANGING;
    return;
  }
  console.log(RENDERERS[format](report));
  process.exitCode = exitCodeOf(report);
  if (process.exitCode !== EXIT_FAILED) {
    for (const warning of await recordRun(environment)) {
      console.warn(`warning: ${warning}`);
    }
  }
}
