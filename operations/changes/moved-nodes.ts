import type { Change } from "./change";

/** Returns the changes with what it means that a node is removed from one stack and created in another: it moves to another machine. */
export function withMovedNodes(changes: readonly Change[]): Change[] {
  const created = changes.flatMap(({ node, action }) =>
    node && action === "create" ? node.name : [],
  );
  return changes.map((change) =>
    change.node && change.action === "destroy" && created.includes(change.node.name)
      ? {
          ...change,
          destructive: [
            `container ${change.node.name} moves to another machine, without its data unless you copied its volume there: npm run up refuses this if it would lose data, npx cdktf deploy does not`,
          ],
        }
      : change,
  );
}
