import { counted } from "../terminal/terminal";
import type { Action, Change, ClusterNode } from "./change";

/** A cluster whose nodes are replaced one at a time. Terraform would replace them all at once. */
export interface Roll {
  readonly cluster: string;
  readonly replaced: readonly RolledNode[];
  readonly added: readonly RolledNode[];
  /** Why the nodes cannot be replaced one at a time. */
  readonly obstacle?: string;
}

export interface RolledNode extends ClusterNode {
  /** With several machines, each machine has its own stack. */
  readonly stack: string;
  /** Terraform address. */
  readonly address: string;
}

/**
 * Returns the clusters with more than one node of which nodes are replaced. `nodes` is the number of nodes in the state, by cluster.
 * `unmanaged` are the names of containers that are not in the state: a node that is created under such a name replaces that container.
 */
export function rollsOf(
  changes: readonly Change[],
  nodes: Readonly<Record<string, number>>,
  unmanaged: readonly string[] = [],
): Roll[] {
  const clusters = [...new Set(changes.flatMap(({ node }) => node?.cluster ?? []))];
  return clusters.flatMap((cluster) => {
    const own = changes.filter(({ node }) => node?.cluster === cluster);
    const nodesThat = (action: Action) =>
      own.flatMap((change) =>
        change.node && change.action === action
          ? { ...change.node, stack: change.stack, address: change.address }
          : [],
      );
    const made = nodesThat("create");
    const unknown = made.filter(({ name }) => unmanaged.includes(name));
    const added = made.filter((node) => !unknown.includes(node));
    const replaced = [...nodesThat("replace"), ...unknown];
    const before = (nodes[cluster] ?? 0) + unknown.length;
    if (replaced.length === 0 || before < 2) {
      return [];
    }
    return [{ cluster, replaced, added, obstacle: obstacleTo(replaced) }];
  });
}

function obstacleTo(replaced: readonly RolledNode[]): string | undefined {
  if (replaced.some(({ leavesNetwork }) => leavesNetwork)) {
    return "the nodes leave the network that connects them";
  }
  return replaced.some(({ changesSecurity }) => changesSecurity)
    ? "TLS nodes and plaintext nodes cannot communicate"
    : undefined;
}

/** Returns how many controllers a Kafka cluster has now, if these nodes would get others. */
export function formerControllersIn(nodes: readonly ClusterNode[]): number | undefined {
  return nodes.find(({ formerControllers }) => formerControllers !== undefined)?.formerControllers;
}

/** Describes why other controllers are refused, with the remedy. */
export function describeFixedControllers(former: number, environment: string): string {
  return `the Kafka cluster that exists has ${counted(former, "controller")}, and a cluster that exists cannot change that: set kafka.controllers of ${environment} to ${former}, and kafka.brokers to ${former} or more`;
}

/** Describes for a preview how the nodes are replaced. */
export function describeRoll({ cluster, replaced, obstacle }: Roll): string {
  const nodes = replaced.map(({ name }) => name).join(", ");
  const one = replaced.length === 1;
  if (obstacle) {
    return `${cluster} is unavailable while ${nodes} ${one ? "is replaced" : "are replaced at once"}: ${obstacle}`;
  }
  return one
    ? `rolling replacement of ${cluster} by npm run up: ${nodes}, when the cluster is healthy. A plain cdktf deploy does not wait for that`
    : `rolling replacement of ${cluster} by npm run up: ${nodes}, one at a time, each when the cluster is healthy. A plain cdktf deploy replaces them all at once, which interrupts ${cluster}`;
}
