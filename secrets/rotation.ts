import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../environments";
import { principalsOf, secretsFolder } from "./platform-secrets";
import { certificatesIn, SECRET_FILES, writeSecret } from "./secret-files";

/** Has every principal's certificate made anew by the next synth. */
export function forgetCertificates(environment: Environment): void {
  for (const name of principalsOf(environment).keys()) {
    rmSync(join(secretsFolder(environment), SECRET_FILES.keyPair(name)), { force: true });
  }
}

/** Has an application's password made anew by the next synth. */
export function forgetPassword(environment: Environment, application: string): void {
  for (const file of [SECRET_FILES.password, SECRET_FILES.passwordHash]) {
    rmSync(join(secretsFolder(environment), file(application)), { force: true });
  }
}

/**
 * Brings the files to where they are to be deployed in a step of the CA's rotation, wherever within that step they were left:
 * 1, both CAs are trusted; 2, certificates are made anew, by the new one, at the next synth; 3, the new one alone is trusted.
 */
export async function takeCaRotationStep(environment: Environment, step: number): Promise<void> {
  const folder = secretsFolder(environment);
  const { ca, nextCa, caBundle } = SECRET_FILES;
  const read = (file: string) => readFileSync(join(folder, file), "utf8");
  const isThere = (file: string) => existsSync(join(folder, file));
  const trust = (...files: string[]) =>
    writeSecret(folder, caBundle, files.flatMap((file) => certificatesIn(read(file))).join(""));

  setCaRotationStep(environment, step);
  if (step === 1) {
    if (!isThere(nextCa)) {
      // Here, since every command knows of rotations, and this library takes a fifth of a second to load.
      const { makeCa } = await import("./certificates");
      writeSecret(folder, nextCa, await makeCa(`groundwork ${environment.name}`));
    }
    trust(ca, nextCa);
  } else if (step === 2) {
    if (isThere(nextCa)) {
      renameSync(join(folder, nextCa), join(folder, ca));
    }
  } else {
    trust(ca);
  }
}

/** Says at which step the next command goes on. */
export function setCaRotationStep(environment: Environment, step: number): void {
  writeSecret(secretsFolder(environment), SECRET_FILES.caRotationStep, `${step}\n`);
}

/** The step at which a rotation of the CA stands. */
export function caRotationStepOf(environment: Environment): number | undefined {
  const file = join(secretsFolder(environment), SECRET_FILES.caRotationStep);
  return existsSync(file) ? Number(readFileSync(file, "utf8")) : undefined;
}

/** Ends a rotation of the CA: the new one is deployed everywhere. */
export function finishCaRotation(environment: Environment): void {
  rmSync(join(secretsFolder(environment), SECRET_FILES.caRotationStep), { force: true });
}
