import { createHash } from "node:crypto";
import { allPanels, checkShape } from "../../constructs/grafana/dashboard-model";
import { PANEL_TYPES, queryProblems } from "../../constructs/grafana/dashboard-problems";
import { DATA_SOURCE_LANGUAGES } from "../../constructs/grafana/data-source";
import { withoutRows } from "../../constructs/grafana/legacy-rows";
import type { Json } from "../synthesis/tree";
import { CommandError } from "../terminal/terminal";
import { joinContainers } from "./container-metrics";
import { DataSources } from "./data-sources";
import { fileName } from "./imported";
import { layOut } from "./layout";

/** A dashboard that the platform can show. */
export interface ConvertedDashboard {
  readonly model: Json;
  readonly changes: readonly string[];
  readonly lost: readonly string[];
}

/** Panels that show no query. */
const WITHOUT_QUERY = ["text", "dashlist", "news", "alertlist", "row", "welcome"];

/** Whether a JSON object is a dashboard, as Grafana exports it or its API returns it. */
export function isDashboard(body: Json): boolean {
  return [body, body.dashboard, body.spec].some(
    (model) => Array.isArray(model?.panels) || Array.isArray(model?.rows) || model?.elements,
  );
}

/** Converts a dashboard of another Grafana. What cannot be converted becomes a text panel with the reason and the query. */
export function convertDashboard(body: Json, source: string, name = source): ConvertedDashboard {
  const model = classicModelOf(body, source);
  checkShape(model, source);
  return new Conversion(model, source, name || "Imported dashboard").result();
}

/** Returns the classic model in an export or in a response of the API. */
function classicModelOf(body: Json, source: string): Json {
  if (body.dashboard) {
    return body.dashboard;
  }
  if (body.spec === undefined) {
    return body;
  }
  if (body.spec.elements) {
    throw new CommandError(
      `${source} uses the model "${body.apiVersion}" of Grafana's API: export it as code again, with the model "Classic"`,
    );
  }
  return { ...body.spec, uid: body.metadata?.name };
}

class Conversion {
  private readonly changes = new Set<string>();
  private readonly lost: string[] = [];
  private readonly model: Json;
  private readonly elements: Json;
  private readonly variables: Json[];
  private readonly dataSources: DataSources;

  constructor(
    given: Json,
    private readonly source: string,
    private readonly name: string,
  ) {
    const { __inputs, __requires, __elements, ...rest } = given;
    // Exports have null for what is empty.
    const inputs = (Array.isArray(__inputs) ? __inputs : []).filter(Boolean);
    this.elements = __elements ?? {};
    const constants = inputs.filter(({ type }: Json) => type === "constant");
    const names = (rest.templating?.list ?? []).flatMap((one: Json) => one?.name ?? []);
    this.model = mapStrings(rest, (text) =>
      constants.reduce(
        (filled: string, { name, value }: Json) => filled.replaceAll(`\${${name}}`, String(value)),
        this.withNewVariables(text, names),
      ),
    );
    if (constants.length > 0) {
      this.changes.add(`constants: ${constants.map(({ name }: Json) => name).join(", ")}`);
    }
    this.variables = (this.model.templating?.list ?? []).filter((one: Json) => one?.name);
    this.dataSources = new DataSources(
      new Map(inputs.map(({ name, pluginId }: Json) => [name, pluginId])),
      this.variables,
    );
  }

  result(): ConvertedDashboard {
    const { id: _, uid, title, templating, annotations, rows, ...rest } = this.model;
    const variables = this.variables.flatMap((variable) => this.variable(variable));
    const listed = (annotations?.list ?? []).flatMap((one: Json) => this.annotation(one));
    if (rows?.length > 0) {
      this.changes.add("rows -> panels in a grid");
    }
    const { panels } = withoutRows({ panels: rest.panels, rows });
    const model = {
      id: null,
      uid: uidOf(uid, title || this.name),
      title: title || this.name,
      ...rest,
      schemaVersion: Number.isInteger(rest.schemaVersion) ? rest.schemaVersion : 16,
      ...(templating && { templating: { ...templating, list: variables } }),
      ...(annotations && { annotations: { ...annotations, list: listed } }),
      panels: numbered(this.panels(panels ?? [], variables)),
    };
    if (model.panels.length === 0) {
      throw new CommandError(`${this.source} has no panels: nothing is imported`);
    }
    return { model, changes: [...this.changes], lost: this.lost };
  }

