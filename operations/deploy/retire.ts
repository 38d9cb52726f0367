import { join, relative } from "node:path";
import type { Application } from "../../constructs";
import { type Environment, isSecured } from "../../environments";
import { secretsAreGiven, secretsFolder } from "../../secrets/platform-secrets";
import { RETIRED, retireSecretFiles, type UnusedSecret, unusedSecrets } from "../../secrets/retire";
import { endRotations } from "../../secrets/rotation";
import { declaredCatalog } from "../synthesis/environment";
import { PROJECT_ROOT } from "../synthesis/project";
import { listed } from "../terminal/terminal";

/**
 * Takes the secrets out of use that the deployed platform does not know any more: those that others replaced, and the passwords and key
 * pairs of applications that are no longer declared or authenticate in another way. Prints the applications. Leaves those of a folder from
 * GROUNDWORK_SECRETS there.
 */
export function retireSecrets(
  environment: Environment,
  declared: readonly Application[] = declaredCatalog().applications,
): void {
  if (!isSecured(environment)) {
    return;
  }
  const folder = secretsFolder(environment);
  endRotations(environment);
  if (secretsAreGiven()) {
    warn(folder, unusedSecrets(folder, declared));
    return;
  }
  const to = relative(PROJECT_ROOT, join(folder, RETIRED, "applications"));
  for (const line of describeRetired(retireSecretFiles(folder, declared), to)) {
    console.log(`  ${line}`);
  }
}

const isPassword = ({ authentication }: UnusedSecret) => authentication === "password";

const namesOf = (secrets: readonly UnusedSecret[]) => secrets.map(({ application }) => application);

/** Describes where the secrets went. Nothing revokes a certificate before it expires, except a new CA. */
function describeRetired(retired: readonly UnusedSecret[], to: string): string[] {
  const passwords = retired.filter(isPassword);
  const removed = namesOf(passwords.filter(({ isDeclared }) => !isDeclared));
  const replaced = namesOf(passwords.filter(({ isDeclared }) => isDeclared));
  return [
    ...(removed.length > 0
      ? [
          `no longer declared: ${listed(removed)}. The password moved to ${to}; declared again, the application gets a new one`,
        ]
      : []),
    ...(replaced.length > 0
      ? [
          `with a certificate now: ${listed(replaced)}. The password moved to ${to}; with a password again, the application gets a new one`,
        ]
      : []),
    ...retired
      .filter((secret) => !isPassword(secret))
      .map(({ application, isDeclared, expires }) => {
        const what = isDeclared ? "with a password now" : "no longer declared";
        const accepted = isDeclared
          ? "is accepted"
          : "is accepted again if the application is declared again";
        const until = expires ? `Until ${expires.toISOString()}` : "Until it expires";
        return `${what}: ${application}. The key pair moved to ${to}. ${until}, its certificate ${accepted}: npm run rotate -- certificates --revoke ends that`;
      }),
  ];
}

function warn(folder: string, unused: readonly UnusedSecret[]): void {
  const passwords = namesOf(unused.filter(isPassword));
  const certificates = namesOf(unused.filter((secret) => !isPassword(secret)));
  if (passwords.length > 0) {
    console.warn(
      `warning: ${folder} still has the password of ${listed(passwords)}, which the catalog does not declare with a password: remove ${passwords.map((name) => `applications/${name}.password applications/${name}.bcrypt`).join(" ")} there, or the old password is valid again when it does`,
    );
  }
  if (certificates.length > 0) {
    console.warn(
      `warning: ${folder} still has the key pair of ${listed(certificates)}, which the catalog does not declare with a certificate: remove ${certificates.map((name) => `applications/${name}.pem`).join(" ")} there. The certificate is valid until it expires`,
    );
  }
}
