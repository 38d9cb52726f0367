import { readSidecarRun } from "../../constructs/init-sidecar/run-log";
import { BACKUP_PRINCIPAL } from "../../constructs/opensearch/backup";
import type { Platform } from "../platform/platform";
import { fileOf } from "../synthesis/environment";
import type { Json } from "../synthesis/tree";
import { CommandError, counted, renderSize } from "../terminal/terminal";

/** Throws if the environment declares no backups. */
export function requireBackups({ environment }: Platform): void {
  if (!environment.backup) {
    throw new CommandError(
      `environment "${environment.name}" declares no backups: add backup: { repository: { kind: "volume" } } to ${fileOf(environment.name)}, and run npm run up (docs/how-to/backup.md)`,
    );
  }
}

/**
 * Takes a backup, verifies it and removes old ones, as the schedule does. Prints how far it is. Throws unless the backup has every shard.
 */
export async function takeBackup(
  platform: Platform,
  { takeOver, print }: { readonly takeOver: boolean; readonly print: (line: string) => void },
): Promise<void> {
  requireBackups(platform);
  const lines: string[] = [];
  const { exitCode, output } = await platform.openSearch.backups.take(
    (line) => {
      lines.push(line);
      const said = describeLine(line);
      if (said !== undefined) {
        print(said);
      }
    },
    { takeOver },
  );
  if (exitCode === 0) {
    return;
  }
  const { created, reason } = readSidecarRun(BACKUP_PRINCIPAL, lines.join("\n"));
  throw new CommandError(
    lines.length === 0
      ? `${BACKUP_PRINCIPAL} does not run: ${output}. Run npm run up`
      : `${created > 0 ? "the backup is good, but old ones remain" : "no good backup"}: ${reason}`,
  );
}

/** Describes a line of the log for the user; undefined if it says nothing to them. @internal */
export function describeLine(text: string): string | undefined {
  const line = jsonOf(text);
  switch (line?.event) {
    case "started":
      return `  backup ${line.backup} started`;
    case "progress":
      return `  ${line.shards_done} of ${counted(line.shards, "shard")} written, ${renderSize(line.bytes)} of new data`;
    case "created":
      return `  backup ${line.resource} is complete and verified`;
    case "removed":
      return `  backup ${line.backup} removed: only the newest are kept`;
    case "retry":
      return `  waiting: ${line.reason}`;
    default:
      return undefined;
  }
}

function jsonOf(text: string): Json | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
