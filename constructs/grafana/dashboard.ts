import { readdirSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { readJsonFile } from "../container/file";
import { all, validate } from "../container/validation";
import { DATA_SOURCE_LANGUAGES } from "./data-source";
import { NAMED_CONTAINERS, syntaxErrorOf, unnamedMetrics, variablesIn } from "./query";

/** The part of Grafana's dashboard JSON that is validated here. */
interface DashboardModel {
  readonly id: null;
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating?: { readonly list: readonly Variable[] };
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly datasource?: { readonly uid?: string };
  readonly targets?: readonly Target[];
  readonly panels?: readonly Panel[];
}

interface Target {
  readonly refId: string;
  readonly expr?: string;
  readonly datasource?: { readonly uid?: string };
}

interface Variable {
  readonly name: string;
  readonly type: string;
  readonly datasource?: { readonly uid?: string };
}

/** A query of a panel and its data source. */
export interface DashboardQuery {
  readonly panel: string;
  readonly dataSource: string;
  readonly expr: string;
}

const GRID_COLUMNS = 24;

/** A dashboard from a file, validated at synth. */
export class Dashboard {
  /** Reads a dashboard from a JSON file. Its directory is its folder in Grafana. Throws if it is invalid. */
  static fromFile(path: string): Dashboard {
    const model = readJsonFile(path, "dashboard");
    validate(
      !("apiVersion" in model || "spec" in model),
      () =>
        `dashboard ${path} uses the model "${model.apiVersion ?? model.kind}" of Grafana's API: export it as code again, with the model "Classic"`,
    );
    return new Dashboard(path, model as unknown as DashboardModel);
  }

  /** Reads every `<folder>/<dashboard>.json` of a directory. Throws if one is invalid or two have the same uid. */
  static fromDirectory(path: string): Dashboard[] {
    const files = (readdirSync(path, { recursive: true }) as string[])
      .filter((file) => file.endsWith(".json"))
      .sort();
    const dashboards = all(...files.map((file) => () => Dashboard.fromFile(join(path, file))));
    const seen = new Map<string, Dashboard>();
    for (const dashboard of dashboards) {
      const other = seen.get(dashboard.uid);
      validate(
        other === undefined,
        () =>
          `dashboards ${other?.path} and ${dashboard.path} have the same uid "${dashboard.uid}": change one of them`,
      );
      seen.set(dashboard.uid, dashboard);
    }
    return dashboards;
  }

  readonly uid: string;
  readonly title: string;

  /** The folder in which Grafana shows it. */
  readonly folder: string;

  private constructor(
    readonly path: string,
    private readonly model: DashboardModel,
  ) {
    this.uid = model.uid;
    this.title = model.title;
    this.folder = basename(dirname(path));
    const problems = [...problemsOf(model)];
    validate(problems.length === 0, () => `dashboard ${path}: ${problems.join("; ")}`);
  }

  /** The path below Grafana's directory of dashboards. */
  get file(): string {
    return relative(dirname(dirname(this.path)), this.path);
  }

  /** The JSON that Grafana reads, in one line: Terraform's time grows with the square of a text's number of lines. */
  get content(): string {
    return `${JSON.stringify(this.model)}\n`;
  }

  /** The queries of all panels. */
  get queries(): DashboardQuery[] {
    return allPanels(this.model).flatMap((panel) =>
      queriesOf(panel).map(({ expr, dataSource }) => ({ panel: panel.title, expr, dataSource })),
    );
  }
}

/** Yields every problem that would keep Grafana from showing the dashboard as intended. */
function* problemsOf(model: DashboardModel): Generator<string> {
  if (!/^[a-zA-Z0-9_-]{1,40}$/.test(String(model.uid ?? ""))) {
    yield `the uid "${model.uid}" is invalid: use 1 to 40 letters, digits, "-" and "_"`;
  }
  if (model.id !== null) {
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
  const defined = (model.templating?.list ?? []).map(({ name }) => name);
  for (const variable of model.templating?.list ?? []) {
    if (variable.type === "query" && !((variable.datasource?.uid ?? "") in DATA_SOURCE_LANGUAGES)) {
      yield `variable "${variable.name}" queries data source "${variable.datasource?.uid}": ${ALLOWED_DATA_SOURCES}`;
    }
  }
  for (const panel of allPanels(model)) {
    for (const problem of panelProblems(panel, defined)) {
      yield `panel "${panel.title}": ${problem}`;
    }
  }
  const ids = allPanels(model).map(({ id }) => id);
  const repeated = ids.find((id, i) => ids.indexOf(id) !== i);
  if (repeated !== undefined) {
    yield `panel id ${repeated} is used twice`;
  }
  yield* overlaps(model.panels);
}

const ALLOWED_DATA_SOURCES = `use ${Object.keys(DATA_SOURCE_LANGUAGES).join(" or ")}`;

function* panelProblems(panel: Panel, variables: readonly string[]): Generator<string> {
  if (panel.type === "row") {
    return;
  }
  for (const { refId, expr, dataSource } of queriesOf(panel)) {
    const language = DATA_SOURCE_LANGUAGES[dataSource];
    if (!language) {
      yield `query ${refId} uses data source "${dataSource}": ${ALLOWED_DATA_SOURCES}`;
      continue;
    }
    const error = syntaxErrorOf(language, expr);
    if (error) {
      yield `query ${refId} is ${error}: ${expr}`;
    }
    const unknown = variablesIn(expr).find((name) => !variables.includes(name));
    if (unknown) {
      yield `query ${refId} uses the variable "${unknown}", which the dashboard does not define: ${expr}`;
    }
    const [unnamed] = language === "PromQL" ? unnamedMetrics(expr) : [];
    if (unnamed) {
      yield `query ${refId} reads ${unnamed} of every container of the Docker engine: limit it to the platform's containers with * ${NAMED_CONTAINERS}`;
    }
  }
}

function* overlaps(panels: readonly Panel[]): Generator<string> {
  for (const [i, { title, gridPos }] of panels.entries()) {
    const { x, y, w, h } = gridPos ?? {};
    if (![x, y, w, h].every(Number.isInteger) || x < 0 || w < 1 || h < 1 || x + w > GRID_COLUMNS) {
      yield `panel "${title}" is at ${JSON.stringify(gridPos)}: x and w must stay within ${GRID_COLUMNS} columns`;
      continue;
    }
    const other = panels
      .slice(0, i)
      .find(({ gridPos: o }) => x < o.x + o.w && o.x < x + w && y < o.y + o.h && o.y < y + h);
    if (other) {
      yield `panel "${title}" overlaps panel "${other.title}"`;
    }
  }
}

/** Returns all panels, including those in collapsed rows. */
function allPanels({ panels }: DashboardModel): Panel[] {
  return panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);
}

function queriesOf({ targets, datasource }: Panel) {
  return (targets ?? [])
    .filter((target) => target?.expr !== undefined)
    .map((target) => ({
      refId: target.refId,
      expr: String(target.expr),
      dataSource: target.datasource?.uid ?? datasource?.uid ?? "",
    }));
}
