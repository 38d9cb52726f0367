import type { Security } from "../constructs";
import { type Environment, isSecured } from "../environments";
import { secretsAreGiven, secretsFolder } from "../secrets/platform-secrets";
import { securityIn } from "../secrets/secret-folder";
import { stateFolder } from "./state-backend";

/** What an environment's services and sidecars know their principals by; nothing where its networks are trusted. */
export function securityOf(environment: Environment): Security | undefined {
  if (!isSecured(environment)) {
    return undefined;
  }
  // As a stack's working folder sees it, so that every clone synthesizes the same.
  const folder = secretsAreGiven()
    ? secretsFolder(environment)
    : `${stateFolder(environment)}/secrets`;
  return securityIn(folder);
}
