import { Fn, TerraformVariable } from "cdktf";
import type { Environment } from "../environments";
import type { PlatformStack } from "./platform-stack";
import { stateFolder } from "./state-backend";

/** Where Terraform reads the password of Grafana's user `admin`, as a stack's working folder sees it. */
export interface GrafanaAdminPassword {
  readonly file: string;
  /** What Terraform reads there. */
  readonly value: string;
}

/**
 * The password of Grafana's user `admin`: what is synthesized has only the path of its file. Where it is to be given, the variable
 * is declared for Terraform to ask for it; what it has went into the file at synth.
 */
export function grafanaAdminPassword(
  stack: PlatformStack,
  environment: Environment,
): GrafanaAdminPassword {
  if (environment.grafana.adminPassword === "variable") {
    // No validation against the file: Terraform's error would print the value, sensitive or not.
    new TerraformVariable(stack, "grafana_admin_password", {
      type: "string",
      sensitive: true,
      description:
        'Password of Grafana\'s user "admin": export TF_VAR_grafana_admin_password, when you synthesize too',
    });
  }
  const file = `${stateFolder(environment)}/grafana-admin-password`;
  return { file, value: Fn.sensitive(Fn.trimsuffix(Fn.file(file), "\n")) };
}
