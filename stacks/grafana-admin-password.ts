import { Fn, Op, TerraformVariable } from "cdktf";
import type { Environment } from "../environments";
import type { PlatformStack } from "./platform-stack";
import { stateFolder } from "./state-backend";

/** The password of Grafana's user `admin` as Terraform computes it: what is synthesized does not have it. */
export function grafanaAdminPassword(stack: PlatformStack, environment: Environment): string {
  const generated = environment.grafana.adminPassword === "generated";
  const variable = new TerraformVariable(stack, "grafana_admin_password", {
    type: "string",
    sensitive: true,
    default: generated ? "" : undefined,
    description: `Password of Grafana's user "admin"${generated ? "; the generated one when empty" : ""}: export TF_VAR_grafana_admin_password`,
  });
  if (!generated) {
    return variable.stringValue;
  }
  const file = Fn.trimspace(Fn.file(`${stateFolder(environment)}/grafana-admin-password`));
  const given = Op.gte(Fn.lengthOf(variable.stringValue), 1);
  return Fn.sensitive(Fn.conditional(given, variable.stringValue, file));
}
