import { CLUSTERS } from "../../constructs/security/principals";
import { nodesOf } from "../../environments";
import { containerOfVolume } from "../../stacks/storage-stack";
import type { Change } from "../changes/change";
import type { Run } from "../run/run";
import { listed } from "../terminal/terminal";
import { isUnused } from "../volumes/measure";

/** The name of a node of a cluster. */
export const NODE = new RegExp(`^(${CLUSTERS.join("|")})-\\d+$`);

/**
 * Describes nodes that are not declared any more, and whose data nothing would move: the plans know their volumes and not their containers,
 * as after `npm run down`. An interrupted removal has forgotten the volume before it removes the container, and is continued.
 */
export async function describeDroppedVolumes(
  { platform, stacks }: Run,
  changes: readonly Change[],
): Promise<string[]> {
  const declared = CLUSTERS.flatMap((cluster) => nodesOf(platform.environment, cluster));
  const leaving = changes.flatMap(({ action, node }) => (action === "destroy" && node?.name) || []);
  const dropped: string[] = [];
  for (const { action, subject, stack } of changes) {
    const [, volume = ""] = /^volume (.+)$/.exec(subject) ?? [];
    const node = containerOfVolume(volume);
    const engine = stacks.find(({ name }) => name === stack)?.engine;
    if (
      action === "destroy" &&
      NODE.test(node) &&
      ![...declared, ...leaving].includes(node) &&
      !(await isUnused(engine, volume))
    ) {
      dropped.push(node);
    }
  }
  return CLUSTERS.flatMap((cluster) => {
    const gone = dropped.filter((node) => node.startsWith(cluster));
    const [have, their, containers, them] =
      gone.length === 1
        ? ["has", "its", "container does", "it"]
        : ["have", "their", "containers do", "them"];
    return gone.length === 0
      ? []
      : [
          `${listed(gone)} ${have} data that nothing would move to the other nodes of ${cluster}, since ${their} ${containers} not exist: declare as many nodes as before, run npm run up, and remove ${them} then`,
        ];
  });
}
