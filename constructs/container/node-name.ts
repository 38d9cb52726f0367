/** Name of a cluster's node, counted from 1: of its container, its host and its certificate. */
export function nodeName(cluster: string, number: number | string): string {
  return `${cluster}-${number}`;
}

/** Names of all nodes of a cluster. */
export function nodeNames(cluster: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => nodeName(cluster, i + 1));
}
