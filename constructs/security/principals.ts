/** The clusters whose node certificates are named after the cluster and the node's number, such as `kafka-1`. */
export const CLUSTERS = ["kafka", "opensearch"] as const;

/** The services that serve TLS, by the names in their certificates. */
export const SERVICES = ["grafana", "loki", "prometheus"] as const;

/** The principal that monitors both clusters. It can read neither records nor documents. */
export const MONITOR = "alloy";

/** The principals that are only clients, by the names in their certificates. */
export const CLIENTS = [MONITOR, "checks", "kafka-init", "os-admin", "os-init"] as const;

/** The principals that may read and write logs. */
export const LOKI_CLIENTS = [MONITOR, "checks", "grafana"] as const;

/** Containers that have no certificate yet. */
const OTHERS = ["engine-proxy", "exit-relay", "os-security"] as const;

/** Names that no application may have: with one, it would get the permissions of the service whose certificate has that name. */
export const RESERVED_NAMES = new RegExp(
  `^(?:(?:${CLUSTERS.join("|")})(?:-\\d+)?|${[...SERVICES, ...CLIENTS, ...OTHERS].join("|")})$`,
);
