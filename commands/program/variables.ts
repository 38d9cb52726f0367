/** Read by every command that is about one environment. */
export const ENVIRONMENT = {
  GROUNDWORK_ENV: "the environment, a file in environments/ (default: laptop)",
};

/** Read by every command that asks a Docker engine. */
export const ENGINE = {
  ...ENVIRONMENT,
  DOCKER_HOST: "the Docker engine (default: that of the current Docker context)",
};

/** Read by every command that runs Terraform. */
const TERRAFORM = {
  ...ENGINE,
  TERRAFORM_BINARY_NAME:
    "Terraform or OpenTofu (default: the first of terraform and tofu on the PATH)",
};

/** Read by every command that synthesizes the stacks with their secrets. */
export const DEPLOY = {
  ...TERRAFORM,
  GROUNDWORK_SECRETS: "folder with the secrets (default: .state/<environment>/secrets/)",
  TF_VAR_grafana_admin_password: "Grafana's admin password, where the environment wants it given",
  TF_VAR_grafana_url: "where Terraform reaches Grafana, where the environment publishes no ports",
};
