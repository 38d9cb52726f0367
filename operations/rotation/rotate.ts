import { type Application, REAUTHENTICATION_MINUTES } from "../../constructs";
import { hasCertificate } from "../../constructs/security/application";
import { type Environment, isSecured } from "../../environments";
import {
  ensureKeyPairs,
  renewDueKeyPairs,
  secretsAreGiven,
  secretsFolder,
  takeOverSecrets,
} from "../../secrets/platform-secrets";
import {
  caRotationStepOf,
  expiryOfReplaced,
  finishCaRotation,
  isBeingReplaced,
  replaceCredentials,
  replaceKeyPairs,
  setCaRotationStep,
  takeCaRotationStep,
} from "../../secrets/rotation";
import { deployPlatform } from "../deploy/deploy";
import { checkDeploy } from "../deploy/prepare";
import type { StillHeld } from "../lock/still-held";
import { fileOf } from "../synthesis/environment";
import { CommandError, counted, listed } from "../terminal/terminal";

/**
 * The steps of a CA rotation, each deployed before the next, so that holders of old and of new certificates trust each other at any
 * time.
 */
const CA_ROTATION_STEPS = [
  "trust both the old and the new CA",
  "issue every certificate from the new CA",
  "trust only the new CA",
];

export interface RotateOptions {
  /** Whether all nodes are replaced at once, which interrupts the clusters. @default false - one at a time */
  readonly atOnce?: boolean;
  /** Whether certificates are replaced together with the CA, which ends the validity of all earlier ones. @default false */
  readonly revoke?: boolean;
  /** Whether only certificates past two thirds of their life are replaced. @default false */
  readonly due?: boolean;
  /** Like `due`, and nothing is deployed if none was replaced, now or by a command whose deploy failed. @default false */
  readonly onlyIfDue?: boolean;
  /** Throws if another command may change the environment, too. @default - nothing is locked */
  readonly stillHeld?: StillHeld;
}

/** What `--revoke` does and costs. */
const REVOCATION = `revoking every certificate that was issued so far: the CA and all key pairs are replaced, and nothing trusts the old CA in the end
- three deploys follow; the third replaces every node, one at a time, which ends open connections; both clusters keep serving
- a leaked key stays valid until the third deploy has ended
- applications need the new CA bundle before the second deploy, and those with a certificate a new one; passwords stay`;

/** Returns what to rotate. Throws if there is no such secret, or if the options are not for it. Asks no engine. */
export function checkTarget(
  environment: Environment,
  applications: readonly Application[],
  what: string | undefined,
  { revoke, due, onlyIfDue }: Omit<RotateOptions, "atOnce">,
): string {
  const names = applications.map(({ name }) => name);
  if (what === undefined || !["ca", "certificates", ...names].includes(what)) {
    throw new CommandError(
      `${what === undefined ? "npm run rotate needs an argument" : `cannot rotate "${what}"`}: allowed are ca, certificates and declared applications (${names.join(", ") || "none yet, in catalog/applications.ts"})`,
    );
  }
  const [option] = [
    ...(revoke ? ["--revoke"] : []),
    ...(due ? ["--due"] : []),
    ...(onlyIfDue ? ["--only-if-due"] : []),
  ];
  if (option && what !== "certificates") {
    throw new CommandError(
      `${option} is for certificates, not for "${what}": run npm run rotate -- certificates ${option}`,
    );
  }
  if (!isSecured(environment)) {
    throw new CommandError(
      `environment "${environment.name}" has nothing to rotate, because TLS is not enabled: set security: "tls" in ${fileOf(environment.name)} to enable it`,
    );
  }
  return what;
}

/**
 * Replaces the CA and every certificate (`ca`), every certificate (`certificates`) or an application's password or certificate (its name),
 * and deploys the change. Checks first whether a deploy is possible, and keeps each old secret until the new one is deployed. Throws for anything
 * else.
 */
export async function rotate(
  environment: Environment,
  applications: readonly Application[],
  what: string | undefined,
  { atOnce = false, revoke = false, due = false, onlyIfDue = false, stillHeld }: RotateOptions = {},
): Promise<void> {
  const kind = checkTarget(environment, applications, what, { revoke, due, onlyIfDue });
  const application = applications.find(({ name }) => name === kind);
  if (due || onlyIfDue) {
    await renewDue(environment, applications, { atOnce, onlyIfDue, stillHeld });
    return;
  }
  if (secretsAreGiven()) {
    throw new CommandError(
      `GROUNDWORK_SECRETS provides the secrets of environment "${environment.name}" (${secretsFolder(environment)}): rotate them at their source, in the order that docs/how-to/rotate.md gives`,
    );
  }
  takeOverSecrets(environment);
  const target = revoke ? "ca" : kind;
  if (revoke) {
    console.log(REVOCATION);
  }
  await checkBefore(environment, application ?? (target as "ca" | "certificates"), {
    replacesNodes: revoke && !atOnce,
  });
  if (target === "ca") {
    await rotateCa(environment, applications, { atOnce, revoke, stillHeld });
  } else if (application) {
    await rotateApplication(environment, application, { atOnce, stillHeld });
  } else {
    await replaceKeyPairs(environment, applications);
    await deployPlatform(environment, { atOnce, stillHeld });
    console.log(
      `\nevery certificate is new. The old ones are valid until they expire: if a key has leaked, run npm run rotate -- certificates --revoke${remindOf(applications)}`,
    );
  }
}

