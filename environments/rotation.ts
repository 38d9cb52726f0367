import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { certificatesIn, SECRET_FILES, writeSecret } from "../secrets/secret-files";
import type { Environment } from "./environment";
import { principalsOf, secretsFolder } from "./identities";

/** Has every principal's certificate made anew by the next synth. */
export function forgetCertificates(environment: Environment): void {
  for (const name of principalsOf(environment).keys()) {
    rmSync(join(secretsFolder(environment), SECRET_FILES.identity(name)), { force: true });
  }
}

/** Has an application's password made anew by the next synth. */
export function forgetPassword(environment: Environment, application: string): void {
  for (const file of [SECRET_FILES.password, SECRET_FILES.passwordHash]) {
    rmSync(join(secretsFolder(environment), file(application)), { force: true });
  }
}

/**
 * Brings the files to where they are to be deployed in a step of replacing the authority, wherever within that step they were left:
 * 1, both authorities are trusted; 2, certificates are made anew, by the new one, at the next synth; 3, the new one alone is trusted.
 */
export async function takeAuthorityStep(environment: Environment, step: number): Promise<void> {
  const folder = secretsFolder(environment);
  const { authority, nextAuthority, authorities } = SECRET_FILES;
  const read = (file: string) => readFileSync(join(folder, file), "utf8");
  const isThere = (file: string) => existsSync(join(folder, file));
  const trust = (...files: string[]) =>
    writeSecret(folder, authorities, files.flatMap((file) => certificatesIn(read(file))).join(""));

  setAuthorityStep(environment, step);
  if (step === 1) {
    if (!isThere(nextAuthority)) {
      // Here, since every command knows of rotations, and this library takes a fifth of a second to load.
      const { makeAuthority } = await import("../secrets/certificates");
      writeSecret(folder, nextAuthority, await makeAuthority(`groundwork ${environment.name}`));
    }
    trust(authority, nextAuthority);
  } else if (step === 2) {
    if (isThere(nextAuthority)) {
      renameSync(join(folder, nextAuthority), join(folder, authority));
    }
  } else {
    trust(authority);
  }
}

/** Says at which step the next command goes on. */
export function setAuthorityStep(environment: Environment, step: number): void {
  writeSecret(secretsFolder(environment), SECRET_FILES.authorityStep, `${step}\n`);
}

/** The step at which a replacement of the authority stands. */
export function authorityStepOf(environment: Environment): number | undefined {
  const file = join(secretsFolder(environment), SECRET_FILES.authorityStep);
  return existsSync(file) ? Number(readFileSync(file, "utf8")) : undefined;
}

/** The authority is replaced, everywhere. */
export function finishAuthority(environment: Environment): void {
  rmSync(join(secretsFolder(environment), SECRET_FILES.authorityStep), { force: true });
}
