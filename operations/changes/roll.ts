import type { Action, Change, ClusterNode } from "./change";

/** Terraform replaces all nodes of a cluster at once, which stops it; these are to be replaced one after the other. */
export interface Roll {
  readonly cluster: string;
  readonly replaced: readonly RolledNode[];
  readonly added: readonly RolledNode[];
  /** Why they cannot be replaced one after the other. */
  readonly obstacle?: string;
}

export interface RolledNode extends ClusterNode {
  /** On several machines each is in a stack of its own. */
  readonly stack: string;
  /** Terraform's address. */
  readonly address: string;
}

/**
 * The clusters of more than one node whose nodes are replaced; `nodes` is how many the state has of each. A node that is to be made
 * replaces an unmanaged resource of its name: a container that the state does not know.
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
    const removed = nodesThat("destroy");
    const before = (nodes[cluster] ?? 0) + unknown.length;
    if (replaced.length === 0 || before < 2) {
      return [];
    }
    const obstacle = obstacleTo(replaced, before, before + added.length - removed.length);
    return [{ cluster, replaced, added, obstacle }];
  });
}

function obstacleTo(
  replaced: readonly RolledNode[],
  before: number,
  after: number,
): string | undefined {
  if (replaced.some(({ leavesNetwork }) => leavesNetwork)) {
    return "they leave a network on which they find each other";
  }
  if (replaced.some(({ changesSecurity }) => changesSecurity)) {
    return "a node that speaks TLS and one that does not cannot talk";
  }
  // Where an interrupted deploy has left some of them out, all that there are know the same voters.
  return after !== before && replaced.some(({ changesQuorum }) => changesQuorum)
    ? `its quorum goes from ${before} to ${after} nodes, and running ones cannot change it`
    : undefined;
}

/** What becomes of the cluster, in the words of a preview. */
export function describeRoll({ cluster, replaced, obstacle }: Roll): string {
  const nodes = replaced.map(({ name }) => name).join(", ");
  return obstacle
    ? `${cluster} does not serve while ${nodes} are replaced, all at once: ${obstacle}`
    : `${cluster} is rolled by npm run up: ${nodes} one after the other, each when the cluster is healthy again; a plain cdktf deploy would replace them at once, and ${cluster} would not serve meanwhile`;
}
