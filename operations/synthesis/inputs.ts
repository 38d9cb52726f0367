import { secretProblem } from "../../constructs/container/address";
import type { Environment } from "../../environments";
import { missingSecrets } from "../../secrets/admin-password";

/** A Terraform variable without a default. */
export interface Variable {
  readonly name: string;
  readonly description: string;
}

/** Returns the variables of a synthesized stack that have no default. */
export function variablesOf({
  variable = {},
}: {
  variable?: Record<string, { description?: string; default?: unknown }>;
}): Variable[] {
  return Object.entries(variable)
    .filter(([, { default: value }]) => value === undefined)
    .map(([name, { description = "" }]) => ({ name, description }));
}

/** Returns a message for each input of a deploy that is missing or contains a secret in the wrong place, with how to set it. */
export function missingInputs(environment: Environment, variables: readonly Variable[]): string[] {
  const secrets = missingSecrets(environment);
  const missing = new Map(
    variables
      .filter(({ name }) => process.env[variableOf(name)] === undefined)
      .filter(({ name }) => secrets.length === 0 || name !== "grafana_admin_password")
      .map(({ name, description }) => [name, description]),
  );
  const { TF_VAR_grafana_url: grafanaUrl = "" } = process.env;
  const problem = secretProblem(
    "TF_VAR_grafana_url",
    grafanaUrl,
    "leave the rest: Terraform logs in as admin",
  );
  return [
    ...secrets,
    ...(problem ? [problem] : []),
    ...[...missing].map(([name, description]) => `${variableOf(name)} is not set: ${description}`),
  ];
}

/** Returns the environment variable that sets a Terraform variable. */
export const variableOf = (name: string) => `TF_VAR_${name}`;
