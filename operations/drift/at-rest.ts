import type { Environment } from "../../environments";
import { describeHolder } from "../lock/lock";
import { type DriftReport, EXIT_NO_DRIFT, exitCodeOf } from "./drift";

/**
 * Compares a platform that no command changes. Returns why it was not compared if one did before or meanwhile: what is not deployed yet looks
 * like drift, and a node that is being replaced does not answer.
 */
export async function compareAtRest(
  environment: Environment,
  compare: () => Promise<DriftReport>,
): Promise<DriftReport | string> {
  const before = await describeChange(environment);
  if (before !== undefined) {
    return before;
  }
  try {
    const report = await compare();
    return exitCodeOf(report) === EXIT_NO_DRIFT
      ? report
      : ((await describeChange(environment)) ?? report);
  } catch (error) {
    const meanwhile = await describeChange(environment);
    if (meanwhile === undefined) {
      throw error;
    }
    return meanwhile;
  }
}

async function describeChange(environment: Environment): Promise<string | undefined> {
  const holder = await describeHolder(environment);
  return (
    holder &&
    `environment "${environment.name}" was not compared, since another command changes it: ${holder}. Run npm run drift again once that has ended. If it does not run any more, npm run up -- --force-unlock takes its lock`
  );
}
