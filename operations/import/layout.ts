import { isDeepStrictEqual } from "node:util";
import type { Json } from "../synthesis/tree";

const COLUMNS = 24;

/** Returns panels that do not overlap: one without a place goes to the end, one that overlaps another moves down. */
export function layOut(panels: readonly Json[]): Json[] {
  const placed: Json[] = [];
  const bottom = () => Math.max(0, ...placed.map(({ gridPos }) => gridPos.y + gridPos.h));
  for (const panel of [...panels].sort((a, b) => orderOf(a) - orderOf(b))) {
    const gridPos = { ...within(panel.gridPos) };
    gridPos.y ??= bottom();
    const obstacle = () => placed.find((other) => overlap(gridPos, other.gridPos));
    for (let other = obstacle(); other; other = obstacle()) {
      gridPos.y = other.gridPos.y + other.gridPos.h;
    }
    const stays = isDeepStrictEqual(gridPos, panel.gridPos);
    placed.push(stays ? panel : { ...panel, gridPos });
  }
  return placed;
}

/** Sorts by line, then by column. Panels without a place are last. */
function orderOf({ gridPos }: Json): number {
  return Number.isFinite(gridPos?.y) ? gridPos.y * COLUMNS + (gridPos.x ?? 0) : Number.MAX_VALUE;
}

/** Makes a place fit into the grid. */
function within(gridPos: Json): Json {
  const number = (value: unknown, least: number, otherwise: number) =>
    Number.isFinite(value) ? Math.max(least, Math.round(value as number)) : otherwise;
  const w = Math.min(COLUMNS, number(gridPos?.w, 1, COLUMNS / 2));
  return {
    x: Math.min(COLUMNS - w, number(gridPos?.x, 0, 0)),
    y: Number.isFinite(gridPos?.y) ? number(gridPos.y, 0, 0) : undefined,
    w,
    h: number(gridPos?.h, 1, 8),
  };
}

function overlap(a: Json, b: Json): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}
