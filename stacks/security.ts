import type { Security } from "../constructs";
import { type Environment, isSecured } from "../environments";
import { SECRET_FILES, secretsAreGiven, secretsFolder } from "../environments/identities";

/** What an environment's services and sidecars know their principals by; nothing where its networks are trusted. */
export function securityOf(environment: Environment): Security | undefined {
  if (!isSecured(environment)) {
    return undefined;
  }
  // As a stack's working folder sees it, so that every clone synthesizes the same.
  const folder = secretsAreGiven()
    ? secretsFolder(environment)
    : `../../../environments/secrets/${environment.name}`;
  const at = (file: string) => `${folder}/${file}`;
  return {
    authorities: at(SECRET_FILES.authorities),
    identityOf: (principal) => at(SECRET_FILES.identity(principal)),
    credentialsOf: (application) => ({
      password: at(SECRET_FILES.password(application)),
      passwordHash: at(SECRET_FILES.passwordHash(application)),
    }),
  };
}
