import type { Security } from "../constructs";
import { type Environment, isSecured } from "../environments";
import { secretsAreGiven, secretsFolder } from "../secrets/platform-secrets";
import { securityIn } from "../secrets/secret-folder";
import { stateFolder } from "./state-backend";

/** Returns the paths of an environment's certificates and passwords, or `undefined` without TLS. */
export function securityOf(environment: Environment): Security | undefined {
  if (!isSecured(environment)) {
    return undefined;
  }
  // Relative to a stack's working folder, so that every clone synthesizes the same.
  const folder = secretsAreGiven()
    ? secretsFolder(environment)
    : `${stateFolder(environment)}/secrets`;
  return securityIn(folder, stateFolder(environment));
}
