import type { Change } from "./change";

/** Returns the changes with what it means that a node is removed from one stack and created in another, which may be on another machine. */
export function withMovedNodes(changes: readonly Change[]): Change[] {
  return changes.map((change) => {
    const { node, action, stack } = change;
    const created =
      node &&
      action === "destroy" &&
      changes.find((other) => other.action === "create" && other.node?.name === node.name);
    return created
      ? {
          ...change,
          destructive: [
            `container ${node.name} moves from stack ${stack} to ${created.stack}: on another machine, it starts without its data unless you copied its volume there. npm run up refuses that if it would lose data, npx cdktf deploy does not`,
          ],
        }
      : change;
  });
}
