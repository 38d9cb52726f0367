import type { Construct } from "constructs";
import {
  type Application,
  OpenSearchBackup,
  OpenSearchCluster,
  OpenSearchInit,
  type OpenSearchInitProps,
  OpenSearchSecurity,
  type RetentionPolicy,
} from "../constructs";
import { BACKUP_PRINCIPAL } from "../constructs/opensearch/backup";
import { type Environment, retentionIn } from "../environments";
import type { BackupStack } from "./backup-stack";
import { clusterNodes } from "./cluster-nodes";
import type { NetworkStack } from "./network-stack";
import { DockerStack } from "./platform-stack";
import { securityOf } from "./security";
import type { StorageStack } from "./storage-stack";

export interface DataStackProps
  extends Pick<OpenSearchInitProps, "componentTemplates" | "indexTemplates" | "ingestPipelines"> {
  readonly network: NetworkStack;
  readonly storage: StorageStack;
  readonly applications: readonly Application[];
  readonly retentionPolicies: readonly RetentionPolicy[];
  /** The volume with the backups. @default - none: the environment has no backups, or keeps them elsewhere */
  readonly backups?: BackupStack;
}

/** OpenSearch, its templates and retention policies, and the permissions of applications in it. */
export class DataStack extends DockerStack {
  readonly cluster: OpenSearchCluster;
  readonly backup?: OpenSearchBackup;

  constructor(scope: Construct, layer: string, environment: Environment, props: DataStackProps) {
    super(scope, layer, environment);
    this.after(props.network, props.storage);
    if (props.backups) {
      // All nodes are on the machine of the volume.
      this.of(BACKUP_PRINCIPAL).after(props.backups.of(BACKUP_PRINCIPAL));
    }
    const security = securityOf(environment);
    const { backup } = environment;
    this.cluster = new OpenSearchCluster(this, "opensearch", {
      infraNetwork: props.network.infra,
      projectNetwork: environment.openSearch.onProjectNetwork ? props.network.project : undefined,
      nodes: clusterNodes(this, environment, "opensearch", props),
      raiseUlimits: environment.openSearch.raiseUlimits,
      image: environment.openSearch.image,
      backupStorage:
        backup?.repository.kind === "path"
          ? { hostPath: backup.repository.path }
          : props.backups?.volume,
      security,
    });
    const retentionPolicies = retentionIn(environment, props.retentionPolicies);
    const openSearchSecurity =
      security &&
      new OpenSearchSecurity(this, "os-security", {
        cluster: this.cluster,
        applications: props.applications,
        hasRetention: retentionPolicies.length > 0,
        hasBackups: backup !== undefined,
      });
    new OpenSearchInit(this, "os-init", {
      cluster: this.cluster,
      componentTemplates: props.componentTemplates,
      ingestPipelines: props.ingestPipelines,
      indexTemplates: props.indexTemplates,
      retentionPolicies,
      openSearchSecurity,
    });
    if (backup) {
      const place = props.backups ? this.of(BACKUP_PRINCIPAL) : this;
      this.backup = new OpenSearchBackup(place, "os-backup", {
        ...{ cluster: this.cluster, backup, openSearchSecurity },
        volume: props.backups?.volume,
      });
    }
  }
}
