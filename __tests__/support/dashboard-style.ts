// The style rules for this repository's dashboards. Grafana can show others too, so a synth accepts them.
import type { Json } from "./platform";

/** Panels that show no number. */
const WITHOUT_UNIT = ["logs", "text", "dashlist", "alertlist", "row"];

/** The number of columns of Grafana's grid. */
const GRID_COLUMNS = 24;

/** The width of the grid next to Grafana's navigation on a screen of 1440 px, the narrowest that the dashboards support. */
const GRID_PX = 1106;

/** The gap between two panels. */
const GUTTER_PX = 8;

/** The width that a panel's header needs besides the title, for padding and the icon of the description. */
const HEADER_PX = 66;

/** The average width of a character in a title: Inter at 14 px, weight 500. */
const CHARACTER_PX = 7.6;

/** The column name that Grafana uses for the calculation `lastNotNull`. */
const LAST_VALUE = "Last *";

/**
 * Grafana's units of throughput, and how it displays them
 * (https://github.com/grafana/grafana/blob/main/packages/grafana-data/src/valueFormats/categories.ts).
 */
const ABBREVIATED_UNITS: Readonly<Record<string, string>> = {
  cps: "c/s",
  ops: "ops/s",
  reqps: "req/s",
  rps: "rd/s",
  wps: "wr/s",
  iops: "io/s",
  eps: "evt/s",
  mps: "msg/s",
  recps: "rec/s",
  rowsps: "rows/s",
  cpm: "c/m",
  opm: "ops/m",
  reqpm: "req/m",
  rpm: "rd/m",
  wpm: "wr/m",
  epm: "evts/m",
  mpm: "msgs/m",
  recpm: "rec/m",
  rowspm: "rows/m",
};

/** Returns everything about a dashboard that is hard to read on a screen. */
export function styleProblemsOf(dashboard: Json): string[] {
  const panels: Json[] = dashboard.panels.flatMap((panel: Json) => [
    panel,
    ...(panel.panels ?? []),
  ]);
  return [
    ...(dashboard.description ? [] : ["it has no description"]),
    ...panels.flatMap((panel) =>
      [...panelProblems(panel)].map((problem) => `panel "${panel.title}": ${problem}`),
    ),
  ];
}

function* panelProblems(panel: Json): Generator<string> {
  if (panel.type === "row") {
    return;
  }
  if (!panel.title || !panel.description) {
    yield "it needs a title and a description";
  }
  const unit = panel.fieldConfig?.defaults?.unit;
  if (!WITHOUT_UNIT.includes(panel.type) && !unit) {
    yield "it has no unit: set fieldConfig.defaults.unit, short for a plain number";
  }
  for (const abbreviated of unitsOf(panel).filter((one) => one in ABBREVIATED_UNITS)) {
    yield `its unit is "${abbreviated}", which Grafana shows as "${ABBREVIATED_UNITS[abbreviated]}": spell out what is counted, as in "count:records/s"`;
  }
  const fit = charactersThatFit(panel.gridPos?.w);
  if (panel.title?.length > fit) {
    yield `its title has ${panel.title.length} characters, and ${fit} fit into ${panel.gridPos.w} of ${GRID_COLUMNS} columns on a screen of 1440 px: shorten it, or widen the panel`;
  }
  if (panel.type === "timeseries") {
    yield* legendProblems(panel.options?.legend);
  }
}

/** Returns the units of the panel and of its series and columns. */
function unitsOf({ fieldConfig }: Json): string[] {
  const own = (fieldConfig?.overrides ?? [])
    .flatMap(({ properties }: Json) => properties)
    .filter(({ id }: Json) => id === "unit")
    .map(({ value }: Json) => value);
  return [fieldConfig?.defaults?.unit ?? [], own].flat();
}

function charactersThatFit(columns: number): number {
  const panelPx = ((GRID_PX + GUTTER_PX) / GRID_COLUMNS) * columns - GUTTER_PX;
  return Math.floor((panelPx - HEADER_PX) / CHARACTER_PX);
}

/** Finds problems of a legend. Only a few rows of a table fit, so it must show the important ones. */
function* legendProblems(legend: Json = {}): Generator<string> {
  const { showLegend = true, displayMode, calcs = [], sortBy, sortDesc } = legend;
  if (!showLegend) {
    return;
  }
  const remedy = `set displayMode to "table", calcs to ["lastNotNull"], sortBy to "${LAST_VALUE}" and sortDesc to true in options.legend`;
  if (displayMode !== "table" || !calcs.includes("lastNotNull")) {
    yield `its legend is a ${displayMode ?? "list"} of ${calcs.join(", ") || "names"}: it has to be a table with the last value; ${remedy}`;
  } else if (sortBy !== LAST_VALUE || sortDesc !== true) {
    yield `its legend is sorted by ${sortBy ? `"${sortBy}"${sortDesc ? " descending" : ""}` : "name"}: it has to be by "${LAST_VALUE}" descending, so that the largest is among the rows that fit; ${remedy}`;
  }
}
