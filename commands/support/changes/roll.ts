import type { Action, Change, ClusterNode } from "./change";

/** Terraform replaces all nodes of a cluster at once, which stops it; these are to be replaced one after the other. */
export interface Roll {
  readonly stack: string;
  readonly cluster: string;
  readonly replaced: readonly RolledNode[];
  readonly added: readonly RolledNode[];
  /** Why they cannot be replaced one after the other. */
  readonly obstacle?: string;
}

export interface RolledNode extends ClusterNode {
  /** Terraform's address. */
  readonly address: string;
}

/** Clusters whose quorum is the same set of nodes for as long as one of them runs (KRaft's controller.quorum.voters). */
const FIXED_QUORUM = ["kafka"];

/** The clusters of more than one node whose nodes are replaced; `nodes` is how many each has now. */
export function rollsOf(
  changes: readonly Change[],
  nodes: Readonly<Record<string, number>>,
): Roll[] {
  const clusters = [...new Set(changes.flatMap(({ node }) => node?.cluster ?? []))];
  return clusters.flatMap((cluster) => {
    const own = changes.filter(({ node }) => node?.cluster === cluster);
    const nodesThat = (action: Action) =>
      own.flatMap((change) =>
        change.node && change.action === action ? { ...change.node, address: change.address } : [],
      );
    const [replaced, added, removed] = [
      nodesThat("replace"),
      nodesThat("create"),
      nodesThat("destroy"),
    ];
    const before = nodes[cluster] ?? 0;
    if (replaced.length === 0 || before < 2) {
      return [];
    }
    const obstacle = obstacleTo(cluster, replaced, before, before + added.length - removed.length);
    return [{ stack: own[0].stack, cluster, replaced, added, obstacle }];
  });
}

function obstacleTo(
  cluster: string,
  replaced: readonly RolledNode[],
  before: number,
  after: number,
): string | undefined {
  if (replaced.some(({ leavesNetwork }) => leavesNetwork)) {
    return "they leave a network on which they find each other";
  }
  return FIXED_QUORUM.includes(cluster) && after !== before
    ? `its quorum goes from ${before} to ${after} nodes, and running ones cannot change it`
    : undefined;
}

/** What becomes of the cluster, in the words of a preview. */
export function describeRoll({ cluster, replaced, obstacle }: Roll): string {
  const nodes = replaced.map(({ name }) => name).join(", ");
  return obstacle
    ? `${cluster} does not serve while ${nodes} are replaced, all at once: ${obstacle}`
    : `${cluster} is rolled by npm run up: ${nodes} one after the other, each when the cluster is whole again; a plain cdktf deploy would replace them at once, and ${cluster} would not serve meanwhile`;
}
