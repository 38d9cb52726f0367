import { TerraformStack, TerraformVariable } from "cdktf";
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

/** The Terraform variable of a secret, and what it is used for. A stack has one for all that use it. */
class SecretVariable extends TerraformVariable {
  private readonly uses: string[] = [];

  constructor(
    stack: TerraformStack,
    readonly variable: string,
  ) {
    super(stack, idOf(variable), { type: "string", sensitive: true, nullable: false });
    this.overrideLogicalId(variable);
  }

  addUse(what: string): void {
    this.uses.push(what);
    this.addOverride("description", `${this.uses.join("; ")}: export TF_VAR_${this.variable}`);
  }
}

const idOf = (variable: string) => `secret-${variable}`;

/** Returns the value of a secret. Declares its Terraform variable, unless another use already has. Throws if the name is taken. */
export function secretValue(scope: Construct, { variable }: Secret, what: string): string {
  const stack = TerraformStack.of(scope);
  validate(
    !(stack.node.tryFindChild(variable) instanceof TerraformVariable),
    () =>
      `${what} has the variable "${variable}", which Groundwork declares for another value: choose another name`,
    scope,
  );
  const existing = stack.node.tryFindChild(idOf(variable)) as SecretVariable | undefined;
  const declared = existing ?? new SecretVariable(stack, variable);
  declared.addUse(what);
  return declared.stringValue;
}
