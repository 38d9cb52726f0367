/** The version constraint of the provider. Terraform installs the newest version that matches. */
export const CONSTRAINT = "grafana/grafana@~> 4.0";
