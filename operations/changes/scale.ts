import { counted, listed } from "../terminal/terminal";
import type { Action, Change, Totals } from "./change";

/** Describes for a preview what npm run up moves because a cluster gets or loses nodes. Only the running cluster tells how much. */
export function describeScale(changes: readonly Change[], before: Totals, after: Totals): string[] {
  return Object.keys(after.nodes).flatMap((cluster) => {
    const nodesThat = (action: Action) =>
      changes.flatMap(({ node, action: own }) =>
        node?.cluster === cluster && own === action ? node.name : [],
      );
    const [made, gone] = [nodesThat("create"), nodesThat("destroy")];
    const joining = made.filter((name) => !gone.includes(name));
    const leaving = gone.filter((name) => !made.includes(name));
    const running = before.nodes[cluster] ?? 0;
    const [joins, it] = joining.length === 1 ? ["joins", "it"] : ["join", "them"];
    const share = Math.round((100 * joining.length) / (after.nodes[cluster] ?? 1));
    const [leaves, its] = leaving.length === 1 ? ["leaves", "its"] : ["leave", "their"];
    return [
      ...(running > 0 && joining.length > 0
        ? [
            `${listed(joining)} ${joins} ${cluster}: npm run up gives ${it} about ${share} % of its data. npm run plan tells how many replicas move, and of how many MiB`,
          ]
        : []),
      ...(leaving.length > 0
        ? [
            `${listed(leaving)} ${leaves} ${cluster}: npm run up first moves ${its} data to the ${counted(after.nodes[cluster], "node")} that stay, and refuses if they cannot take it. npm run plan tells whether it refuses, and how much moves`,
          ]
        : []),
    ];
  });
}
