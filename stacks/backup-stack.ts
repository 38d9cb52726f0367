import type { Construct } from "constructs";
import { DataVolume } from "../constructs";
import { validate } from "../constructs/container/validation";
import { BACKUP_VOLUME } from "../constructs/opensearch/backup";
import { type Environment, nodesOf } from "../environments";
import { machineOf } from "./placement";
import { DockerStack } from "./platform-stack";

/** The volume with the backups. Its own stack keeps it when all data volumes are destroyed. */
export class BackupStack extends DockerStack {
  readonly volume: DataVolume;

  constructor(scope: Construct, layer: string, environment: Environment) {
    super(scope, layer, environment);
    const [node] = nodesOf(environment, "opensearch");
    this.volume = new DataVolume(this.of(node), BACKUP_VOLUME, { name: BACKUP_VOLUME });
  }
}

/** Throws if the nodes are on several machines, and the repository is a volume, which is on one machine. */
export function validateBackup(environment: Environment): void {
  const { name, backup } = environment;
  const nodes = nodesOf(environment, "opensearch");
  const machines = new Set(nodes.map((node) => machineOf(environment, node)?.name));
  validate(
    backup?.repository.kind !== "volume" || machines.size === 1,
    () =>
      `backup.repository of environment "${name}" has kind "volume", and a volume is on one machine, but OpenSearch has nodes on ${[...machines].join(", ")}: mount the same storage on each of them and set repository: { kind: "path", path: "/mnt/backups" }`,
  );
}
