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
