import { join } from "node:path";
import {
  all,
  ComponentTemplate,
  DashboardProvider,
  DataStream,
  IndexTemplate,
  IngestPipeline,
  RetentionPolicy,
  readAlertGroups,
  validateApplications,
  validateNotifications,
  validateTopics,
} from "../constructs";
import type { Catalog } from "../stacks/platform";
import { applications } from "./applications";
import { notifications } from "./notifications";
import { retention } from "./retention";
import { topics } from "./topics";

const ROOT = join(__dirname, "..");

const [
  componentTemplates,
  ingestPipelines,
  dataStreams,
  indexTemplates,
  policies,
  shortPolicies,
  dashboards,
  alertGroups,
] = all(
  () => ComponentTemplate.fromDirectory(join(__dirname, "component-templates")),
  () => IngestPipeline.fromDirectory(join(__dirname, "ingest-pipelines")),
  () => DataStream.fromDirectory(join(__dirname, "data-streams")),
  () => IndexTemplate.fromDirectory(join(__dirname, "index-templates")),
  () => RetentionPolicy.fromDirectory(join(__dirname, "retention")),
  () => RetentionPolicy.fromRetention(retention),
  () => DashboardProvider.fromDirectory(join(ROOT, "dashboards")),
  () => readAlertGroups(join(ROOT, "alerts"), ROOT),
  // Validated here too, so that all errors of the catalog are reported together.
  () => validateTopics(topics),
  () => validateApplications(applications, topics),
  () => validateNotifications(notifications),
);

/** The content of this folder, dashboards/ and alerts/. */
export const catalog: Catalog = {
  topics,
  applications,
  componentTemplates,
  ingestPipelines,
  indexTemplates: [...dataStreams, ...indexTemplates],
  retentionPolicies: [...policies, ...shortPolicies],
  dashboards,
  alertGroups,
  notifications,
};
