import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { readTextFile } from "../constructs/container/text-file";
import { ValidationError, validate } from "../constructs/container/validation";
import { hostNamesOn } from "../constructs/network/host-name";
import { BACKUP_PRINCIPAL } from "../constructs/opensearch/backup";
import { type Application, hasCertificate } from "../constructs/security/application";
import { CLIENTS, CLUSTERS, SERVICES } from "../constructs/security/principals";
import { type Environment, isSecured, nodesOf } from "../environments";
import { ensureAdminPassword, isAdminPasswordPending } from "./admin-password";
import { recordGeneration } from "./generation";
import { refuseOpenFiles } from "./modes";
import { withoutLineBreak } from "./password";
import {
  checkModes,
  checkPasswordHashes,
  checkSecretFiles,
  ensureSecretFiles,
  expiryOf,
  makeSecretFiles,
  missingFiles,
  outdatedCertificates,
  readCaBundle,
  renewKeyPairs,
  SECRET_FILES,
  type WantedSecrets,
} from "./secret-files";
import { moveSecrets, renameCommands, renameSecretFiles } from "./takeover";

const ROOT = join(__dirname, "..");

/** Variable with the folder of an environment's secrets, for a CI or a vault. Only the renewal of due certificates writes to it. */
const GIVEN_BY = "GROUNDWORK_SECRETS";

/** Returns the folder of an environment's secrets. */
export function secretsFolder({ name }: Environment): string {
  const given = process.env[GIVEN_BY];
  return given ? resolve(given) : join(ROOT, ownFolder(name));
}

/** Returns the folder of generated secrets, relative to the project's root. */
function ownFolder(name: string): string {
  return join(".state", name, "secrets");
}

/** Moves an environment's secrets from the folder of earlier versions and prints that. Leaves secrets from GROUNDWORK_SECRETS alone. */
export function takeOverSecrets({ name }: Environment): void {
  if (secretsAreGiven()) {
    return;
  }
  const [from, to] = [join("environments", "secrets", name), ownFolder(name)];
  if (moveSecrets(ROOT, from, to)) {
    console.error(`moved the secrets of ${name} from ${from} to ${to}`);
  }
  renameSecretFiles(join(ROOT, to));
}

/** Returns whether GROUNDWORK_SECRETS is set. */
export function secretsAreGiven(): boolean {
  return Boolean(process.env[GIVEN_BY]);
}

/** Returns the host names and addresses of every principal with a certificate, by its name, which is the certificate's common name. */
export function principalsOf(environment: Environment): ReadonlyMap<string, readonly string[]> {
  const { infra, project } = environment.networks;
  const nodes = CLUSTERS.flatMap((cluster) =>
    nodesOf(environment, cluster).map((name): [string, string[]] => [
      name,
      hostNamesOn([infra, project], name, cluster),
    ]),
  );
  return new Map([
    ...nodes,
    ...SERVICES.map((name): [string, string[]] => [name, hostNamesOn([infra], name)]),
    ...[...CLIENTS, ...(environment.backup ? [BACKUP_PRINCIPAL] : [])].map(
      (name): [string, string[]] => [name, [name]],
    ),
  ]);
}

/** Returns what an environment's secrets folder must contain. */
export function wantedBy(
  environment: Environment,
  applications: readonly Application[],
): WantedSecrets {
  const names = (some: readonly Application[]) => some.map(({ name }) => name);
  return {
    owner: `groundwork ${environment.name}`,
    principals: principalsOf(environment),
    passwordApplications: names(applications.filter((one) => !hasCertificate(one))),
    certificateApplications: names(applications.filter(hasCertificate)),
  };
}

/** Describes the secrets that `ensureSecrets` would generate or renew, one line for each file or certificate. Changes nothing. */
export function pendingSecrets(
  environment: Environment,
  applications: readonly Application[],
): string[] {
  const adminPassword = isAdminPasswordPending(environment)
    ? [`Grafana's admin password in .state/${environment.name}/ is missing`]
    : [];
  // Nothing is written to a given folder.
  if (!isSecured(environment) || secretsAreGiven()) {
    return adminPassword;
  }
  return [
    ...adminPassword,
    ...missingSecrets(environment, applications),
    ...outdatedCertificates(secretsFolder(environment), wantedBy(environment, applications)).map(
      (name) => `the certificate of ${name} is due`,
    ),
  ];
}

/** Describes the secrets of a secured platform that `ensureSecrets` would generate, one line for each file. */
export function missingSecrets(
  environment: Environment,
  applications: readonly Application[],
): string[] {
  const folder = secretsFolder(environment);
  return isSecured(environment) && !secretsAreGiven()
    ? missingFiles(folder, wantedBy(environment, applications)).map(
        (file) => `${join(folder, file)} is missing`,
      )
    : [];
}

/**
 * Prepares the secrets that Terraform reads: uses given ones, and generates the others if they are missing. Synthesized stacks do not
 * contain them. Throws if a secret is not usable.
 */
