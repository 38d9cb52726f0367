import { BACKUP_VOLUME } from "../../constructs/opensearch/backup";
import type { Environment } from "../../environments";
import { confirm } from "../terminal/confirm";
import { CommandError, counted, listed } from "../terminal/terminal";
import { renderTime, renderTotal } from "./render";
import { removeVolume, type VolumeOnMachine } from "./volumes";

/**
 * Removes the orphans among volumes after a confirmation, if the command still has its lock then. Throws if the user says no or cannot be
 * asked, or if a volume remains.
 */
export async function removeOrphans(
  environment: Environment,
  volumes: readonly VolumeOnMachine[],
  stillHeld: () => Promise<void>,
): Promise<void> {
  const orphans = volumes.filter(({ orphan }) => orphan);
  if (orphans.length === 0) {
    console.log(`environment "${environment.name}" has no orphaned volumes`);
    return;
  }
  const listing = orphans
    .map(
      (volume) =>
        `- ${placeOf(volume)} (${renderTotal([volume])}, ${renderTime(volume.lastWrittenAt)}${volume.name === BACKUP_VOLUME ? "; all backups of OpenSearch" : ""})`,
    )
    .join("\n");
  await confirm(
    environment.name,
    `This destroys ${counted(orphans.length, "volume")} of environment "${environment.name}":\n${listing}\nTheir data cannot be restored`,
    `no changes made: --remove-orphans destroys data and needs a confirmation, but standard input is not a terminal. It would remove:\n${listing}`,
  );
  await stillHeld();
  const removed: VolumeOnMachine[] = [];
  const remaining: string[] = [];
  for (const orphan of orphans) {
    try {
      await removeVolume(environment, orphan);
      removed.push(orphan);
    } catch (error) {
      remaining.push(`${placeOf(orphan)} remains: ${(error as Error).message}`);
    }
  }
  if (removed.length > 0) {
    console.log(`removed ${listed(removed.map(placeOf))}. Freed: ${renderTotal(removed)}`);
  }
  if (remaining.length > 0) {
    throw new CommandError(remaining.join("\n"));
  }
}

function placeOf({ name, machine }: VolumeOnMachine): string {
  return machine === undefined ? name : `${name} on machine ${machine}`;
}
