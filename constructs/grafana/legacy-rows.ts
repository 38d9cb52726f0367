// biome-ignore lint/suspicious/noExplicitAny: a dashboard of any earlier version
type Json = any;

const COLUMNS = 24;

/** Grafana's height of a unit of the grid and the gap below it, in pixels. */
const UNIT_HEIGHT = 30 + 8;

/**
 * Returns a dashboard with the panels of its `rows` in a grid, as Grafana places them. Rows were the layout before Grafana 5
 * (schemaVersion 16). A dashboard with panels stays as it is.
 */
export function withoutRows(model: Json): Json {
  const { rows, ...rest } = model;
  if (!Array.isArray(rows) || rows.length === 0 || (model.panels ?? []).length > 0) {
    return model;
  }
  const inRows: Json[] = rows.flatMap((row: Json) => row?.panels ?? []);
  let lastId = Math.max(0, ...inRows.map(({ id }) => (Number.isInteger(id) ? id : 0)));
  const used = new Set<number>();
  const idOf = (panel: Json): number => {
    const id = Number.isInteger(panel.id) && !used.has(panel.id) ? panel.id : ++lastId;
    used.add(id);
    return id;
  };
  const isTitled = rows.some((row: Json) => row?.collapse || row?.showTitle || row?.repeat);
  const panels: Json[] = [];
  let y = 0;
  for (const row of rows) {
    const placed = placeRow(row, isTitled ? y + 1 : y).map((panel) => ({
      ...panel,
      id: idOf(panel),
    }));
    if (isTitled) {
      panels.push({
        id: ++lastId,
        type: "row",
        title: row.title ?? "",
        collapsed: row.collapse === true,
        ...(row.repeat && { repeat: row.repeat }),
        gridPos: { x: 0, y, w: COLUMNS, h: 1 },
        panels: row.collapse ? placed : [],
      });
      y += 1;
    }
    if (!row.collapse) {
      panels.push(...placed);
      y = Math.max(y, ...placed.map(({ gridPos }) => gridPos.y + gridPos.h));
    }
  }
  return { ...rest, panels };
}

/** Places the panels of a row from left to right. A panel that does not fit starts a new line. */
function placeRow(row: Json, top: number): Json[] {
  const panels: Json[] = [];
  let [x, y, h] = [0, top, 0];
  for (const { span, height, ...panel } of row.panels ?? []) {
    const w = Math.min(COLUMNS, Math.max(1, Math.round((Number(span) || 4) * 2)));
    const own = unitsOf(height ?? row.height);
    if (x + w > COLUMNS) {
      [x, y, h] = [0, y + h, 0];
    }
    panels.push({ ...panel, gridPos: { x, y, w, h: own } });
    [x, h] = [x + w, Math.max(h, own)];
  }
  return panels;
}

/** Converts a height such as `250px`, the default, to units of the grid. */
function unitsOf(height: unknown): number {
  const pixels = Number.parseInt(String(height ?? 250), 10) || 250;
  return Math.ceil(Math.max(90, pixels) / UNIT_HEIGHT);
}