async function rotateApplication(
  environment: Environment,
  application: Application,
  { atOnce, stillHeld }: RotateOptions,
): Promise<void> {
  const { name } = application;
  await replaceCredentials(environment, application);
  const expires = expiryOfReplaced(environment, application);
  await deployPlatform(environment, { atOnce, stillHeld });
  console.log(
    expires
      ? `\n"${name}" has a new certificate: run npm run credentials -- ${name} to see it. The old one is accepted until it expires on ${expires.toISOString()}: if its key has leaked, run npm run rotate -- certificates --revoke`
      : `\n"${name}" has a new password, and the old one is refused: run npm run credentials -- ${name} to see it. Open connections to Kafka end within ${environment.kafka.reauthenticationMinutes ?? REAUTHENTICATION_MINUTES} min`,
  );
}

const withCertificate = (applications: readonly Application[]) =>
  applications.filter(hasCertificate).map(({ name }) => name);

/** Says which applications have to get new certificates, as the end of a message. */
function remindOf(applications: readonly Application[]): string {
  const names = withCertificate(applications);
  return names.length > 0
    ? `. Give ${listed(names)} ${names.length === 1 ? "its new certificate" : "their new certificates"}: npm run credentials -- ${names[0]}`
    : "";
}

/** Throws if a deploy would be refused or the clusters cannot take it, before a secret is replaced. */
async function checkBefore(
  environment: Environment,
  what: "ca" | "certificates" | Application,
  { replacesNodes }: { readonly replacesNodes: boolean },
): Promise<void> {
  const continues =
    what === "ca"
      ? caRotationStepOf(environment) !== undefined
      : isBeingReplaced(environment, what);
  if (continues && what !== "ca") {
    const called = what === "certificates" ? what : what.name;
    console.log(
      `an earlier rotation of ${called} did not end: continuing with the secrets it made`,
    );
  }
  console.log("checking the platform before a secret is replaced ...");
  // An interrupted replacement leaves a node down, which the deploy starts again.
  await checkDeploy(environment, { replacesNodes: replacesNodes && !continues });
}

/**
 * Renews the certificates that are due, and deploys. Deploys also if none is, since a vault may have renewed them. With `onlyIfDue`, only if
 * those that an earlier command renewed are not deployed yet.
 */
async function renewDue(
  environment: Environment,
  applications: readonly Application[],
  { atOnce, onlyIfDue, stillHeld }: RotateOptions,
): Promise<void> {
  takeOverSecrets(environment);
  const continues = ["certificates" as const, ...applications.filter(hasCertificate)].some((what) =>
    isBeingReplaced(environment, what),
  );
  const renewed = await renewDueKeyPairs(environment, applications);
  console.log(
    renewed.length > 0
      ? `renewed ${counted(renewed.length, "certificate")} past two thirds of ${renewed.length === 1 ? "its" : "their"} life: ${listed(renewed)}`
      : "no certificate is past two thirds of its life",
  );
  if (continues) {
    console.log("an earlier command renewed certificates and did not end: deploying those");
  }
  if (onlyIfDue && renewed.length === 0 && !continues) {
    return;
  }
  await deployPlatform(environment, { atOnce, stillHeld });
}

/** Says which applications also need new certificates before the old CA is trusted no more. */
function andCertificates(applications: readonly Application[]): string {
  const names = withCertificate(applications);
  return names.length > 0
    ? `, and new certificates to ${listed(names)} (npm run credentials -- ${names[0]}), since step 3 refuses the old ones`
    : "";
}

async function rotateCa(
  environment: Environment,
  applications: readonly Application[],
  { atOnce, revoke, stillHeld }: RotateOptions,
): Promise<void> {
  const names = applications.map(({ name }) => name);
  const first = caRotationStepOf(environment) ?? 1;
  if (first > 1) {
    console.log(`CA rotation in progress: continuing with step ${first} of 3`);
  }
  for (let step = first; step <= CA_ROTATION_STEPS.length; step++) {
    console.log(`step ${step} of ${CA_ROTATION_STEPS.length}: ${CA_ROTATION_STEPS[step - 1]}`);
    await takeCaRotationStep(environment, step);
    const isLast = step === CA_ROTATION_STEPS.length;
    await deployPlatform(environment, {
      atOnce,
      stillHeld,
      ...(revoke && isLast && { replaceNodes: true }),
    });
    if (step === 1 && applications.length > 0) {
      setCaRotationStep(environment, 2);
      console.log(
        `\nstep 1 of ${CA_ROTATION_STEPS.length} is deployed. Step 2 issues the servers' certificates from the new CA: give both CAs to ${listed(names)} first (npm run credentials -- ${names[0]} --format ca)${andCertificates(applications)}, then run npm run rotate -- ${revoke ? "certificates --revoke" : "ca"} again`,
      );
      // Applications get certificates of the new CA now: step 3 would refuse the old ones.
      await ensureKeyPairs(environment, applications);
      return;
    }
  }
  finishCaRotation(environment);
  console.log(
    `\nthe CA and every certificate are new. ${
      revoke
        ? "Certificates of the old CA are refused, also those of a leaked key"
        : "New connections with certificates of the old CA are refused. Those that were open stay open: if a key has leaked, run npm run rotate -- certificates --revoke"
    }`,
  );
}