export async function ensureSecrets(
  environment: Environment,
  applications: readonly Application[] = [],
  adminPassword?: string,
): Promise<void> {
  try {
    await ensureKeyPairs(environment, applications);
    ensureAdminPassword(environment, adminPassword);
    checkOidcClientSecret(environment);
  } catch (error) {
    const { code = "", path } = error as NodeJS.ErrnoException;
    throw NO_ACCESS.includes(code)
      ? new ValidationError(
          `${path} cannot be read or written by this user (${code}): if it was made with sudo, run sudo chown -R "$USER" "${join(ROOT, ".state")}"`,
        )
      : error;
  }
}

/** The errors of files to which a user has no access. */
const NO_ACCESS = ["EACCES", "EPERM", "EROFS"];

/** Throws if Grafana's client secret is missing or not usable. The messages do not contain it. */
function checkOidcClientSecret(environment: Environment): void {
  const { name, grafana, excludedServices } = environment;
  if (!grafana.oidc || excludedServices?.includes("grafana")) {
    return;
  }
  const file = join(secretsFolder(environment), SECRET_FILES.oidcClientSecret);
  validate(
    existsSync(file),
    () =>
      `${file} is missing, and environment "${name}" has grafana.oidc: write the client secret there that the identity provider generated for "${grafana.oidc?.clientId}"`,
  );
  refuseOpenFiles(secretsFolder(environment), [SECRET_FILES.oidcClientSecret]);
  validate(
    /^[\x21-\x7e]+$/.test(withoutLineBreak(readTextFile(file))),
    () =>
      `${file} must be one line of ASCII characters without spaces: write the client secret of the identity provider`,
  );
}

/**
 * Generates missing secrets of an environment, readable by their owner only, and renews outdated certificates. Throws if a secret is not
 * usable, or if GROUNDWORK_SECRETS is set and a file is missing there or open to other users.
 */
export async function ensureKeyPairs(
  environment: Environment,
  applications: readonly Application[] = [],
): Promise<void> {
  if (!isSecured(environment)) {
    return;
  }
  const folder = secretsFolder(environment);
  const wanted = wantedBy(environment, applications);
  if (secretsAreGiven()) {
    const missing = missingFiles(folder, wanted);
    validate(
      missing.length === 0,
      () =>
        `${GIVEN_BY} is "${folder}", where ${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} missing: ${remedyIn(folder, environment)}`,
    );
    checkModes(folder, wanted);
    checkSecretFiles(folder, wanted);
    await checkPasswordHashes(folder, wanted);
  } else {
    takeOverSecrets(environment);
    await ensureSecretFiles(folder, wanted);
    recordGeneration(folder);
  }
}

function remedyIn(folder: string, { name }: Environment): string {
  const renames = renameCommands(folder);
  return renames
    ? `its files have the names of an earlier version; rename them with ${renames}`
    : `add what is missing, or unset ${GIVEN_BY} to generate secrets in ${ownFolder(name)}`;
}

/**
 * Renews the certificates that are due, also in a folder from GROUNDWORK_SECRETS if it has the CA's key. Returns their common names.
 */
export async function renewDueKeyPairs(
  environment: Environment,
  applications: readonly Application[],
): Promise<string[]> {
  const folder = secretsFolder(environment);
  try {
    const renewed = await renewKeyPairs(folder, wantedBy(environment, applications));
    if (renewed.length > 0) {
      recordGeneration(folder);
    }
    return renewed;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw code && NO_ACCESS.includes(code)
      ? new ValidationError(
          `certificates are due, and ${folder} cannot be written (${message}): renew them at their source, or run this as a user who may write there`,
        )
      : error;
  }
}

/** Generates missing files in a folder of an environment's secrets. @internal */
export async function makeKeyPairs(
  folder: string,
  environment: Environment,
  applications: readonly Application[],
): Promise<void> {
  await makeSecretFiles(folder, wantedBy(environment, applications));
  recordGeneration(folder);
}

/**
 * Returns the expiry dates of an environment's certificates: of principals and applications by name, and of the CA bundle by subject. Of CAs with one
 * subject, such as a CA and its renewal, the first date counts.
 */
export function certificatesOf(
  environment: Environment,
  applications: readonly Application[],
): {
  readonly principals: ReadonlyMap<string, Date>;
  readonly applications: ReadonlyMap<string, Date>;
  readonly caBundle: ReadonlyMap<string, Date>;
} {
  const folder = secretsFolder(environment);
  const { principals, certificateApplications } = wantedBy(environment, applications);
  const { keyPair, applicationKeyPair } = SECRET_FILES;
  const expiries = (names: Iterable<string>, fileOf: (name: string) => string) =>
    new Map([...names].map((name) => [name, expiryOf(join(folder, fileOf(name)))]));
  return {
    principals: expiries(principals.keys(), keyPair),
    applications: expiries(certificateApplications, applicationKeyPair),
    caBundle: new Map(
      readCaBundle(join(folder, SECRET_FILES.caBundle))
        .map(({ subject, validTo }) => [subject, new Date(validTo)] as const)
        .sort(([, one], [, other]) => other.getTime() - one.getTime()),
    ),
  };
}
