/** Whose nodes are known by certificates of the cluster's name and their number, such as `kafka-1`. */
export const CLUSTERS = ["kafka", "opensearch"] as const;

/** Services that others reach over TLS, by the names in their certificates. */
export const SERVICES = ["grafana", "loki", "prometheus"] as const;

/** Who measures both clusters, and sees no record and no document. */
export const MONITOR = "alloy";

/** Who only asks, by the names in their certificates. */
export const CLIENTS = [MONITOR, "checks", "kafka-init", "os-admin", "os-init"] as const;

/** Containers without a certificate, so far. */
const OTHERS = ["engine-proxy", "exit-relay", "os-security"] as const;

/** Certificates name the platform's own services, and a user of such a name would be taken for the service. */
export const RESERVED_NAMES = new RegExp(
  `^(?:(?:${CLUSTERS.join("|")})(?:-\\d+)?|${[...SERVICES, ...CLIENTS, ...OTHERS].join("|")})$`,
);
