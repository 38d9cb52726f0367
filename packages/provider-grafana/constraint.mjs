/** The provider that the bindings are for; Terraform takes the newest version that fits. */
export const CONSTRAINT = "grafana/grafana@~> 4.0";
