import { join } from "node:path";
import { GENERATION_LABEL } from "../../constructs/security/security";
import { type Environment, isSecured } from "../../environments";
import {
  fitsGeneration,
  type Generation,
  generationsIn,
  parseGeneration,
} from "../../secrets/generation";
import { secretsFolder } from "../../secrets/platform-secrets";
import { SECRET_FILES } from "../../secrets/secret-files";
import { GENERATION_OUTPUT } from "../../stacks/security";
import { dockerAt } from "../engine/docker";
import type { Platform } from "../platform/platform";
import type { Run } from "../run/run";

/**
 * Describes why the secrets are not to be deployed: they are older than the deployed ones, or were not made from them. Returns nothing if
 * they were, or if one of both has no generation, such as a platform of an earlier version or a folder that a vault fills. Warns if the
 * generation does not fit the secrets, and then compares nothing.
 */
export async function describeStaleSecrets(run: Run): Promise<string[]> {
  const { environment } = run.platform;
  if (!isSecured(environment)) {
    return [];
  }
  const folder = secretsFolder(environment);
  if (!fitsGeneration(folder)) {
    console.warn(
      `warning: ${join(folder, SECRET_FILES.generation)} is not the generation of the secrets beside it, since one was replaced at its source: whether they are a stale copy is not checked. Remove the file, or restore the one that belongs to them`,
    );
  }
  const [inState, running] = await Promise.all([
    run.output("network", GENERATION_OUTPUT),
    runningGenerations(run.platform),
  ]);
  return compareGenerations(environment, [inState ?? "", ...running]);
}

/** The same without the state, which a copy of the project can have with the secrets. Needs no plan. */
export async function describeStaleCopy(platform: Platform): Promise<string[]> {
  const { environment } = platform;
  return isSecured(environment)
    ? compareGenerations(environment, await runningGenerations(platform))
    : [];
}

/** Returns the generations of the secrets with which sidecars were created, also of those that an older state does not have. */
async function runningGenerations({ environment, engines }: Platform): Promise<string[]> {
  const labels = await Promise.all(
    engines.map((engine) =>
      dockerAt(
        engine,
        ...["ps", "--all", "--filter", `label=groundwork.environment=${environment.name}`],
        ...["--format", `{{.Label "${GENERATION_LABEL}"}}`],
      ),
    ),
  );
  return labels.flatMap((lines) => lines.split("\n"));
}

/** Compares an environment's secrets with the newest of the deployed generations. @internal */
export function compareGenerations(
  environment: Environment,
  deployed: readonly string[],
): string[] {
  const folder = secretsFolder(environment);
  const own = fitsGeneration(folder) ? generationsIn(folder) : [];
  const generations = deployed.flatMap((line) => parseGeneration(line) ?? []);
  const newest = Math.max(...generations.map(({ number }) => number));
  const other = generations.find((one) => one.number === newest && !isMadeFrom(own, one));
  if (own.length === 0 || other === undefined) {
    return [];
  }
  const found =
    own[0].number < newest
      ? `are older than those of the running platform: generation ${own[0].number} here, ${newest} there`
      : `are not made from those of the running platform: both have a generation ${newest}, with other content`;
  return [
    `the secrets in ${folder} ${found}, so they would bring back replaced passwords or certificates. Copy the secrets from the clone that deployed last, or set GROUNDWORK_SECRETS to their folder. If those are lost, run echo ${newest} >"${join(folder, SECRET_FILES.generation)}" to deploy these, then the same command again`,
  ];
}

/** Whether secrets with these generations, newest first, are the deployed ones or were made from them. */
function isMadeFrom([newest, ...earlier]: readonly Generation[], deployed: Generation): boolean {
  const known = [newest, ...earlier].find((one) => one?.number === deployed.number);
  return Boolean(
    // The same secrets in a copy without the file of their generations have another number.
    (newest?.digest && newest.digest === deployed.digest) ||
      (known && (known.digest === deployed.digest || !known.digest || !deployed.digest)),
  );
}
