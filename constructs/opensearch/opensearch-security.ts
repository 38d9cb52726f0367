import { Construct } from "constructs";
import { parse } from "yaml";
import { InitSidecar, type RetryProps, SIDECAR_DIR } from "../init-sidecar/init-sidecar";
import type { INetwork } from "../network/network";
import type { Access, Application } from "../security/application";
import { MONITOR } from "../security/principals";
import type { Security } from "../security/security";
import { readOwnFile, type UploadedFile } from "../service/file";
import type { OpenSearchCluster } from "./opensearch-cluster";
import { ADMIN_PRINCIPAL, sidecarOverTls } from "./tls";

export interface OpenSearchSecurityProps {
  /** Secured cluster that the applications use. */
  readonly cluster: OpenSearchCluster;

  /** By what the cluster knows who changes its users, and where the applications' passwords are. */
  readonly security: Security;

  /** Network on which the cluster answers without passing the host. */
  readonly network: INetwork;

  /** Who may do what; those that name no indices are none of OpenSearch's. */
  readonly applications: readonly Application[];

  /**
   * How it waits for the cluster.
   *
   * @default - the defaults of `RetryProps`
   */
  readonly retry?: RetryProps;
}

const APPLICATIONS_DIR = `${SIDECAR_DIR}/applications`;

/** Description of what the sidecar has made, by which it knows it again. */
export const MARK = "An application of Groundwork";

/** What an access allows on the indices it names, as action groups of the security plugin. */
const INDEX_ACTIONS: Readonly<Record<Access, readonly string[]>> = {
  read: ["read"],
  write: ["write", "create_index"],
  readwrite: ["read", "write", "create_index"],
};

/** Requests that name several indices are allowed as such; what is in them is checked by index. */
const CLUSTER_ACTIONS = {
  read: [
    "indices:data/read/mget",
    "indices:data/read/msearch",
    "indices:data/read/mtv",
    "indices:data/read/scroll*",
  ],
  write: ["indices:data/write/bulk"],
};

/** What the exporter asks: version, health, statistics of nodes and indices, and the indices' aliases. */
const MONITOR_ROLE = {
  cluster_permissions: [
    "cluster:monitor/health",
    "cluster:monitor/main",
    "cluster:monitor/nodes/stats",
  ],
  index_permissions: [
    {
      index_patterns: ["*"],
      allowed_actions: ["indices:admin/aliases/get", "indices:monitor/stats"],
    },
  ],
};

/**
 * `os-security`: when it has completed, every application has its user and its rights in OpenSearch, Alloy and the platform's other
 * principals have theirs, and no application that is not declared has any. It alone has the administrator's certificate.
 */
export class OpenSearchSecurity extends Construct {
  readonly sidecar: InitSidecar;

  constructor(scope: Construct, id: string, props: OpenSearchSecurityProps) {
    super(scope, id);
    const { cluster, security } = props;
    const applications = props.applications.filter(({ indices }) => indices);
    const tls = sidecarOverTls(SIDECAR_DIR, ADMIN_PRINCIPAL, security);
    this.sidecar = new InitSidecar(this, "Sidecar", {
      name: "os-security",
      image: cluster.image,
      network: props.network,
      waitFor: cluster.nodes,
      script: readOwnFile(__dirname, "os-security.sh"),
      declared: [...applications.map(({ name }) => name), MONITOR],
      files: [
        { path: `${SIDECAR_DIR}/rest.sh`, content: readOwnFile(__dirname, "rest.sh") },
        ...applications.flatMap(renderApplication),
        ...renderMonitor(),
        ...renderOwnRoles(),
        ...tls.files,
      ],
      secrets: [
        ...applications.map(({ name }) => ({
          path: `${APPLICATIONS_DIR}/${name}.hash`,
          source: security.credentialsOf(name).passwordHash,
          readableBy: "everyone" as const,
        })),
        ...tls.secrets,
      ],
      env: {
        OPENSEARCH_ENDPOINTS: cluster.internalEndpoints.join(" "),
        OPENSEARCH_NODES: String(cluster.expectedNodes),
        APPLICATIONS_DIR,
        MARK,
        ...tls.env,
      },
      retry: props.retry,
    });
  }
}

/** The files of one application, laid out as os-security.sh reads them. */
export function renderApplication({ name, indices = {} }: Application): UploadedFile[] {
  const accesses = new Set(Object.values(indices));
  const allows = (access: "read" | "write") => accesses.has(access) || accesses.has("readwrite");
  return [
    renderFile(name, "user", { description: MARK }),
    renderFile(name, "role", {
      cluster_permissions: [
        // Clients ask for the version when they connect.
        "cluster:monitor/main",
        ...(allows("read") ? CLUSTER_ACTIONS.read : []),
        ...(allows("write") ? CLUSTER_ACTIONS.write : []),
      ],
      index_permissions: Object.entries(indices).map(([pattern, access]) => ({
        index_patterns: [pattern],
        allowed_actions: INDEX_ACTIONS[access],
      })),
      description: MARK,
    }),
    renderFile(name, "mapping", { users: [name], description: MARK }),
  ];
}

/** The files of Alloy, which is known by its certificate, and no user. */
export function renderMonitor(): UploadedFile[] {
  return [
    renderFile(MONITOR, "role", { ...MONITOR_ROLE, description: MARK }),
    renderFile(MONITOR, "mapping", { users: [MONITOR], description: MARK }),
  ];
}

/** The files of the platform's own roles, as nodes have them for a cluster's first start. */
export function renderOwnRoles(): UploadedFile[] {
  return (["role", "mapping"] as const).flatMap((kind) => {
    const file = { role: "roles", mapping: "roles_mapping" }[kind];
    const { _meta, ...own } = parse(readOwnFile(__dirname, `security/${file}.yml`));
    return Object.entries<object>(own).map(([name, body]) => renderFile(name, kind, body));
  });
}

function renderFile(name: string, kind: string, body: object): UploadedFile {
  return {
    path: `${APPLICATIONS_DIR}/${name}.${kind}.json`,
    content: `${JSON.stringify(body, null, 2)}\n`,
  };
}
