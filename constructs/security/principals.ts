/** The clusters whose node certificates are named after the cluster and the node's number, such as `kafka-1`. */
export const CLUSTERS = ["kafka", "opensearch"] as const;

/** The services that serve TLS, by the names in their certificates. */
export const SERVICES = ["grafana", "loki", "prometheus"] as const;

/** The principal that monitors both clusters. It can read neither records nor documents. */
export const MONITOR = "alloy";

/** The principals that are only clients, by the names in their certificates. */
export const CLIENTS = [MONITOR, "checks", "kafka-init", "os-admin", "os-init"] as const;

/** Containers that have no certificate, or one only in some environments. */
const OTHERS = ["engine-proxy", "exit-relay", "loki-proxy", "os-backup", "os-security"] as const;

/** Returns the pattern of the names that only nodes have, in the form of OpenSearch's security plugin. It covers more than numbers. */
export function nodePattern(cluster: string): string {
  return `${cluster}-*`;
}

/** Returns whether a name matches a pattern of OpenSearch's security plugin. */
export function matches(pattern: string, name: string): boolean {
  const parts = pattern.split("*").map((part) => part.replace(/[^a-z0-9]/gi, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(name);
}

/** Returns whether no application may have a name: with it, it would get the permissions of the service whose certificate has that name. */
export function isReserved(name: string): boolean {
  const [kafka, openSearch] = CLUSTERS;
  const names: readonly string[] = [...CLUSTERS, ...SERVICES, ...CLIENTS, ...OTHERS];
  return (
    names.includes(name) ||
    new RegExp(`^${kafka}-\\d+$`).test(name) ||
    matches(nodePattern(openSearch), name)
  );
}
