import { App } from "cdktf";
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
import { unknownName } from "../constructs/container/declaration";
import { validate } from "../constructs/container/validation";
import { type Environment, isSecured } from "../environments";
import { ensureSecrets } from "../secrets/platform-secrets";
import { AlertingStack } from "./alerting-stack";
import { DataStack } from "./data-stack";
import { MessagingStack } from "./messaging-stack";
import { NetworkStack } from "./network-stack";
import { ObservabilityStack } from "./observability-stack";
import { validateQuorums } from "./placement";
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
const SECURITY_DASHBOARD = "groundwork-security";

/** Alerts about what not every environment has, by the name of their group. */
const ALERTS_OF_SOME: Readonly<Record<string, (environment: Environment) => boolean>> = {
  machines: ({ machines }) => machines !== undefined,
  security: isSecured,
};

export interface SynthesizeProps extends StorageStackProps {
  /**
   * Folder that the stacks are written to.
   *
   * @default - `CDKTF_OUTDIR`, which the cdktf CLI sets, else `cdktf.out` in the working directory
   */
  readonly outdir?: string;
  /**
   * Whether the environment's secrets are checked, and made where they are missing. A synth that is only looked at has no need of them: it
   * holds their paths alone.
   *
   * @default true
   */
  readonly secrets?: boolean;
}

/** Writes the stacks of an environment as Terraform JSON. Throws a `ValidationError` where a declaration or a secret cannot work. */
export async function synthesizePlatform(
  environment: Environment,
  catalog: Catalog,
  { outdir, secrets = true, ...storageProps }: SynthesizeProps = {},
): Promise<void> {
  if (secrets) {
    await ensureSecrets(environment, catalog.applications);
  }
  const app = new App({ outdir, stackTraces: false });
  declarePlatform(app, environment, catalog, storageProps);
  app.synth();
}

/** Declares every stack of the platform for one environment. @internal */
export function declarePlatform(
  app: Construct,
  environment: Environment,
  { topics, indexTemplates, applications, dashboards, alertGroups, notifications }: Catalog,
  storageProps?: StorageStackProps,
): void {
  validateQuorums(environment);
  const secured = isSecured(environment);
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
    dashboards: secured ? dashboards : dashboards.without(SECURITY_DASHBOARD),
  });
  if (!environment.excludedServices?.includes("grafana")) {
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
  { name, placement = {}, excludedMachines = [], excludedServices = [] }: Environment,
): void {
  const containers = app.node
    .findAll()
    .flatMap((construct) => (construct instanceof ServiceContainer ? construct.name : []));
  const known = [...containers, ...excludedServices];
  all(
    ...Object.keys(placement).map(
      (container) => () =>
        validate(
          excludedMachines.length > 0 || known.includes(container),
          () => `environment "${name}" places ${unknownName(container, known)}`,
        ),
    ),
  );
}
