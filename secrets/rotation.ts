import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readTextFile } from "../constructs/container/text-file";
import { validate } from "../constructs/container/validation";
import { type Application, hasCertificate } from "../constructs/security/application";
import type { Environment } from "../environments";
import { readCertificates, readSigningCa } from "./pem";
import { principalsOf, secretsFolder, wantedBy } from "./platform-secrets";
import {
  checkCa,
  expiryOf,
  keepReplaced,
  makePassword,
  newKeyPairs,
  SECRET_FILES,
  writeSecret,
} from "./secret-files";

/**
 * Writes a new key pair for every principal, and for every application that has one. The old ones stay beside them until `endRotations`.
 * Can be repeated after an interruption.
 */
export async function replaceKeyPairs(
  environment: Environment,
  applications: readonly Application[],
): Promise<void> {
  const folder = secretsFolder(environment);
  checkCa(folder);
  for (const [file, make] of newKeyPairs(folder, wantedBy(environment, applications))) {
    await replaceSecret(folder, file, make);
  }
}

/**
 * Writes a new password or key pair for an application. The old one stays beside it until `endRotations`. Can be repeated after an
 * interruption.
 */
export async function replaceCredentials(
  environment: Environment,
  application: Application,
): Promise<void> {
  const folder = secretsFolder(environment);
  const file = credentialsFileOf(application);
  if (hasCertificate(application)) {
    checkCa(folder);
  }
  const makeNew =
    newKeyPairs(folder, wantedBy(environment, [application])).get(file) ?? makePassword;
  await replaceSecret(folder, file, makeNew);
}

/** Returns when the certificate expires that `replaceCredentials` replaced. Undefined for a password. */
export function expiryOfReplaced(
  environment: Environment,
  application: Application,
): Date | undefined {
  const file = SECRET_FILES.replaced(credentialsFileOf(application));
  return hasCertificate(application) ? expiryOf(join(secretsFolder(environment), file)) : undefined;
}

/** Returns the file with an application's password or key pair. */
function credentialsFileOf(application: Application): string {
  const { password, applicationKeyPair } = SECRET_FILES;
  return (hasCertificate(application) ? applicationKeyPair : password)(application.name);
}

/** Keeps the old secret, then writes the new one, unless that is already done: a repeat makes no third secret. */
async function replaceSecret(
  folder: string,
  file: string,
  make: () => string | Promise<string>,
): Promise<void> {
  const read = (name: string) => readFileSync(join(folder, name), "utf8");
  const old = SECRET_FILES.replaced(file);
  keepReplaced(folder, file);
  if (read(file) === read(old)) {
    writeSecret(folder, file, await make());
  }
}

/**
 * Returns whether a rotation of these secrets was interrupted before its end: of the certificates, or of an application's password or key
 * pair.
 */
export function isBeingReplaced(
  environment: Environment,
  what: "certificates" | Application,
): boolean {
  const { keyPair, replaced } = SECRET_FILES;
  const files =
    what === "certificates"
      ? [...principalsOf(environment).keys()].map(keyPair)
      : [credentialsFileOf(what)];
  return files.some((file) => existsSync(join(secretsFolder(environment), replaced(file))));
}

/** Removes the secrets that others have replaced, once those are deployed. */
export function endRotations(environment: Environment): void {
  const folder = secretsFolder(environment);
  for (const kind of ["key-pairs", "applications"]) {
    for (const file of existsSync(join(folder, kind)) ? readdirSync(join(folder, kind)) : []) {
      if (file === SECRET_FILES.replaced(file.replace(/\.replaced$/, ""))) {
        rmSync(join(folder, kind, file));
      }
    }
  }
}

/**
 * Prepares the files for a step of the CA's rotation. A step can be repeated after an interruption.
 * Step 1: both CAs are trusted. Step 2: the next synth generates certificates signed by the new CA. Step 3: only the new CA is trusted.
 */
export async function takeCaRotationStep(environment: Environment, step: number): Promise<void> {
  const folder = secretsFolder(environment);
  const { ca, nextCa, caBundle } = SECRET_FILES;
  const isThere = (file: string) => existsSync(join(folder, file));
  const certificateOf = (file: string) => readSigningCa(join(folder, file)).certificate.toString();
  const trust = (...files: string[]) =>
    writeSecret(folder, caBundle, files.map(certificateOf).join(""));

  setCaRotationStep(environment, step);
  if (step === 1) {
    if (!isThere(nextCa)) {
      // Imported late: every command loads this file, and this library takes 0.2 s to load.
      const { makeCa } = await import("./certificates");
      writeSecret(folder, nextCa, await makeCa(`groundwork ${environment.name}`));
    }
    trust(ca, nextCa);
  } else if (step === 2) {
    if (isThere(nextCa)) {
      renameSync(join(folder, nextCa), join(folder, ca));
    }
    checkIsNext(folder);
  } else {
    checkIsNext(folder);
    trust(ca);
  }
}

/** Throws unless the CA is the one that step 1 added to the bundle: otherwise the rotation would keep the old one. */
function checkIsNext(folder: string): void {
  const { ca, nextCa, caBundle, caRotationStep } = SECRET_FILES;
  const { certificate } = readSigningCa(join(folder, ca));
  const next = readCertificates(join(folder, caBundle)).at(-1)?.certificate;
  validate(
    next?.raw.equals(certificate.raw) ?? false,
    () =>
      `${join(folder, nextCa)} is missing, the CA that ${caBundle} trusts as the next one: put it back, or write 1 to ${join(folder, caRotationStep)} to continue with another new CA`,
  );
}

/** Saves the step with which the next `npm run rotate -- ca` continues. */
export function setCaRotationStep(environment: Environment, step: number): void {
  writeSecret(secretsFolder(environment), SECRET_FILES.caRotationStep, `${step}\n`);
}

/** Returns the current step of a CA rotation, or `undefined` if none is in progress. Throws if its file has anything else. */
export function caRotationStepOf(environment: Environment): number | undefined {
  const file = join(secretsFolder(environment), SECRET_FILES.caRotationStep);
  if (!existsSync(file)) {
    return undefined;
  }
  const step = readTextFile(file).trim();
  validate(
    /^[123]$/.test(step),
    () =>
      `${file} is ${JSON.stringify(step.slice(0, 20))}, and the step of a CA rotation is 1, 2 or 3: write the number of the last line "step <number> of 3" that npm run rotate -- ca printed`,
  );
  return Number(step);
}

/** Ends a CA rotation, once the new CA is deployed everywhere. */
export function finishCaRotation(environment: Environment): void {
  rmSync(join(secretsFolder(environment), SECRET_FILES.caRotationStep), { force: true });
}
