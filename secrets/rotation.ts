import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readTextFile } from "../constructs/container/text-file";
import { validate } from "../constructs/container/validation";
import type { Environment } from "../environments";
import { readCertificates, readSigningCa } from "./pem";
import { principalsOf, secretsFolder } from "./platform-secrets";
import { SECRET_FILES, writeSecret } from "./secret-files";

/** Removes every principal's certificate. The next synth generates new ones. */
export function forgetCertificates(environment: Environment): void {
  for (const name of principalsOf(environment).keys()) {
    rmSync(join(secretsFolder(environment), SECRET_FILES.keyPair(name)), { force: true });
  }
}

/** Removes an application's password. The next synth generates a new one. */
export function forgetPassword(environment: Environment, application: string): void {
  const { password, passwordHash, checkedHash } = SECRET_FILES;
  for (const file of [password, passwordHash, checkedHash]) {
    rmSync(join(secretsFolder(environment), file(application)), { force: true });
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
