import { setTimeout } from "node:timers/promises";
import type { Environment } from "../../environments";
import { findHolder } from "../lock/lock";
import { ageMs, describeOwner, type Owner } from "../lock/owner";
import { CommandError } from "../terminal/terminal";
import { type DriftReport, EXIT_NO_DRIFT, exitCodeOf } from "./drift";

/** A lock that is older was left by a command that nobody sees any more, such as one of a runner that is gone. */
const LONGEST_MS = 24 * 60 * 60 * 1000;

/** Shorter than most deploys, which plan every stack first. Each look is a connection to an engine over SSH, beside those of Terraform. */
const INTERVAL_MS = 5000;

/**
 * Compares a platform that no command changes. Returns why it was not compared if one did before or meanwhile: what is not deployed yet looks
 * like drift, and a node that is being replaced does not answer. Throws if the lock is older than a day: nothing would be compared ever again.
 */
export async function compareAtRest(
  environment: Environment,
  compare: () => Promise<DriftReport>,
): Promise<DriftReport | string> {
  const before = await describeChange(environment);
  if (before !== undefined) {
    return before;
  }
  const watch = watchHolder(environment);
  const describeMeanwhile = async () =>
    (await describeChange(environment)) ?? describeEnded(environment, await watch.stop());
  try {
    const report = await compare();
    return exitCodeOf(report) === EXIT_NO_DRIFT ? report : ((await describeMeanwhile()) ?? report);
  } catch (error) {
    const meanwhile = await describeMeanwhile();
    if (meanwhile === undefined) {
      throw error;
    }
    return meanwhile;
  } finally {
    await watch.stop();
  }
}

/** Looks for another command until it is stopped, since one may begin and end during a comparison. `stop` returns the first that was seen. */
function watchHolder(environment: Environment): {
  readonly stop: () => Promise<Owner | undefined>;
} {
  const stopping = new AbortController();
  const { signal } = stopping;
  const watch = async () => {
    let seen: Owner | undefined;
    while (seen === undefined && !signal.aborted) {
      await setTimeout(INTERVAL_MS, undefined, { signal }).catch(() => undefined);
      seen = signal.aborted ? undefined : await findHolder(environment);
    }
    return seen;
  };
  // A look that fails has seen none.
  const seen = watch().catch(() => undefined);
  return {
    stop() {
      stopping.abort();
      return seen;
    },
  };
}

function describeEnded({ name }: Environment, holder: Owner | undefined): string | undefined {
  return (
    holder &&
    `environment "${name}" was not compared, since another command changed it meanwhile and has ended: ${describeOwner(holder)}. Run npm run drift again`
  );
}

async function describeChange(environment: Environment): Promise<string | undefined> {
  const { name } = environment;
  const holder = await findHolder(environment);
  if (holder === undefined) {
    return undefined;
  }
  const remedy = "If it does not run any more, npm run up -- --force-unlock takes its lock";
  if (ageMs(holder) > LONGEST_MS) {
    throw new CommandError(
      `environment "${name}" cannot be compared, since another command has had the lock for more than a day: ${describeOwner(holder)}. ${remedy}`,
    );
  }
  return `environment "${name}" was not compared, since another command changes it: ${describeOwner(holder)}. Run npm run drift again once that has ended. ${remedy}`;
}