  /** Replaces `[[name]]`, which Grafana no longer documents. */
  private withNewVariables(text: string, names: readonly string[]): string {
    return text.replace(/\[\[(\w+)(:\w+)?\]\]/g, (old, name, format = "") => {
      if (!names.includes(name) && !name.startsWith("__")) {
        return old;
      }
      this.changes.add(`[[variables]] -> \${variables}`);
      return `\${${name}${format}}`;
    });
  }

  private variable(variable: Json): Json[] {
    const { name, type, query, datasource } = variable;
    if (type === "datasource") {
      if (!Object.hasOwn(DATA_SOURCE_LANGUAGES, String(query))) {
        this.lost.push(`variable "${name}": it selects data sources of type "${query}"`);
        return [];
      }
      // Its value and filter name data sources of another Grafana.
      return [{ ...variable, current: {}, regex: "" }];
    }
    if (!["query", "adhoc"].includes(type)) {
      return [variable];
    }
    const mapped = this.dataSources.map(datasource, query?.query ?? query);
    if (!("problem" in mapped)) {
      this.mapped(mapped.was, mapped.uid);
      return [{ ...variable, ...(datasource && { datasource: mapped.reference }) }];
    }
    this.lost.push(`variable "${name}": it ${mapped.problem}; it is a text box now`);
    const value = ".*";
    return type === "adhoc"
      ? []
      : [
          {
            name,
            label: variable.label ?? name,
            type: "textbox",
            query: value,
            current: { text: value, value },
          },
        ];
  }

  private annotation(annotation: Json): Json[] {
    const mapped = this.dataSources.map(annotation.datasource, annotation.expr);
    const [problem] =
      "problem" in mapped
        ? [mapped.problem]
        : queryProblems(mapped.uid, annotation.expr, this.variables);
    if (problem || "problem" in mapped) {
      this.lost.push(`annotation "${annotation.name}": it ${problem}`);
      return [];
    }
    this.mapped(mapped.was, mapped.uid);
    return [{ ...annotation, ...(annotation.datasource && { datasource: mapped.reference }) }];
  }

  private panels(panels: readonly Json[], variables: readonly Json[]): Json[] {
    const converted = panels.filter(Boolean).map((panel) => {
      const one = this.panel(panel, variables);
      return one.panels ? { ...one, panels: this.panels(one.panels, variables) } : one;
    });
    const placed = layOut(converted);
    if (placed.some((panel) => !converted.includes(panel))) {
      this.changes.add("panels that overlapped or had no place are moved");
    }
    return placed;
  }

  private panel(given: Json, variables: readonly Json[]): Json {
    const panel = this.withoutLibrary(given);
    const { alert, ...rest } = panel;
    const name = `panel "${panel.title || `with id ${panel.id}`}"`;
    if (panel.libraryPanel) {
      return this.textPanel(
        panel,
        `it is the library panel "${panel.libraryPanel.name}", which the export does not contain`,
        name,
      );
    }
    if (alert) {
      this.lost.push(`${name}: its alert "${alert.name}"; declare it in alerts/`);
    }
    if (WITHOUT_QUERY.includes(panel.type)) {
      const { targets: _, datasource: __, ...shown } = rest;
      return shown;
    }
    const [targets, problems] = this.targets(panel, variables);
    for (const problem of problems) {
      this.lost.push(`${name}: ${problem}`);
    }
    const isKnown = PANEL_TYPES.includes(panel.type);
    if (targets.length === 0 && (problems.length > 0 || !isKnown)) {
      const reason =
        problems[0] ?? `its type is "${panel.type}", a plugin that Grafana does not have`;
      return this.textPanel(panel, reason, problems.length > 0 ? undefined : name);
    }
    const { datasource, ...others } = rest;
    const mapped = this.dataSources.map(datasource, panel.targets?.[0]?.expr);
    const shown = {
      ...others,
      ...(datasource && !("problem" in mapped) && { datasource: mapped.reference }),
      targets,
    };
    if (isKnown) {
      return shown;
    }
    this.changes.add(`${name}: type ${panel.type} -> timeseries`);
    const { options: _, fieldConfig: __, ...plain } = shown;
    return { ...plain, type: "timeseries" };
  }

