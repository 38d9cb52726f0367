import { Annotations } from "cdktf";
import type { Construct } from "constructs";
import type { AlertGroup, DashboardProvider, IndexTemplate, Topic } from "../constructs";
import type { Environment } from "../environments";
import { AlertingStack, type Notifications } from "./alerting-stack";
import { DataStack } from "./data-stack";
import { MessagingStack } from "./messaging-stack";
import { NetworkStack } from "./network-stack";
import { ObservabilityStack } from "./observability-stack";
import { StorageStack, type StorageStackProps } from "./storage-stack";

/** What the platform provisions inside its services and shows of them. */
export interface Catalog {
  readonly topics: readonly Topic[];
  readonly indexTemplates: readonly IndexTemplate[];
  readonly dashboards: DashboardProvider;
  readonly alertGroups: readonly AlertGroup[];
  readonly notifications: Notifications;
}

/** Declares every stack of the platform for one environment. */
export function declarePlatform(
  app: Construct,
  environment: Environment,
  { topics, indexTemplates, dashboards, alertGroups, notifications }: Catalog,
  storageProps?: StorageStackProps,
): void {
  const network = new NetworkStack(app, "network", environment);
  const storage = new StorageStack(app, "storage", environment, storageProps);
  const data = new DataStack(app, "data", environment, { network, storage, indexTemplates });
  const messaging = new MessagingStack(app, "messaging", environment, { network, storage, topics });
  const observability = new ObservabilityStack(app, "observability", environment, {
    network,
    storage,
    data,
    messaging,
    dashboards,
  });
  if (!environment.without?.includes("grafana")) {
    new AlertingStack(app, "alerting", environment, { observability, alertGroups, notifications });
  }
  for (const warning of environment.warnings ?? []) {
    Annotations.of(network).addWarning(warning);
  }
}
