import { readOwnFile, type UploadedFile } from "../container/file";
import { Dashboard } from "./dashboard";

/**
 * Dashboards that Grafana reads from files, in folders like their directories. Grafana refuses to save or delete one of them,
 * so that a change is a change of a file.
 */
export class DashboardProvider {
  /** Every `<folder>/<dashboard>.json` of a directory. */
  static fromDirectory(path: string): DashboardProvider {
    return new DashboardProvider(Dashboard.fromDirectory(path));
  }

  private constructor(readonly dashboards: readonly Dashboard[]) {}

  /** The same, but for the dashboard of that uid. */
  without(uid: string): DashboardProvider {
    return new DashboardProvider(this.dashboards.filter((dashboard) => dashboard.uid !== uid));
  }

  /** What Grafana's container gets. */
  get files(): UploadedFile[] {
    return [
      {
        path: "/etc/grafana/provisioning/dashboards/groundwork.yaml",
        content: readOwnFile(__dirname, "dashboards.yaml"),
      },
      ...this.dashboards.map(({ file, content }) => ({
        path: `/etc/grafana/dashboards/${file}`,
        content,
      })),
    ];
  }
}
