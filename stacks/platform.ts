import type { Construct } from "constructs";
import type {
  AlertGroup,
  Application,
  DashboardProvider,
  IndexTemplate,
  Notifications,
  Topic,
} from "../constructs";
import { all, ServiceContainer } from "../constructs";
import { unknownName } from "../constructs/service/declaration";
import { validate } from "../constructs/service/validation";
import type { Environment } from "../environments";
import { AlertingStack } from "./alerting-stack";
import { DataStack } from "./data-stack";
import { MessagingStack } from "./messaging-stack";
import { NetworkStack } from "./network-stack";
import { ObservabilityStack } from "./observability-stack";
import { StorageStack, type StorageStackProps } from "./storage-stack";

/** What the platform provisions inside its services and shows of them. */
export interface Catalog {
  readonly topics: readonly Topic[];
  readonly indexTemplates: readonly IndexTemplate[];
  readonly applications: readonly Application[];
  readonly dashboards: DashboardProvider;
  readonly alertGroups: readonly AlertGroup[];
  readonly notifications: Notifications;
}

/** About certificates and who is refused, which an open environment has none of: its uid. */
const DASHBOARD_OF_LOCKS = "groundwork-security";

/** Alerts about what not every environment has, by the name of their group. */
const ALERTS_OF_SOME: Readonly<Record<string, (environment: Environment) => boolean>> = {
  machines: ({ machines }) => machines !== undefined,
  security: ({ security }) => security === "tls",
};

/** Declares every stack of the platform for one environment. */
export function declarePlatform(
  app: Construct,
  environment: Environment,
  { topics, indexTemplates, applications, dashboards, alertGroups, notifications }: Catalog,
  storageProps?: StorageStackProps,
): void {
  const locked = environment.security === "tls";
  const network = new NetworkStack(app, "network", environment);
  const storage = new StorageStack(app, "storage", environment, storageProps);
  const [data, messaging] = all(
    () =>
      new DataStack(app, "data", environment, { network, storage, indexTemplates, applications }),
    () =>
      new MessagingStack(app, "messaging", environment, { network, storage, topics, applications }),
  );
  const observability = new ObservabilityStack(app, "observability", environment, {
    network,
    storage,
    data,
    messaging,
    dashboards: locked ? dashboards : dashboards.without(DASHBOARD_OF_LOCKS),
  });
  if (!environment.without?.includes("grafana")) {
    new AlertingStack(app, "alerting", environment, {
      observability,
      alertGroups: alertGroups.filter(({ name }) => ALERTS_OF_SOME[name]?.(environment) ?? true),
      notifications,
    });
  }
  validatePlacement(app, environment);
}

/** Fails where a container is placed that there is none of. What is left out, with a machine or by its name, may be placed all the same. */
function validatePlacement(
  app: Construct,
  { name, placement = {}, absent = [], without = [] }: Environment,
): void {
  const containers = app.node
    .findAll()
    .flatMap((construct) => (construct instanceof ServiceContainer ? construct.name : []));
  const known = [...containers, ...without];
  all(
    ...Object.keys(placement).map(
      (container) => () =>
        validate(
          absent.length > 0 || known.includes(container),
          () => `environment "${name}" places ${unknownName(container, known)}`,
        ),
    ),
  );
}
