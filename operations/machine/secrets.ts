import { relative } from "node:path";
import type { Application } from "../../constructs";
import { ValidationError } from "../../constructs/container/validation";
import { type Environment, isSecured } from "../../environments";
import {
  certificatesOf,
  ensureSecrets,
  secretsAreGiven,
  secretsFolder,
} from "../../secrets/platform-secrets";
import { caRotationStepOf } from "../../secrets/rotation";
import { missingInputs, type Variable } from "../synthesis/inputs";
import { PROJECT_ROOT } from "../synthesis/project";
import { counted, listed } from "../terminal/terminal";
import type { Check } from "./preflight";

const DAY_MS = 24 * 60 * 60 * 1000;

/** The same as in the alert CertificateExpiring. */
const FEW_DAYS = 21;

/** Checks that the secrets exist and are usable, and in a secured environment how long the certificates are valid. */
export async function checkSecrets(
  environment: Environment,
  applications: readonly Application[],
): Promise<Check[]> {
  let step: number | undefined;
  try {
    await ensureSecrets(environment, applications);
    step = isSecured(environment) ? caRotationStepOf(environment) : undefined;
  } catch (error) {
    if (error instanceof ValidationError) {
      return [{ name: "secrets", found: "unusable", problem: error.message }];
    }
    throw error;
  }
  if (!isSecured(environment)) {
    return [];
  }
  const given = secretsAreGiven();
  const folder = secretsFolder(environment);
  const { principals, caBundle, ...certificates } = certificatesOf(environment, applications);
  return [
    {
      name: "secrets",
      found: given ? `provided in ${folder}` : relative(PROJECT_ROOT, folder),
    },
    checkDays(
      "certificates",
      new Map([...principals, ...certificates.applications]),
      given ? "provide new ones" : "run npm run rotate -- certificates",
    ),
    checkDays("CA", caBundle, given ? "provide a new one" : "run npm run rotate -- ca"),
    ...(step === undefined
      ? []
      : [
          {
            name: "rotation",
            found: `CA rotation in progress: npm run rotate -- ca continues with step ${step} of 3`,
          },
        ]),
  ];
}

/** Checks that every input of the deploy is set. Returns no check if there are none. */
export function checkInputs(environment: Environment, variables: readonly Variable[]): Check[] {
  const missing = missingInputs(environment, variables);
  return missing.length > 0
    ? [{ name: "deploy inputs", found: "incomplete", problem: missing.join("\n- ") }]
    : variables.length > 0
      ? [
          {
            name: "deploy inputs",
            found: listed([...new Set(variables.map(({ name }) => name))]),
          },
        ]
      : [];
}

function checkDays(name: string, ends: ReadonlyMap<string, Date>, remedy: string): Check {
  const [[first, end]] = [...ends].sort(([, a], [, b]) => a.getTime() - b.getTime());
  // Not negative: expired certificates are refused before.
  const days = Math.floor((end.getTime() - Date.now()) / DAY_MS);
  return {
    name,
    found: `${ends.size}, the first expires in ${counted(days, "day")} (${first})`,
    problem:
      days < FEW_DAYS
        ? `the certificate of ${first} expires in ${counted(days, "day")}, on ${end.toISOString()}: ${remedy}`
        : undefined,
  };
}
