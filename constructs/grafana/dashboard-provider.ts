import { readOwnFile, type UploadedFile } from "../container/file";
import { Dashboard } from "./dashboard";

/**
 * Dashboards that Grafana reads from files, in folders named like their directories. Grafana refuses to save or delete them: change the
 * file instead.
 */
export class DashboardProvider {
  /** Reads every `<folder>/<dashboard>.json` of a directory. Throws if a dashboard is invalid. */
  static fromDirectory(path: string): DashboardProvider {
    return new DashboardProvider(Dashboard.fromDirectory(path));
  }

  constructor(readonly dashboards: readonly Dashboard[]) {}

  /** Returns the same dashboards, of which the one with this uid shows only a text, in Markdown, under a title. */
  saying(uid: string, title: string, text: string): DashboardProvider {
    return new DashboardProvider(
      this.dashboards.map((dashboard) =>
        dashboard.uid === uid ? dashboard.saying(title, text) : dashboard,
      ),
    );
  }

  /** The files to upload to Grafana's container. */
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
