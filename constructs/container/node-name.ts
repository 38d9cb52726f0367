/** Returns the name of a node's container, host and certificate. Nodes are counted from 1. */
export function nodeName(cluster: string, number: number | string): string {
  return `${cluster}-${number}`;
}

/** Returns the number in a node's name. */
export function numberOfNode(name: string): number {
  return Number(name.slice(name.lastIndexOf("-") + 1));
}

/** Returns the names of all nodes of a cluster. */
export function nodeNames(cluster: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => nodeName(cluster, i + 1));
}

/** Returns how many nodes of a cluster vote by default, the first ones. It does not grow with the cluster, so that adding a node changes no other. */
export function defaultVoters(nodes: number): number {
  return Math.min(nodes, 3);
}
