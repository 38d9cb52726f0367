import { join } from "node:path";
import {
  all,
  DashboardProvider,
  IndexTemplate,
  readAlertGroups,
  validateApplications,
  validateNotifications,
  validateTopics,
} from "../constructs";
import type { Catalog } from "../stacks/platform";
import { applications } from "./applications";
import { notifications } from "./notifications";
import { topics } from "./topics";

const ROOT = join(__dirname, "..");

const [indexTemplates, dashboards, alertGroups] = all(
  () => IndexTemplate.fromDirectory(join(__dirname, "index-templates")),
  () => DashboardProvider.fromDirectory(join(ROOT, "dashboards")),
  () => readAlertGroups(join(ROOT, "alerts"), ROOT),
  // Here too, so that what is wrong in these is said together with what is wrong in files.
  () => validateTopics(topics),
  () => validateApplications(applications, topics),
  () => validateNotifications(notifications),
);

/** Everything in this folder, in dashboards/ and in alerts/. */
export const catalog: Catalog = {
  topics,
  applications,
  indexTemplates,
  dashboards,
  alertGroups,
  notifications,
};
