import type { Cluster } from "../platform/cluster";
import type { Platform } from "../platform/platform";
import { CommandError } from "../terminal/terminal";

/** A cluster, and a way to find its nodes that serve. */
export interface Held {
  readonly name: string;
  readonly serving: () => Promise<readonly string[]>;
}

/** Replaces nodes by ones of another version, while the replicas of their clusters stay where they are. */
export async function whileHeld(
  platform: Pick<Platform, "clusters">,
  clusters: readonly Held[],
  replace: () => Promise<void>,
): Promise<void> {
  const each = async (act: (cluster: Cluster, node: string) => Promise<void> | undefined) => {
    for (const { name, serving } of clusters) {
      const [node] = await serving();
      if (node === undefined) {
        throw new CommandError(`${name}: no node answers`);
      }
      await act(platform.clusters[name], node);
    }
  };
  const release = () => each((cluster, node) => cluster.replicas?.release(node));
  try {
    await each((cluster, node) => cluster.replicas?.hold(node));
    await replace();
  } catch (error) {
    // The replicas of a node that does not come back have to move. The next deploy releases them too.
    await release().catch(({ message }) => console.log(`  ${message}`));
    throw error;
  }
  await release();
}

/** Releases the replicas that an interrupted upgrade left held, in every cluster that serves. */
export async function releaseLeftovers(
  platform: Pick<Platform, "clusters">,
  servingNodes: (cluster: string) => Promise<readonly string[]>,
): Promise<void> {
  for (const [name, { replicas }] of Object.entries(platform.clusters)) {
    const [node] = replicas ? await servingNodes(name) : [];
    if (replicas && node !== undefined && (await replicas.areHeld(node))) {
      await replicas.release(node);
      console.log(
        `  ${name}: replicas may move again, which an interrupted upgrade had left forbidden`,
      );
    }
  }
}
