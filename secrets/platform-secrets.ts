import { join, resolve } from "node:path";
import { validate } from "../constructs/container/validation";
import { hostNamesOn } from "../constructs/network/host-name";
import type { Application } from "../constructs/security/application";
import { CLIENTS, CLUSTERS, SERVICES } from "../constructs/security/principals";
import { type Environment, isSecured, nodesOf } from "../environments";
import { ensureAdminPassword } from "./admin-password";
import {
  checkSecretFiles,
  ensureSecretFiles,
  makeSecretFiles,
  missingFiles,
  readCaBundle,
  readCertificate,
  SECRET_FILES,
  type WantedSecrets,
} from "./secret-files";
import { moveSecrets, renameCommands, renameSecretFiles } from "./takeover";

const ROOT = join(__dirname, "..");

/** Names the folder that all secrets of an environment are given in, for a CI or a vault. Nothing is made or changed there. */
const GIVEN_BY = "GROUNDWORK_SECRETS";

/** Where an environment's secrets lie. */
export function secretsFolder({ name }: Environment): string {
  const given = process.env[GIVEN_BY];
  return given ? resolve(given) : join(ROOT, ownFolder(name));
}

/** Where the secrets of an environment lie that are made here, below the project's root. */
function ownFolder(name: string): string {
  return join(".state", name, "secrets");
}

/** Moves an environment's secrets from where earlier versions have made them, which is said once. Leaves given ones alone. */
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

/** Whether they are given from outside. */
export function secretsAreGiven(): boolean {
  return Boolean(process.env[GIVEN_BY]);
}

/** The host names and addresses of every service and sidecar that has a certificate, by its name, which is the certificate's. */
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
    ...CLIENTS.map((name): [string, string[]] => [name, [name]]),
  ]);
}

/** What an environment's folder of secrets has to hold. */
function wantedBy(environment: Environment, applications: readonly string[]): WantedSecrets {
  return {
    owner: `groundwork ${environment.name}`,
    principals: principalsOf(environment),
    applications,
  };
}

/**
 * Puts the environment's secrets where Terraform reads them: those that are given as they are given, those that the environment
 * generates unless they are there. No synth output has them. Fails when one cannot work.
 */
export async function ensureSecrets(
  environment: Environment,
  applications: readonly Application[] = [],
  adminPassword?: string,
): Promise<void> {
  await ensureKeyPairs(
    environment,
    applications.map(({ name }) => name),
  );
  ensureAdminPassword(environment, adminPassword);
}

/**
 * Makes what is missing of an environment's secrets, for this user's eyes only, and certificates anew that should not be used any more.
 * Fails when one cannot work, or, where they are given, is not there. @internal
 */
export async function ensureKeyPairs(
  environment: Environment,
  applications: readonly string[] = [],
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
        `${GIVEN_BY} is "${folder}", which lacks ${missing.join(", ")}: ${remedyIn(folder, environment)}`,
    );
    checkSecretFiles(folder, wanted);
  } else {
    takeOverSecrets(environment);
    await ensureSecretFiles(folder, wanted);
  }
}

function remedyIn(folder: string, { name }: Environment): string {
  const renames = renameCommands(folder);
  return renames
    ? `it has the names of an earlier version, so rename them, with ${renames}`
    : `put them there, or unset ${GIVEN_BY} to have them made in ${ownFolder(name)}`;
}

/** Makes what is missing in a folder of an environment's secrets. @internal */
export async function makeKeyPairs(
  folder: string,
  environment: Environment,
  applications: readonly string[],
): Promise<void> {
  await makeSecretFiles(folder, wantedBy(environment, applications));
}

/** Until when the certificates of an environment that has its secrets are good, by the names of whom they are. */
export function certificatesOf(environment: Environment): {
  readonly principals: ReadonlyMap<string, Date>;
  readonly caBundle: ReadonlyMap<string, Date>;
} {
  const folder = secretsFolder(environment);
  return {
    principals: new Map(
      [...principalsOf(environment).keys()].map((name) => [
        name,
        new Date(readCertificate(join(folder, SECRET_FILES.keyPair(name))).validTo),
      ]),
    ),
    caBundle: new Map(
      readCaBundle(join(folder, SECRET_FILES.caBundle)).map(({ subject, validTo }) => [
        subject,
        new Date(validTo),
      ]),
    ),
  };
}
