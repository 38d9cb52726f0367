import { basename } from "node:path";
import type { UploadedFile } from "../container/file";
import { type FileChange, facts } from "../container/file-change";
import { SIDECAR_DIR } from "../init-sidecar/sidecar-dir";
import {
  type Application,
  hasCertificate,
  type IndexAccess,
  type IndexPermission,
} from "../security/application";
import { describePermissions } from "../security/describe-permissions";
import { MONITOR } from "../security/principals";
import { BACKUP_PRINCIPAL } from "./backup";

/** The directory with the files of applications and of the platform's own roles, which os-security.sh reads. */
export const APPLICATIONS_DIR = `${SIDECAR_DIR}/applications`;

/** The description by which the sidecar recognizes what it created. */
export const MARK = "An application of Groundwork";

/** A role in the format of the security plugin. */
export interface Role {
  readonly cluster_permissions?: readonly string[];
  readonly index_permissions?: readonly {
    readonly index_patterns: readonly string[];
    /** The query of the documents that may be read, as JSON. */
    readonly dls?: string;
    /** The fields that may be read, or with "~" those that may not. */
    readonly fls?: readonly string[];
    readonly allowed_actions: readonly string[];
  }[];
}

/** What clients ask about their own indices, and refreshing them. Reveals no document. */
const METADATA = [
  "indices:admin/get",
  "indices:admin/mappings/get",
  "indices:admin/aliases/get",
  "indices:monitor/settings/get",
  "indices:admin/refresh*",
];

/** Updates by query need `read` too. */
const WRITE = [
  ...["indices:data/write/index", "indices:data/write/bulk*", "indices:data/write/update*"],
  "create_index",
];

/**
 * The actions and action groups of the security plugin that each access allows on an index, in addition to `METADATA`. OpenSearch has one
 * action for creating a document and for replacing it, and needs `create_index` for an index that a document creates.
 */
const INDEX_ACTIONS: Readonly<Record<IndexAccess, readonly string[]>> = {
  read: ["read"],
  append: ["indices:data/write/index", "indices:data/write/bulk*", "create_index"],
  write: WRITE,
  readwrite: ["read", ...WRITE],
  manage: ["indices_all"],
};

/** The permissions that reviewers read, by an action that includes them. Roles of earlier versions have the group `write`. */
const PERMISSIONS_OF: Readonly<Record<string, readonly string[]>> = {
  read: ["read"],
  "indices:data/write/index": ["append"],
  "indices:data/write/update*": ["write"],
  write: ["append", "write", "delete"],
  indices_all: ["read", "append", "write", "delete", "manage"],
};

/** Cluster permissions for requests on several indices. The security plugin checks each index in them. `reindex` reads and writes. */
const CLUSTER_ACTIONS = {
  read: [
    "indices:data/read/mget",
    "indices:data/read/msearch",
    "indices:data/read/msearch/template",
    "indices:data/read/mtv",
    "indices:data/read/scroll*",
  ],
  write: ["indices:data/write/bulk"],
  reindex: ["indices:data/write/reindex"],
};