  /** Returns the queries of a panel that the platform can run, and what is wrong with the others. */
  private targets(panel: Json, variables: readonly Json[]): [Json[], string[]] {
    const problems: string[] = [];
    const targets = (panel.targets ?? []).flatMap((target: Json) => {
      const reference = target?.datasource ?? panel.datasource;
      const mapped = this.dataSources.map(reference, target?.expr);
      if ("problem" in mapped) {
        problems.push(`query ${target?.refId} ${mapped.problem}`);
        return [];
      }
      if (mapped.uid && !target?.expr) {
        return [];
      }
      const expr = mapped.uid === "prometheus" ? joinContainers(target.expr) : target?.expr;
      const [problem] = queryProblems(mapped.uid, expr, variables);
      if (expr !== target?.expr && !problem) {
        this.changes.add("container metrics are joined with groundwork_container_info");
      }
      if (problem) {
        problems.push(`query ${target.refId} ${problem}`);
        return [];
      }
      this.mapped(mapped.was, mapped.uid);
      return [
        {
          ...target,
          ...(expr && { expr }),
          ...(target.datasource && { datasource: mapped.reference }),
        },
      ];
    });
    return [targets, problems];
  }

  /** Puts the model of a library panel, which some exports contain, in its place. */
  private withoutLibrary(panel: Json): Json {
    const element = this.elements[panel.libraryPanel?.uid];
    if (!element?.model) {
      return panel;
    }
    const { libraryPanel: _, ...own } = panel;
    const { libraryPanel: __, gridPos: ___, id: ____, ...model } = element.model;
    this.changes.add(`library panel "${element.name}" -> panel of this dashboard`);
    return { ...own, ...model, title: own.title || model.title };
  }

  private textPanel({ id, title, gridPos, targets }: Json, reason: string, name?: string): Json {
    if (name) {
      this.lost.push(`${name}: ${reason}`);
    }
    const queries = (targets ?? []).map((target: Json) => target?.expr ?? target?.query ?? target);
    const blocks = queries.map(
      (query: Json) =>
        `\`\`\`\n${typeof query === "string" ? query : JSON.stringify(query, null, 2)}\n\`\`\``,
    );
    const content = [`Not imported: ${reason}.`, ...blocks].join("\n\n");
    return { id, type: "text", title, gridPos, options: { mode: "markdown", content } };
  }

  private mapped(was?: string, uid?: string): void {
    if (was !== undefined && was !== uid) {
      this.changes.add(`data source "${was}" -> ${uid}`);
    }
  }
}

/** Returns the uid, or one for the title if it is missing or invalid. */
function uidOf(uid: unknown, title: string): string {
  return typeof uid === "string" && /^[a-zA-Z0-9_-]{1,40}$/.test(uid)
    ? uid
    : fileName(title).slice(0, 40);
}

/** Returns another uid for a dashboard whose own is taken. */
export function otherUid(uid: string, path: string): string {
  const hash = createHash("sha256").update(path).digest("hex");
  return `${uid.slice(0, 31)}-${hash.slice(0, 8)}`;
}

/** Gives panels without an id, or with that of an earlier one, a new id. */
function numbered(panels: Json[]): Json[] {
  const all = allPanels({ panels }) as Json[];
  let last = Math.max(0, ...all.map(({ id }) => (Number.isInteger(id) ? id : 0)));
  const used = new Set<number>();
  const number = (panel: Json): Json => {
    const id = Number.isInteger(panel.id) && !used.has(panel.id) ? panel.id : ++last;
    used.add(id);
    return { ...panel, id, ...(panel.panels && { panels: panel.panels.map(number) }) };
  };
  return panels.map(number);
}

/** Maps every string in a JSON value. */
function mapStrings(value: Json, map: (text: string) => string): Json {
  if (typeof value === "string") {
    return map(value);
  }
  if (Array.isArray(value)) {
    return value.map((item) => mapStrings(item, map));
  }
  return typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapStrings(item, map)]))
    : value;
}
