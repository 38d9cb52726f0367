import { counted, listed, table } from "../terminal/terminal";
import type { Inventory } from "./inventory";
import { calledItem, type Item, isLeftOver, renderLeftOver, type State } from "./item";

/** The renderers of an inventory, by the name of the format. */
export const RENDERERS = {
  terminal: renderTerminal,
  json: renderJson,
} as const;

export type Format = keyof typeof RENDERERS;

const STATES: readonly State[] = ["declared", "left-over", "unmanaged", "system"];

const withSpace = (state: State) => state.replace("-", " ");

const countOf = (items: readonly Item[], state: State) =>
  items.filter((item) => item.state === state).length;

function renderTerminal({ environment, items, failures }: Inventory): string {
  const shown = ["Kafka", "OpenSearch"].flatMap((cluster) =>
    STATES.filter((state) => state !== "system").flatMap((state) =>
      items
        .filter((item) => item.cluster === cluster && item.state === state)
        .sort((one, other) => (calledItem(one) < calledItem(other) ? -1 : 1)),
    ),
  );
  const leftOver = shown.filter(isLeftOver);
  return [
    ...(shown.length > 0
      ? [
          table([
            ["cluster", "resource", "state", "details"],
            ...shown.map((item) => [
              ...[item.cluster, calledItem(item), withSpace(item.state)],
              item.details,
            ]),
          ]),
          "",
        ]
      : []),
    ...(leftOver.length > 0 ? [renderLeftOver(leftOver), ""] : []),
    ...(failures.length > 0 ? ["not known", "", ...failures, ""] : []),
    `environment "${environment}": ${describeCounts(items)}`,
  ].join("\n");
}

function describeCounts(items: readonly Item[]): string {
  const counts = STATES.filter((state) => state !== "system").map(
    (state) => `${countOf(items, state)} ${withSpace(state)}`,
  );
  const own = countOf(items, "system");
  return `${listed(counts)}${own > 0 ? `. Not listed: ${counted(own, "resource")} of Kafka and OpenSearch themselves` : ""}`;
}

function renderJson({ environment, items, failures }: Inventory): string {
  const counts = Object.fromEntries(STATES.map((state) => [state, countOf(items, state)]));
  return JSON.stringify({ environment, counts, items, failures }, null, 2);
}
