import { Construct } from "constructs";
import { readOwnFile, type UploadedFile } from "../container/file";
import { ServiceContainer } from "../container/service-container";
import { ServiceImage } from "../container/service-image";
import { serviceSettingsOf } from "../container/settings";
import { validate } from "../container/validation";
import { SIDECAR_DIR } from "../init-sidecar/sidecar-dir";
import type { IDataVolume } from "../storage/data-volume";
import { VERSION } from "../version";
import {
  BACKUP_PRINCIPAL,
  type Backup,
  type BackupRepository,
  intervalSecondsOf,
  keptBackupsOf,
  maxAgeSecondsOf,
  REPOSITORY,
  REPOSITORY_DIR,
} from "./backup";
import { OPENSEARCH_IMAGE, type OpenSearchCluster } from "./opensearch-cluster";
import type { OpenSearchSecurity } from "./opensearch-security";
import { sidecarOverTls } from "./tls";

/** Scratch space, in memory. It must exist in the image, as that of init sidecars. */
const RUN_DIR = "/tmp";

/** Exists while the repository is registered and verified. */
const READY_FILE = `${RUN_DIR}/ready`;

/** The command that takes one backup in the container, with its progress and result as log lines. */
export const TAKE_BACKUP = ["sh", `${SIDECAR_DIR}/supervise.sh`, `${SIDECAR_DIR}/take-backup.sh`];

export interface OpenSearchBackupProps {
  /** The cluster. Its nodes mount the repository, unless it is a bucket. */
  readonly cluster: OpenSearchCluster;

  /** The repository and the schedule. */
  readonly backup: Backup;

  /**
   * The volume of a repository of kind `volume`.
   *
   * @default - none: the repository is of another kind
   */
  readonly volume?: IDataVolume;

  /**
   * The sidecar that gives this one its permissions in a secured cluster.
   *
   * @default - none: the cluster is plaintext
   */
  readonly openSearchSecurity?: OpenSearchSecurity;
}

/**
 * Takes backups of OpenSearch's indices on a schedule, verifies them and removes old ones. It is healthy once every node can use the
 * repository. Container `os-backup`.
 */
export class OpenSearchBackup extends Construct {
  readonly container: ServiceContainer;

  /** The age in seconds at which the newest good backup is too old. */
  readonly maxAgeSeconds: number;

  constructor(scope: Construct, id: string, props: OpenSearchBackupProps) {
    super(scope, id);
    const { backup, cluster, volume } = props;
    const { environment } = serviceSettingsOf(this);
    const { security } = cluster;
    const image = cluster.image.reference;
    validate(
      backup.repository.kind !== "s3" || image !== OPENSEARCH_IMAGE,
      () =>
        `backup.repository has kind "s3", and image ${image} lacks the plugin repository-s3: set openSearch.image to an image with it (docs/how-to/backup.md), or use kind "volume" or "path"`,
      this,
    );
    this.maxAgeSeconds = maxAgeSecondsOf(backup);
    const tls = security && sidecarOverTls(SIDECAR_DIR, BACKUP_PRINCIPAL, security);
    this.container = new ServiceContainer(this, "Container", {
      name: BACKUP_PRINCIPAL,
      image: ServiceImage.of(this, image),
      tier: "job",
      networks: [cluster.infraNetwork],
      dependsOn: [
        ...cluster.nodes,
        ...(props.openSearchSecurity ? [props.openSearchSecurity.sidecar.container] : []),
      ],
      // A new volume belongs to root, who gives it to the nodes' group. Without a volume, `nobody`.
      user: volume ? "0:1000" : "65534:65534",
      volumes: volume && { [REPOSITORY_DIR]: volume },
      entrypoint: ["sh", `${SIDECAR_DIR}/supervise.sh`, `${SIDECAR_DIR}/os-backup.sh`],
      files: [
        ...["supervise.sh", "lib.sh"].map((name) => ownFile(`../init-sidecar/${name}`)),
        ...["rest.sh", "os-backup.sh", "take-backup.sh", "backups.sh"].map(ownFile),
        ...renderRepository(backup.repository, environment),
        ...(tls?.files ?? []),
      ],
      secrets: tls?.secrets,
      tmpfs: { [RUN_DIR]: "size=64m,mode=1777" },
      env: {
        GROUNDWORK_SIDECAR: BACKUP_PRINCIPAL,
        GROUNDWORK_VERSION: VERSION,
        GROUNDWORK_RUN_DIR: RUN_DIR,
        GROUNDWORK_RETRY_INITIAL_MS: "250",
        GROUNDWORK_RETRY_MAX_MS: "5000",
        GROUNDWORK_RETRY_JITTER: "full",
        GROUNDWORK_DEADLINE_SECONDS: "60",
        OPENSEARCH_ENDPOINTS: cluster.internalEndpoints.join(" "),
        OPENSEARCH_NODES: String(cluster.expectedNodes),
        BACKUP_ENVIRONMENT: environment,
        BACKUP_REPOSITORY: REPOSITORY,
        BACKUP_EVERY_SECONDS: String(intervalSecondsOf(backup)),
        BACKUP_KEEP: String(keptBackupsOf(backup)),
        BACKUP_LOOK_SECONDS: String(Math.min(300, intervalSecondsOf(backup))),
        READY_FILE,
        ...(volume && { REPOSITORY_DIR }),
        ...(backup.repository.kind === "path" && { BACKUP_PATH: backup.repository.path }),
        ...tls?.env,
      },
      healthCheck: { command: ["test", "-f", READY_FILE] },
    });
  }
}

const ownFile = (name: string): UploadedFile => ({
  path: `${SIDECAR_DIR}/${name.split("/").at(-1)}`,
  content: readOwnFile(__dirname, name),
});

/**
 * Renders the body with which OpenSearch registers the repository, and its fields as rest.sh flattens the registered one. @internal
 */
export function renderRepository(
  repository: BackupRepository,
  environment: string,
): UploadedFile[] {
  const type = repository.kind === "s3" ? "s3" : "fs";
  const settings = settingsOf(repository, environment);
  const fields = Object.entries(settings).map(
    ([name, value]) => `settings.${name}=${JSON.stringify(value)}`,
  );
  return [
    {
      path: `${SIDECAR_DIR}/repository.json`,
      content: `${JSON.stringify({ type, settings }, null, 2)}\n`,
    },
    {
      path: `${SIDECAR_DIR}/repository.fields`,
      content: `${[...fields.sort(), `type="${type}"`].join("\n")}\n`,
    },
  ];
}

function settingsOf(repository: BackupRepository, environment: string): Record<string, string> {
  if (repository.kind !== "s3") {
    return {
      location: `${REPOSITORY_DIR}/${environment}`,
      // The location is the same for every storage, and OpenSearch accepts another one only with changed settings.
      groundwork_storage: repository.kind === "path" ? repository.path : repository.kind,
    };
  }
  const { bucket, endpoint, pathStyleAccess } = repository;
  // The plugin refuses a client without a region, also of other APIs, which mostly ignore it.
  const { region = endpoint === undefined ? undefined : "us-east-1" } = repository;
  return {
    ...{ bucket, base_path: environment },
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    ...(pathStyleAccess !== undefined && { path_style_access: String(pathStyleAccess) }),
  };
}
