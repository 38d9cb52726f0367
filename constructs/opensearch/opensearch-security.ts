import { Construct } from "constructs";
import { parse } from "yaml";
import { readOwnFile, type UploadedFile } from "../container/file";
import { all, validate } from "../container/validation";
import { InitSidecar, type RetryProps } from "../init-sidecar/init-sidecar";
import { SIDECAR_DIR } from "../init-sidecar/sidecar-dir";
import { type Application, hasCertificate, validateNotPrincipal } from "../security/application";
import { MONITOR, matches, nodePattern } from "../security/principals";
import { BACKUP_PRINCIPAL } from "./backup";
import { CONFIGURATION_DIR, renderConfiguration } from "./configuration";
import {
  APPLICATIONS_DIR,
  MARK,
  renderApplication,
  renderBackup,
  renderFile,
  renderMonitor,
} from "./declared-applications";
import type { OpenSearchCluster } from "./opensearch-cluster";
import { ADMIN_PRINCIPAL, configurationFile, sidecarOverTls } from "./tls";

export interface OpenSearchSecurityProps {
  /** The secured cluster that the applications use. */
  readonly cluster: OpenSearchCluster;

  /** The applications and their permissions. Those without `indices` are skipped. */
  readonly applications: readonly Application[];

  /**
   * Whether os-init provisions retention policies. OpenSearch runs a policy with the permissions of the user who wrote it, so os-init gets
   * the permission to roll over, change and delete all indices.
   *
   * @default false
   */
  readonly hasRetention?: boolean;

  /**
   * Whether os-backup gets the permission to take backups.
   *
   * @default false
   */
  readonly hasBackups?: boolean;

  /**
   * The name of the container.
   *
   * @default "os-security"
   */
  readonly containerName?: string;

  /**
   * How the sidecar waits for the cluster.
   *
   * @default - the defaults of `RetryProps`
   */
  readonly retry?: RetryProps;
}

/**
 * Provisions users and permissions. Once the sidecar has succeeded, every declared application has its user and its permissions in
 * OpenSearch, Alloy and the platform's other principals have their permissions, applications that are no longer declared have none, and
 * the audit trail, the limits of failed logins and the names of clients are configured. It is the only container with the administrator's certificate. Container `os-security`.
 */
export class OpenSearchSecurity extends Construct {
  readonly sidecar: InitSidecar;

  constructor(scope: Construct, id: string, props: OpenSearchSecurityProps) {
    super(scope, id);
    const { cluster } = props;
    const { security } = cluster;
    validate(
      security !== undefined,
      () =>
        "the OpenSearch cluster is plaintext and has no users: set security on the cluster, or declare no applications",
      this,
    );
    const applications = props.applications.filter(({ indices }) => indices);
    const isNode = (name: string) => matches(nodePattern(cluster.containerName), name);
    all(
      // Those without indices too: their certificates are known to OpenSearch.
      ...props.applications.map(
        ({ name }) =>
          () =>
            validateNotPrincipal(name, isNode, this),
      ),
    );
    const tls = sidecarOverTls(SIDECAR_DIR, ADMIN_PRINCIPAL, security);
    this.sidecar = new InitSidecar(this, "Sidecar", {
      name: props.containerName ?? "os-security",
      image: cluster.image,
      network: cluster.infraNetwork,
      waitFor: cluster.nodes,
      script: readOwnFile(__dirname, "os-security.sh"),
      declared: [
        ...applications.map(({ name }) => name),
        MONITOR,
        ...(props.hasBackups ? [BACKUP_PRINCIPAL] : []),
      ],
      files: [
        { path: `${SIDECAR_DIR}/rest.sh`, content: readOwnFile(__dirname, "rest.sh") },
        {
          path: `${SIDECAR_DIR}/configuration.sh`,
          content: readOwnFile(__dirname, "configuration.sh"),
        },
        ...renderConfiguration(cluster.containerName),
        ...applications.flatMap(renderApplication),
        ...renderMonitor(),
        ...renderOwnRoles(cluster.containerName, props.hasRetention),
        ...(props.hasBackups ? renderBackup() : []),
        ...tls.files,
      ],
      secrets: [
        ...applications
          .filter((application) => !hasCertificate(application))
          .map(({ name }) => ({
            path: `${APPLICATIONS_DIR}/${name}.hash`,
            source: security.credentialsOf(name).passwordHash,
            readableBy: "everyone" as const,
          })),
        ...tls.secrets,
      ],
      secretsGeneration: security.generation,
      env: {
        OPENSEARCH_ENDPOINTS: cluster.internalEndpoints.join(" "),
        OPENSEARCH_NODES: String(cluster.expectedNodes),
        APPLICATIONS_DIR,
        CONFIGURATION_DIR,
        MARK,
        ...tls.env,
      },
      retry: props.retry,
    });
  }
}

/** Renders the files of the platform's own roles: those that nodes read at a cluster's first start, and that of retention policies. */
export function renderOwnRoles(cluster: string, hasRetention = false): UploadedFile[] {
  const retention = parse(readOwnFile(__dirname, "retention-role.yml"));
  return (["role", "mapping"] as const).flatMap((kind) => {
    const file = { role: "roles", mapping: "roles_mapping" }[kind];
    const { _meta, ...own } = parse(configurationFile(file, cluster));
    return Object.entries<object>({ ...own, ...(hasRetention && retention[kind]) }).map(
      ([name, body]) => renderFile(name, kind, body),
    );
  });
}
