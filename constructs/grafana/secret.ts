import { TerraformVariable } from "cdktf";
import type { Construct } from "constructs";
import * as v from "valibot";
import { type Declared, object } from "../container/declaration";
import { validate } from "../container/validation";

export const secretSchema = object({
  /** The name of the Terraform variable: lowercase letters, digits and "_". */
  variable: v.string(),
});

/**
 * A value that is neither in this repository nor in the synthesized configuration. Set `TF_VAR_<variable>` in the shell that deploys.
 */
export type Secret = Declared<typeof secretSchema>;

/**
 * Throws if a URL is not given as a variable. Call it before the declaration is checked otherwise: a message that shows the value could
 * show the secret itself.
 */
export function validateSecretUrl(
  url: Secret | undefined,
  owner: string,
  name: string,
  variable: string,
  scope?: Construct,
): void {
  validate(
    /^[a-z][a-z0-9_]*$/.test(url?.variable ?? ""),
    () =>
      `${owner} has no Terraform variable for its ${name}: set url to { variable: "${variable}" } and export TF_VAR_${variable} before you deploy`,
    scope,
  );
}

/** Declares the Terraform variable of a secret, and returns its value. */
export function secretValue(scope: Construct, { variable }: Secret, what: string): string {
  const declared = new TerraformVariable(scope, variable, {
    type: "string",
    sensitive: true,
    nullable: false,
    description: `${what}: export TF_VAR_${variable}`,
  });
  declared.overrideLogicalId(variable);
  return declared.stringValue;
}
