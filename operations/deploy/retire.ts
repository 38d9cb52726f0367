import { join, relative } from "node:path";
import { type Environment, isSecured } from "../../environments";
import { secretsAreGiven, secretsFolder } from "../../secrets/platform-secrets";
import { RETIRED, retireApplications, undeclaredApplications } from "../../secrets/retire";
import { endRotations } from "../../secrets/rotation";
import { declaredCatalog } from "../synthesis/environment";
import { PROJECT_ROOT } from "../synthesis/project";
import { listed } from "../terminal/terminal";

/**
 * Takes the secrets out of use that the deployed platform does not know any more: those that others replaced, and the passwords of
 * applications that are no longer declared. Prints the applications. Leaves a folder from GROUNDWORK_SECRETS alone.
 */
export function retireSecrets(
  environment: Environment,
  declared: readonly string[] = declaredCatalog().applications.map(({ name }) => name),
): void {
  if (!isSecured(environment)) {
    return;
  }
  const folder = secretsFolder(environment);
  if (secretsAreGiven()) {
    const undeclared = undeclaredApplications(folder, declared);
    if (undeclared.length > 0) {
      console.warn(
        `warning: ${folder} still has the password of ${listed(undeclared)}, which the catalog does not declare: remove ${undeclared.map((name) => `applications/${name}.*`).join(" ")} there, or the old password is valid again when the application is declared again`,
      );
    }
    return;
  }
  endRotations(environment);
  const retired = retireApplications(folder, declared);
  if (retired.length > 0) {
    console.log(
      `  no longer declared: ${listed(retired)}. The password moved to ${relative(PROJECT_ROOT, join(folder, RETIRED, "applications"))}; declared again, the application gets a new one`,
    );
  }
}
