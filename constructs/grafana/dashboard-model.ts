import * as v from "valibot";
import { checkDeclared, objectWith } from "../container/declaration";

/** The part of Grafana's dashboard JSON that is validated here. */
export interface DashboardModel {
  readonly id?: null;
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating?: { readonly list?: readonly Variable[] };
  readonly annotations?: { readonly list?: readonly Annotation[] };
}

/** A reference to a data source: its uid, an object, or its name in old dashboards. Without one, Grafana uses the default. */
export type DataSourceReference =
  | string
  | { readonly uid?: string; readonly type?: string }
  | null
  | undefined;

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title?: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly datasource?: DataSourceReference;
  readonly targets?: readonly (Target | null)[];
  readonly panels?: readonly Panel[];
  readonly libraryPanel?: { readonly name?: string };
  readonly alert?: { readonly name?: string };
}

export interface Target {
  readonly refId: string;
  readonly expr?: string;
  readonly datasource?: DataSourceReference;
}

export interface Variable {
  readonly name: string;
  readonly type: string;
  readonly query?: unknown;
  readonly datasource?: DataSourceReference;
}

interface Annotation {
  readonly name?: string;
  readonly expr?: string;
  readonly datasource?: DataSourceReference;
}

/** Returns all panels, including those in collapsed rows. */
export function allPanels({ panels }: Pick<DashboardModel, "panels">): Panel[] {
  return panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);
}

const reference = v.nullish(
  v.union(
    [v.string(), v.looseObject({ uid: v.nullish(v.string()), type: v.nullish(v.string()) })],
    "the uid of a data source, or an object with it",
  ),
);

const panelEntries = {
  title: v.nullish(v.string()),
  datasource: reference,
  targets: v.nullish(
    v.array(v.nullish(v.looseObject({ expr: v.nullish(v.string()), datasource: reference }))),
  ),
};

const panelSchema = v.looseObject({
  ...panelEntries,
  panels: v.nullish(v.array(v.looseObject(panelEntries))),
});

const listOf = (entries: v.ObjectEntries) =>
  v.nullish(v.looseObject({ list: v.nullish(v.array(objectWith(entries, v.unknown()))) }));

/** What of a dashboard is read here. Grafana's own fields are many, and differ between versions. */
const shape = v.looseObject({
  title: v.nullish(v.string()),
  panels: v.nullish(v.array(panelSchema)),
  rows: v.nullish(
    v.array(v.looseObject({ panels: v.nullish(v.array(v.looseObject(panelEntries))) })),
  ),
  templating: listOf({ name: v.string(), datasource: reference }),
  annotations: listOf({ expr: v.nullish(v.string()), datasource: reference }),
});

/** Throws if a JSON object has not the shape of a dashboard. Messages start with `what`. */
export function checkShape(model: unknown, what: string): void {
  checkDeclared(shape, model, what);
}
