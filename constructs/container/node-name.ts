/** Returns the name of a node's container, host and certificate. Nodes are counted from 1. */
export function nodeName(cluster: string, number: number | string): string {
  return `${cluster}-${number}`;
}

/** Returns the names of all nodes of a cluster. */
export function nodeNames(cluster: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => nodeName(cluster, i + 1));
}
