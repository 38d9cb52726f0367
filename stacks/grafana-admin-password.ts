import { Fn, TerraformVariable } from "cdktf";
import type { Environment } from "../environments";
import type { PlatformStack } from "./platform-stack";
import { stateFolder } from "./state-backend";

/** The password of Grafana's user `admin`. The path is relative to a stack's working folder. */
export interface GrafanaAdminPassword {
  readonly file: string;
  /** Terraform expression for the file's content. */
  readonly value: string;
}

/**
 * Returns the password of Grafana's user `admin`. Synthesized stacks contain only the path of its file. If the environment requires the
 * variable, it is declared, so that Terraform asks for it; its value is written to the file at synth.
 */
export function grafanaAdminPassword(
  stack: PlatformStack,
  environment: Environment,
): GrafanaAdminPassword {
  if (environment.grafana.adminPassword === "variable") {
    // Not validated against the file: Terraform's error would print the value, even if it is sensitive.
    new TerraformVariable(stack, "grafana_admin_password", {
      type: "string",
      sensitive: true,
      description:
        'Password of Grafana\'s user "admin": export TF_VAR_grafana_admin_password, also for synth',
    });
  }
  const file = `${stateFolder(environment)}/grafana-admin-password`;
  return { file, value: Fn.sensitive(Fn.trimsuffix(Fn.file(file), "\n")) };
}
