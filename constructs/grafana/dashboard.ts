import { basename, dirname, join, relative, sep } from "node:path";
import { filesIn, readJsonFile } from "../container/file";
import { all, firstProblems, ValidationError, validate } from "../container/validation";
import { allPanels, checkShape, type DashboardModel } from "./dashboard-model";
import { problemsOf } from "./dashboard-problems";
import { resolveDataSource } from "./data-source-reference";
import { withoutRows } from "./legacy-rows";

/** A query of a panel and its data source. */
export interface DashboardQuery {
  readonly panel: string;
  readonly dataSource: string;
  readonly expr: string;
}

/** A dashboard from a file, validated at synth. */
export class Dashboard {
  /**
   * Reads a dashboard from a JSON file. Its directory is its folder in Grafana, or with `root` the path of its directory below that one.
   * Throws if it is invalid.
   */
  static fromFile(path: string, root = dirname(dirname(path))): Dashboard {
    const model = readJsonFile(path, "dashboard");
    validate(
      !("apiVersion" in model || "spec" in model),
      () =>
        `dashboard ${path} uses the model "${model.apiVersion ?? model.kind}" of Grafana's API: export it as code again, with the model "Classic"`,
    );
    checkShape(model, `dashboard ${path}`);
    const folder = relative(root, dirname(path));
    return new Dashboard(path, folder.split(sep).join(" - "), withoutRows(model));
  }

  /**
   * Reads every dashboard of a directory and its subdirectories. Throws if one is invalid, two have the same uid, or the same title in one
   * folder, or another file is there.
   */
  static fromDirectory(path: string): Dashboard[] {
    const files = filesIn(path, [".json"], "a dashboard");
    const dashboards = all(...files.map((file) => () => Dashboard.fromFile(file, path)));
    all(
      () =>
        validateDifferent(
          dashboards,
          ({ uid }) => uid,
          ({ uid }) => `the same uid "${uid}": change one of them`,
        ),
      () =>
        validateDifferent(
          dashboards,
          // One directory may be named like the path of another.
          ({ folder, title }) => JSON.stringify([folder, title]),
          ({ folder, title }) =>
            `the same title "${title}" in folder "${folder}", for which Grafana would import neither: change one of them`,
        ),
      () =>
        validateDifferent(
          dashboards,
          ({ file }) => file,
          ({ file }) => `the same path ${file} in Grafana: rename one of them`,
        ),
    );
    return dashboards;
  }

  readonly uid: string;
  readonly title: string;

  private constructor(
    readonly path: string,
    /** The folder in which Grafana shows it. Empty for Grafana's top level. */
    readonly folder: string,
    private readonly model: DashboardModel,
  ) {
    this.uid = model.uid;
    this.title = model.title;
    firstProblems(`dashboard ${path}`, () => {
      const problems = [...problemsOf(model)];
      if (problems.length > 0) {
        throw new ValidationError(problems.map((problem) => `dashboard ${path}: ${problem}`));
      }
    });
  }

  /** Returns a dashboard of the same uid, title, folder and links that shows only a text, in Markdown. */
  saying(title: string, text: string): Dashboard {
    const gridPos = { x: 0, y: 0, w: 24, h: 8 };
    const panel = {
      id: 1,
      type: "text",
      title,
      gridPos,
      options: { mode: "markdown", content: text },
    };
    return new Dashboard(this.path, this.folder, { ...this.model, panels: [panel] });
  }

  /** The path below Grafana's directory of dashboards. Grafana names a folder like the last directory only. */
  get file(): string {
    return join(this.folder, basename(this.path));
  }

  /** The JSON that Grafana reads, in one line: Terraform's time grows with the square of a text's number of lines. */
  get content(): string {
    return `${JSON.stringify(this.model)}\n`;
  }

  /** The queries of all panels. */
  get queries(): DashboardQuery[] {
    return allPanels(this.model).flatMap(({ title = "", targets, datasource }) =>
      (targets ?? []).flatMap((target) => {
        const source = resolveDataSource(
          target?.datasource ?? datasource,
          this.model.templating?.list ?? [],
        );
        return target?.expr !== undefined && "uid" in source && source.uid
          ? { panel: title, expr: String(target.expr), dataSource: source.uid }
          : [];
      }),
    );
  }
}

/** Throws if two dashboards have the same key. */
function validateDifferent(
  dashboards: readonly Dashboard[],
  keyOf: (dashboard: Dashboard) => string,
  describe: (dashboard: Dashboard) => string,
): void {
  all(
    ...dashboards.map((dashboard, i) => () => {
      const same = dashboards.filter((other) => keyOf(other) === keyOf(dashboard));
      validate(
        same.length === 1 || dashboards.indexOf(same[0]) < i,
        () =>
          `dashboards ${same.map(({ path }) => path).join(" and ")} have ${describe(dashboard)}`,
      );
    }),
  );
}
