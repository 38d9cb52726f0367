import type { Application } from "../../constructs";
import { type Environment, isSecured } from "../../environments";
import { secretsAreGiven, secretsFolder, takeOverSecrets } from "../../secrets/platform-secrets";
import {
  caRotationStepOf,
  finishCaRotation,
  forgetCertificates,
  forgetPassword,
  setCaRotationStep,
  takeCaRotationStep,
} from "../../secrets/rotation";
import { deployPlatform } from "../deploy/deploy";
import { fileOf } from "../synthesis/environment";
import { CommandError, listed } from "../terminal/terminal";

/**
 * What is deployed one after the other when the CA is replaced, so that whoever has a certificate of the old one and whoever has
 * one of the new one know each other all the time.
 */
const CA_ROTATION_STEPS = [
  "the old CA and the new one are trusted",
  "every certificate is made anew, by the new CA",
  "the new CA alone is trusted",
];

/**
 * Replaces the CA and every certificate (`ca`), every certificate (`certificates`) or an application's password (its name), and
 * deploys that. Fails with what is allowed for anything else.
 */
export async function rotate(
  environment: Environment,
  applications: readonly Application[],
  what: string | undefined,
): Promise<void> {
  const names = applications.map(({ name }) => name);
  if (what === undefined || !["ca", "certificates", ...names].includes(what)) {
    throw new CommandError(
      `${what === undefined ? "npm run rotate wants to know what" : `"${what}" cannot be rotated`}: allowed are ca, certificates and the applications that are declared (${names.join(", ") || "none yet, in catalog/applications.ts"})`,
    );
  }
  if (!isSecured(environment)) {
    throw new CommandError(
      `environment "${environment.name}" has nothing to rotate: it is not secured; security: "tls" in ${fileOf(environment.name)} does that`,
    );
  }
  if (secretsAreGiven()) {
    throw new CommandError(
      `GROUNDWORK_SECRETS gives the secrets of environment "${environment.name}" (${secretsFolder(environment)}), so they are rotated where they come from: docs/security.md says in which order`,
    );
  }
  takeOverSecrets(environment);
  if (what === "ca") {
    await rotateCa(environment, names);
  } else if (what === "certificates") {
    forgetCertificates(environment);
    await deployPlatform(environment);
    console.log("\nevery certificate is a new one");
  } else {
    forgetPassword(environment, what);
    await deployPlatform(environment);
    console.log(
      `\n"${what}" has a new password, and is refused with the old one: npm run credentials -- ${what}`,
    );
  }
}

async function rotateCa(environment: Environment, applications: readonly string[]): Promise<void> {
  const first = caRotationStepOf(environment) ?? 1;
  if (first > 1) {
    console.log(`the CA is being replaced: going on with step ${first} of 3`);
  }
  for (let step = first; step <= CA_ROTATION_STEPS.length; step++) {
    console.log(`step ${step} of ${CA_ROTATION_STEPS.length}: ${CA_ROTATION_STEPS[step - 1]}`);
    await takeCaRotationStep(environment, step);
    await deployPlatform(environment);
    if (step === 1 && applications.length > 0) {
      setCaRotationStep(environment, 2);
      console.log(
        `\nstep 1 of ${CA_ROTATION_STEPS.length} is deployed. From step 2 on the servers' certificates are the new CA's: give both CAs to ${listed(applications)} first (npm run credentials -- ${applications[0]} --format ca), then run the same command again`,
      );
      return;
    }
  }
  finishCaRotation(environment);
  console.log("\nthe CA and every certificate are new ones");
}
