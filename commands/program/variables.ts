/** What to do after exit code 1. */
export const FIX = "fix what the message names and run the command again";

/** Variables of every command that works on one environment. */
export const ENVIRONMENT = {
  GROUNDWORK_ENV: "environment, a file in environments/ (default: laptop)",
};

/** Variables of every command that connects to a Docker engine. */
export const ENGINE = {
  ...ENVIRONMENT,
  DOCKER_HOST: "Docker engine (default: that of the current Docker context)",
};

/** Variables of every command that runs Terraform. */
const TERRAFORM = {
  ...ENGINE,
  TERRAFORM_BINARY_NAME:
    "Terraform or OpenTofu binary (default: terraform, or tofu if it is missing)",
};

/** Variables of every command that synthesizes the stacks with their secrets. */
export const DEPLOY = {
  ...TERRAFORM,
  GROUNDWORK_SECRETS: "folder of the secrets (default: .state/<environment>/secrets/)",
  TF_VAR_grafana_admin_password:
    "Grafana's admin password (default: .state/<environment>/grafana-admin-password)",
  TF_VAR_grafana_url:
    "URL of Grafana for Terraform; required without hostPorts, or with several machines",
};