/** The role of Alloy's exporter: version, health, statistics of nodes and indices, and index aliases. */
const MONITOR_ROLE: Role = {
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
 * The role of os-backup: it takes, verifies and removes backups. It can restore none and read no document.
 */
const BACKUP_ROLE: Role = {
  cluster_permissions: [
    "cluster:monitor/health",
    "cluster:monitor/main",
    "cluster:monitor/nodes/info",
    "cluster:admin/repository/get",
    "cluster:admin/repository/put",
    "cluster:admin/repository/verify",
    "cluster:admin/snapshot/create",
    "cluster:admin/snapshot/delete",
    "cluster:admin/snapshot/get",
    "cluster:admin/snapshot/status*",
  ],
};

/** Renders the files of an application as os-security.sh reads them: with a certificate, it has no user. */
export function renderApplication(application: Application): UploadedFile[] {
  const { name, indices = {} } = application;
  const accesses = new Set(Object.values(indices).map(accessOf));
  const allows = (...some: IndexAccess[]) => some.some((access) => accesses.has(access));
  const reads = allows("read", "readwrite", "manage");
  const writes = allows("append", "write", "readwrite", "manage");
  const role: Role = {
    cluster_permissions: [
      // Clients read the version when they connect.
      "cluster:monitor/main",
      ...(reads ? CLUSTER_ACTIONS.read : []),
      ...(writes ? CLUSTER_ACTIONS.write : []),
      ...(reads && writes ? CLUSTER_ACTIONS.reindex : []),
    ],
    index_permissions: Object.entries(indices).map(([pattern, permission]) => ({
      index_patterns: [pattern],
      ...restrictionsOf(permission),
      allowed_actions: [...INDEX_ACTIONS[accessOf(permission)], ...METADATA],
    })),
  };
  return [
    // Users that are not reserved can change their passwords.
    ...(hasCertificate(application)
      ? []
      : [renderFile(name, "user", { reserved: true, description: MARK })]),
    renderFile(name, "role", { ...role, description: MARK }),
    renderFile(name, "mapping", { users: [name], description: MARK }),
  ];
}

const accessOf = (permission: IndexPermission): IndexAccess =>
  typeof permission === "string" ? permission : permission.access;

function restrictionsOf(permission: IndexPermission) {
  const { documents, fields } = typeof permission === "string" ? {} : permission;
  return {
    ...(documents && { dls: JSON.stringify(documents) }),
    ...(fields && { fls: fields }),
  };
}

/** Renders the files of Alloy. It has no user, since it authenticates with its certificate. */
export function renderMonitor(): UploadedFile[] {
  return [
    renderFile(MONITOR, "role", { ...MONITOR_ROLE, description: MARK }),
    renderFile(MONITOR, "mapping", { users: [MONITOR], description: MARK }),
  ];
}

/** Renders the files of os-backup, which authenticates with its certificate as Alloy does. */
export function renderBackup(): UploadedFile[] {
  return [
    renderFile(BACKUP_PRINCIPAL, "role", { ...BACKUP_ROLE, description: MARK }),
    renderFile(BACKUP_PRINCIPAL, "mapping", { users: [BACKUP_PRINCIPAL], description: MARK }),
  ];
}

export function renderFile(name: string, kind: FileKind, body: object): UploadedFile {
  return { path: applicationFile(name, kind), content: `${JSON.stringify(body, null, 2)}\n` };
}

type FileKind = "user" | "role" | "mapping";

export const applicationFile = (name: string, kind: FileKind) =>
  `${APPLICATIONS_DIR}/${name}.${kind}.json`;

export const parseRole = (text: string): Role => JSON.parse(text);

/** Describes which permissions an application gets and loses, from its role file. Alloy and os-backup are no applications. */
export function describeApplicationFile(path: string, before?: string, after?: string): FileChange {
  const [, name, kind] = /^(.*)\.(\w+)\.json$/.exec(basename(path)) ?? [];
  return kind === "role" && ![MONITOR, BACKUP_PRINCIPAL].includes(name)
    ? describePermissions(name, "OpenSearch", permissionsIn(before), permissionsIn(after))
    : facts();
}

function permissionsIn(text?: string): string[] | undefined {
  if (text === undefined) {
    return undefined;
  }
  const { index_permissions = [] } = parseRole(text);
  return index_permissions.flatMap(
    ({ index_patterns: [pattern], allowed_actions, dls, fls = [] }) => {
      const restrictions = [
        ...(dls ? [`of documents ${dls}`] : []),
        ...(fls.length > 0 ? [`of fields ${fls.join(", ")}`] : []),
      ].join(" and ");
      return allowed_actions
        .flatMap((action) => PERMISSIONS_OF[action] ?? [])
        .map(
          (permission) => `${permission} on index ${pattern}${restrictions && ` ${restrictions}`}`,
        );
    },
  );
}
