import { join } from "node:path";
import { type Environment, isSecured } from "../../environments";
import { generationsIn, parseGeneration } from "../../secrets/generation";
import { secretsFolder } from "../../secrets/platform-secrets";
import { SECRET_FILES } from "../../secrets/secret-files";
import { GENERATION_OUTPUT } from "../../stacks/security";
import type { Run } from "../run/run";

/**
 * Describes why the secrets are not to be deployed: they are older than the deployed ones, or were not made from them. Returns nothing if
 * they were, or if one of both has no generation, such as a platform of an earlier version or a folder that a vault fills.
 */
export async function describeStaleSecrets(run: Run): Promise<string[]> {
  const { environment } = run.platform;
  return isSecured(environment)
    ? compareGenerations(environment, await run.output("network", GENERATION_OUTPUT))
    : [];
}

/** Compares an environment's secrets with the generation in the state. @internal */
export function compareGenerations(environment: Environment, output: string | undefined): string[] {
  const folder = secretsFolder(environment);
  const own = generationsIn(folder);
  const deployed = output === undefined ? undefined : parseGeneration(output);
  if (deployed === undefined || own.length === 0) {
    return [];
  }
  const [newest] = own;
  const known = own.find(({ number }) => number === deployed.number);
  if (
    // The same secrets in a copy without this file have another number.
    (newest.digest && newest.digest === deployed.digest) ||
    (known && (known.digest === deployed.digest || !known.digest || !deployed.digest))
  ) {
    return [];
  }
  const found =
    newest.number < deployed.number
      ? `are older than those of the running platform: generation ${newest.number} here, ${deployed.number} there`
      : `are not made from those of the running platform: both have a generation ${deployed.number}, with other content`;
  return [
    `the secrets in ${folder} ${found}, so they would bring back replaced passwords or certificates. Copy the secrets from the clone that deployed last, or set GROUNDWORK_SECRETS to their folder. If those are lost, run echo ${deployed.number} >"${join(folder, SECRET_FILES.generation)}" to deploy these, then the same command again`,
  ];
}
