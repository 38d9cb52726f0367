import type { Security } from "../constructs";
import { type Environment, isSecured } from "../environments";
import { secretsAreGiven, secretsFolder } from "../secrets/platform-secrets";
import { SECRET_FILES } from "../secrets/secret-files";
import { securityIn } from "../secrets/secret-folder";
import { stateFolder } from "./state-backend";

/** Returns the paths of an environment's certificates and passwords, or `undefined` without TLS. */
export function securityOf(environment: Environment): Security | undefined {
  if (!isSecured(environment)) {
    return undefined;
  }
  return securityIn(secretsFolderOf(environment), stateFolder(environment));
}

/** Returns the path of the secret with which Grafana authenticates to the identity provider. */
export function oidcClientSecretOf(environment: Environment): string {
  return `${secretsFolderOf(environment)}/${SECRET_FILES.oidcClientSecret}`;
}

/** Returns a folder relative to a stack's working folder, so that every clone synthesizes the same. */
function secretsFolderOf(environment: Environment): string {
  return secretsAreGiven() ? secretsFolder(environment) : `${stateFolder(environment)}/secrets`;
}
