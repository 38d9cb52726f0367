import type { ClusterName } from "../../environments";
import type { Platform } from "../platform/platform";

/** Returns the nodes of a cluster that serve, without those on excluded machines. */
export async function servingOf(platform: Platform, cluster: ClusterName): Promise<string[]> {
  const nodes = platform.nodes(cluster);
  const answers = await Promise.all(nodes.map((node) => platform.clusters[cluster].serves(node)));
  return nodes.filter((_, i) => answers[i]);
}
