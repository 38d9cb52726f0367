import { join } from "node:path";
import { DashboardProvider, IndexTemplate, readAlertGroups } from "../constructs";
import type { Catalog } from "../stacks/platform";
import { applications } from "./applications";
import { notifications } from "./notifications";
import { topics } from "./topics";

const ROOT = join(__dirname, "..");

/** Everything in this folder, in dashboards/ and in alerts/. */
export const catalog: Catalog = {
  topics,
  applications,
  indexTemplates: IndexTemplate.fromDirectory(join(__dirname, "index-templates")),
  dashboards: DashboardProvider.fromDirectory(join(ROOT, "dashboards")),
  alertGroups: readAlertGroups(join(ROOT, "alerts"), ROOT),
  notifications,
};
