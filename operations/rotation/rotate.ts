import type { Application } from "../../constructs";
import { type Environment, isSecured } from "../../environments";
import { secretsAreGiven, secretsFolder } from "../../environments/identities";
import {
  authorityStepOf,
  finishAuthority,
  forgetCertificates,
  forgetPassword,
  setAuthorityStep,
  takeAuthorityStep,
} from "../../environments/rotation";
import { deployPlatform } from "../deploy/deploy";
import { CommandError, listed } from "../terminal/terminal";

/**
 * What is deployed one after the other when the authority is replaced, so that whoever has a certificate of the old one and whoever has
 * one of the new one know each other all the time.
 */
const AUTHORITY_STEPS = [
  "the old authority and the new one are trusted",
  "every certificate is made anew, by the new authority",
  "the new authority alone is trusted",
];

/**
 * Replaces the authority and every certificate (`ca`), every certificate (`certificates`) or an application's password (its name), and
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
      `environment "${environment.name}" has nothing to rotate: it is not locked; security: "tls" in environments/${environment.name}.ts does that`,
    );
  }
  if (secretsAreGiven()) {
    throw new CommandError(
      `GROUNDWORK_SECRETS gives the secrets of environment "${environment.name}" (${secretsFolder(environment)}), so they are rotated where they come from: docs/security.md says in which order`,
    );
  }
  if (what === "ca") {
    await rotateAuthority(environment, names);
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

async function rotateAuthority(
  environment: Environment,
  applications: readonly string[],
): Promise<void> {
  const first = authorityStepOf(environment) ?? 1;
  if (first > 1) {
    console.log(`the authority is being replaced: going on with step ${first} of 3`);
  }
  for (let step = first; step <= AUTHORITY_STEPS.length; step++) {
    console.log(`step ${step} of ${AUTHORITY_STEPS.length}: ${AUTHORITY_STEPS[step - 1]}`);
    await takeAuthorityStep(environment, step);
    await deployPlatform(environment);
    if (step === 1 && applications.length > 0) {
      setAuthorityStep(environment, 2);
      console.log(
        `\nstep 1 of ${AUTHORITY_STEPS.length} is deployed. From step 2 on the servers' certificates are the new authority's: give both authorities to ${listed(applications)} first (npm run credentials -- ${applications[0]} --format ca), then run the same command again`,
      );
      return;
    }
  }
  finishAuthority(environment);
  console.log("\nthe authority and every certificate are new ones");
}
