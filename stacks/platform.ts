import { App } from "cdktf";
import type { Construct } from "constructs";
import type {
  AlertGroup,
  Application,
  ComponentTemplate,
  DashboardProvider,
  IndexTemplate,
  IngestPipeline,
  Notifications,
  RetentionPolicy,
  Topic,
} from "../constructs";
import { all, ServiceContainer } from "../constructs";
import { unknownName } from "../constructs/container/declaration";
import { validate, validateDistinct } from "../constructs/container/validation";
import { LOKI_PROXY } from "../constructs/loki/loki-proxy";
import { nodeOfCertificates } from "../constructs/security/node-certificates";
import { type Environment, isSecured } from "../environments";
import { ensureSecrets } from "../secrets/platform-secrets";
import { makePrivate } from "../secrets/secret-files";
import { AlertingStack } from "./alerting-stack";
import { BackupStack, validateBackup } from "./backup-stack";
import { certificateAlert } from "./certificate-alert";
import { DataStack } from "./data-stack";
import { driftAlert } from "./drift-alert";
import { MessagingStack } from "./messaging-stack";
import { NetworkStack } from "./network-stack";
import { ObservabilityStack } from "./observability-stack";
import { validateQuorums } from "./placement";
import { StorageStack, type StorageStackProps } from "./storage-stack";

/** What the platform provisions in its services: topics, templates, retention policies, applications, dashboards and alerts. */
export interface Catalog {
  readonly topics: readonly Topic[];
  readonly componentTemplates: readonly ComponentTemplate[];
  readonly ingestPipelines: readonly IngestPipeline[];
  readonly indexTemplates: readonly IndexTemplate[];
  readonly retentionPolicies: readonly RetentionPolicy[];
  readonly applications: readonly Application[];
  readonly dashboards: DashboardProvider;
  readonly alertGroups: readonly AlertGroup[];
  readonly notifications: Notifications;
}

/** Uid of the dashboard about certificates and rejected clients, for which only a secured environment has data. */
const SECURITY_DASHBOARD = "groundwork-security";

/** What that dashboard shows elsewhere. */
const NOT_SECURED = [
  "Not secured",
  'Connections are plaintext, and any client on the networks may read and write. So there are no certificates, rejected logins or denied requests to show.\n\nTo enable TLS, set `security: "tls"` in the environment (docs/how-to/enable-tls.md).',
] as const;

/** Conditions of alert groups that do not apply everywhere, by the group's name. */
const ALERTS_OF_SOME: Readonly<
  Record<string, (environment: Environment, notifications: Notifications) => boolean>
> = {
  backup: ({ backup }) => backup !== undefined,
  machines: ({ machines }) => machines !== undefined,
  // Where no email is sent, the alert's own notification would fail, and so keep it alive.
  notifications: ({ grafana: { smtp } }, { contactPoints }) =>
    smtp !== undefined || contactPoints.some(({ email }) => email === undefined),
  security: isSecured,
  watchdog: (_, { heartbeat }) => heartbeat !== undefined,
};

export interface SynthesizeProps extends StorageStackProps {
  /**
   * Output folder of the stacks.
   *
   * @default - `CDKTF_OUTDIR`, which the cdktf CLI sets, or `cdktf.out` in the working directory
   */
  readonly outdir?: string;
  /**
   * Whether the environment's secrets are checked, and generated if they are missing. A synth that is not deployed does not need them: it
   * contains only their paths.
   *
   * @default true
   */
  readonly secrets?: boolean;
}

/** Writes the stacks of an environment as Terraform JSON. Throws a `ValidationError` if a declaration or a secret is invalid. */
export async function synthesizePlatform(
  environment: Environment,
  catalog: Catalog,
  { outdir, secrets = true, ...storageProps }: SynthesizeProps = {},
): Promise<void> {
  if (secrets) {
    await ensureSecrets(environment, catalog.applications);
  }
  const app = new App({ outdir, stackTraces: false });
  // Without secrets, the dates of certificates are not known.
  const alerts =
    secrets && isSecured(environment) ? [certificateAlert(environment, catalog.applications)] : [];
  const alertGroups = [...catalog.alertGroups, ...alerts];
  declarePlatform(app, environment, { ...catalog, alertGroups }, storageProps);
  app.synth();
  // Plans have the variables, and so passwords.
  makePrivate(app.outdir);
}

/** Declares all stacks of an environment. @internal */
export function declarePlatform(
  app: Construct,
  environment: Environment,
  catalog: Catalog,
  storageProps?: StorageStackProps,
): void {
  const { topics, applications, dashboards, alertGroups, notifications } = catalog;
  validateQuorums(environment);
  validateBackup(environment);
  const secured = isSecured(environment);
  const declaredAlerts = [...alertGroups, ...driftAlert(environment)];
  validateAlerts(declaredAlerts);
  const groups = declaredAlerts.filter(
    ({ name }) => ALERTS_OF_SOME[name]?.(environment, notifications) ?? true,
  );
  const network = new NetworkStack(app, "network", environment);
  const storage = new StorageStack(app, "storage", environment, storageProps);
  const backups =
    environment.backup?.repository.kind === "volume"
      ? new BackupStack(app, "backup", environment)
      : undefined;
  const [data, messaging] = all(
    () => new DataStack(app, "data", environment, { network, storage, backups, ...catalog }),
    () =>
      new MessagingStack(app, "messaging", environment, { network, storage, topics, applications }),
  );
  const observability = new ObservabilityStack(app, "observability", environment, {
    network,
    storage,
    data,
    messaging,
    dashboards: secured ? dashboards : dashboards.saying(SECURITY_DASHBOARD, ...NOT_SECURED),
    alertGroups: groups,
  });
  if (!environment.excludedServices?.includes("grafana")) {
    new AlertingStack(app, "alerting", environment, {
      observability,
      alertGroups: groups,
      notifications,
    });
  }
  validatePlacement(app, environment);
}

/** Throws if two alerts or groups have the same name: Grafana knows them by it. One of both may be Groundwork's own. */
function validateAlerts(groups: readonly AlertGroup[]): void {
  const taken = (kind: string) => (name: string) =>
    `${kind} "${name}" is declared twice, once by Groundwork: rename yours in its rule file`;
  all(
    () =>
      validateDistinct(
        groups.map(({ name }) => name),
        taken("group"),
      ),
    () =>
      validateDistinct(
        groups.flatMap(({ rules }) => rules.map(({ alert }) => alert)),
        taken("alert"),
      ),
  );
}

/** Throws if placement names an unknown container. Containers of excluded machines and services may be placed. */
function validatePlacement(
  app: Construct,
  { name, placement = {}, excludedMachines = [], excludedServices = [] }: Environment,
): void {
  const containers = app.node
    .findAll()
    .flatMap((construct) => (construct instanceof ServiceContainer ? construct.name : []))
    // They are on the machine of their node, or of Loki.
    .filter((container) => nodeOfCertificates(container) === undefined && container !== LOKI_PROXY);
  const known = [...containers, ...excludedServices];
  all(
    ...Object.keys(placement).map(
      (container) => () =>
        validate(
          excludedMachines.length > 0 || known.includes(container),
          () =>
            `environment "${name}" places ${unknownName(container, known, "an unknown container")}`,
        ),
    ),
  );
}
