import type { Environment } from "../../environments";
import { missingSecrets } from "../../secrets/admin-password";

/** A variable that Terraform has no value for by itself. */
export interface Variable {
  readonly name: string;
  readonly description: string;
}

/** The variables of a synthesized stack that somebody has to give. */
export function variablesOf({
  variable = {},
}: {
  variable?: Record<string, { description?: string; default?: unknown }>;
}): Variable[] {
  return Object.entries(variable)
    .filter(([, { default: value }]) => value === undefined)
    .map(([name, { description = "" }]) => ({ name, description }));
}

/** What somebody has to give for a deploy and has not given, each with the way to give it. */
export function missingInputs(environment: Environment, variables: readonly Variable[]): string[] {
  const secrets = missingSecrets(environment);
  const missing = new Map(
    variables
      .filter(({ name }) => process.env[variableOf(name)] === undefined)
      .filter(({ name }) => secrets.length === 0 || name !== "grafana_admin_password")
      .map(({ name, description }) => [name, description]),
  );
  return [
    ...secrets,
    ...[...missing].map(([name, description]) => `${variableOf(name)} is not set: ${description}`),
  ];
}

/** By which Terraform is given the value of a variable. */
export const variableOf = (name: string) => `TF_VAR_${name}`;
