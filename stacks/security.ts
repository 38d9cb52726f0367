import { Fn, TerraformOutput, type TerraformStack } from "cdktf";
import type { Security } from "../constructs";
import { type Environment, isSecured } from "../environments";
import { secretsAreGiven, secretsFolder } from "../secrets/platform-secrets";
import { SECRET_FILES } from "../secrets/secret-files";
import { securityIn } from "../secrets/secret-folder";
import { stateFolder } from "./state-backend";

/** The output with the generation of the deployed secrets: its number and digest. */
export const GENERATION_OUTPUT = "secrets_generation";

/**
 * Has the state of a stack say which generation of the secrets is deployed. It is written before anything that uses the secrets. The label
 * of two sidecars says the same to clones that have another state.
 */
export function declareGeneration(stack: TerraformStack, environment: Environment): void {
  if (isSecured(environment)) {
    new TerraformOutput(stack, GENERATION_OUTPUT, {
      value: newestGeneration(secretsFolderOf(environment)),
      description: "Generation of the deployed secrets: its number and SHA-256",
    });
  }
}

/** Reads the newest generation at plan time. Empty for a folder without generations, such as one that a vault fills. */
function newestGeneration(folder: string): string {
  const generations = Fn.try([Fn.file(`${folder}/${SECRET_FILES.generation}`), ""]);
  return Fn.element(Fn.split("\n", generations), 0);
}

/** Returns the paths of an environment's certificates and passwords, or `undefined` without TLS. */
export function securityOf(environment: Environment): Security | undefined {
  if (!isSecured(environment)) {
    return undefined;
  }
  const folder = secretsFolderOf(environment);
  return { ...securityIn(folder), generation: newestGeneration(folder) };
}

/** Returns the path of the secret with which Grafana authenticates to the identity provider. */
export function oidcClientSecretOf(environment: Environment): string {
  return `${secretsFolderOf(environment)}/${SECRET_FILES.oidcClientSecret}`;
}

/** Returns a folder relative to a stack's working folder, so that every clone synthesizes the same. */
function secretsFolderOf(environment: Environment): string {
  return secretsAreGiven() ? secretsFolder(environment) : `${stateFolder(environment)}/secrets`;
}
