import { allPanels, type DashboardModel, type Panel, type Variable } from "./dashboard-model";
import { DATA_SOURCE_LANGUAGES } from "./data-source";
import { resolveDataSource } from "./data-source-reference";
import { NAMED_CONTAINERS, syntaxErrorOf, unnamedMetrics, variablesIn } from "./query";

const GRID_COLUMNS = 24;

/** Panels of this version of Grafana, and those of earlier versions that it converts when it loads them. */
export const PANEL_TYPES = [
  ...["alertlist", "annolist", "barchart", "bargauge", "candlestick", "canvas", "dashlist"],
  ...["datagrid", "debug", "flamegraph", "gauge", "geomap", "gettingstarted", "heatmap"],
  ...["histogram", "live", "logs", "news", "nodeGraph", "piechart", "row", "stat"],
  ...["state-timeline", "status-history", "table", "text", "timeseries", "traces", "trend"],
  ...["welcome", "xychart"],
  ...["graph", "singlestat", "table-old", "grafana-piechart-panel", "grafana-singlestat-panel"],
  ...["grafana-worldmap-panel", "natel-discrete-panel"],
];

/** The longest query in a message. */
const LONGEST_SHOWN = 120;

/** Yields every problem that would keep Grafana from showing the dashboard as intended. */
export function* problemsOf(model: DashboardModel): Generator<string> {
  if (!/^[a-zA-Z0-9_-]{1,40}$/.test(String(model.uid ?? ""))) {
    yield `the uid "${model.uid}" is invalid: use 1 to 40 letters, digits, "-" and "_"`;
  }
  if ((model.id ?? null) !== null) {
    yield `the id is ${JSON.stringify(model.id)}: set it to null, since Grafana assigns it`;
  }
  if (typeof model.title !== "string" || model.title === "") {
    yield "it has no title";
  }
  if (!Number.isInteger(model.schemaVersion)) {
    yield `schemaVersion is ${JSON.stringify(model.schemaVersion)}: set it to the number in Grafana's export`;
  }
  if (!Array.isArray(model.panels) || model.panels.length === 0) {
    yield "it has no panels";
    return;
  }
  const variables = model.templating?.list ?? [];
  yield* variableProblems(variables);
  yield* annotationProblems(model, variables);
  for (const panel of allPanels(model)) {
    for (const problem of panelProblems(panel, variables)) {
      yield `panel "${nameOf(panel)}": ${problem}`;
    }
  }
  const ids = allPanels(model).map(({ id }) => id);
  for (const id of new Set(ids.filter((one, i) => ids.indexOf(one) !== i))) {
    yield id === undefined
      ? "several panels have no id: number them"
      : `panel id ${id} is used twice`;
  }
  yield* overlaps(model.panels);
}

function* variableProblems(variables: readonly Variable[]): Generator<string> {
  for (const { name, type, datasource } of variables) {
    const source = ["query", "adhoc"].includes(type)
      ? resolveDataSource(datasource, variables)
      : {};
    if ("problem" in source) {
      yield `variable "${name}" queries ${source.problem}`;
    }
  }
}

function* annotationProblems(
  { annotations }: DashboardModel,
  variables: readonly Variable[],
): Generator<string> {
  for (const { name, datasource, expr } of annotations?.list ?? []) {
    const source = resolveDataSource(datasource, variables);
    const problems =
      "problem" in source ? [`uses ${source.problem}`] : queryProblems(source.uid, expr, variables);
    for (const problem of problems) {
      yield `annotation "${name}" ${problem}`;
    }
  }
}

function* panelProblems(panel: Panel, variables: readonly Variable[]): Generator<string> {
  if (panel.libraryPanel) {
    yield `it is the library panel "${panel.libraryPanel.name}", which only the Grafana has that it was exported from: unlink it there and export the dashboard again`;
    return;
  }
  if (!PANEL_TYPES.includes(panel.type)) {
    yield `its type is ${JSON.stringify(panel.type)}, a plugin that Grafana does not have: use one of its own panels, such as timeseries, stat or table`;
  }
  if (panel.alert) {
    yield "it has an alert, which Grafana no longer evaluates: declare it in alerts/ and remove it";
  }
  if (panel.type === "row") {
    return;
  }
  for (const target of panel.targets ?? []) {
    const source = resolveDataSource(target?.datasource ?? panel.datasource, variables);
    const problems =
      "problem" in source
        ? [`uses ${source.problem}`]
        : (target?.expr ?? undefined) === undefined && source.uid
          ? ["has no expr: write the query, or remove it"]
          : queryProblems(source.uid, target?.expr, variables);
    for (const problem of problems) {
      yield `query ${target?.refId} ${problem}`;
    }
  }
}

/** Yields what is wrong with a query of a data source. */
export function* queryProblems(
  dataSource: string | undefined,
  query: string | null | undefined,
  variables: readonly Variable[],
): Generator<string> {
  if (dataSource === undefined || query === undefined || query === null) {
    return;
  }
  const language = DATA_SOURCE_LANGUAGES[dataSource];
  const expr = String(query);
  const shown = expr.length <= LONGEST_SHOWN ? expr : `${expr.slice(0, LONGEST_SHOWN)}...`;
  const error = syntaxErrorOf(language, expr);
  if (error) {
    yield `is ${error}: ${shown}`;
  }
  const names = variables.map(({ name }) => name);
  const unknown = variablesIn(expr).find((name) => !names.includes(name));
  if (unknown) {
    yield `uses the variable "${unknown}", which the dashboard does not define: ${shown}`;
  }
  const [unnamed] = language === "PromQL" ? unnamedMetrics(expr) : [];
  if (unnamed) {
    yield `reads ${unnamed} of every container of the Docker engine: limit it to the platform's containers with * ${NAMED_CONTAINERS}`;
  }
}

function* overlaps(panels: readonly Panel[]): Generator<string> {
  for (const [i, panel] of panels.entries()) {
    const { x, y, w, h } = panel.gridPos ?? {};
    if (![x, y, w, h].every(Number.isInteger) || x < 0 || w < 1 || h < 1 || x + w > GRID_COLUMNS) {
      yield `panel "${nameOf(panel)}" is at ${JSON.stringify(panel.gridPos)}: x and w must stay within ${GRID_COLUMNS} columns`;
      continue;
    }
    const other = panels
      .slice(0, i)
      .find(({ gridPos: o }) => o && x < o.x + o.w && o.x < x + w && y < o.y + o.h && o.y < y + h);
    if (other) {
      yield `panel "${nameOf(panel)}" overlaps panel "${nameOf(other)}"`;
    }
  }
}

/** Names a panel in messages. */
const nameOf = ({ title, id }: Panel) => title || `with id ${id}`;
