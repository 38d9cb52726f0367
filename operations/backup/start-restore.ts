import type { OpenSearchBackups, StoredBackup } from "../platform/open-search-backups";
import { CommandError } from "../terminal/terminal";

/** What a restore does. */
export interface RestorePlan {
  readonly backup: StoredBackup;
  /** Names of indices and data streams in the backup. */
  readonly names: readonly string[];
  /** Names in the cluster of all indices that are restored, including those behind data streams. */
  readonly indices: readonly string[];
  /** Open indices that are closed first. */
  readonly closed: readonly string[];
  /** Data streams that are deleted first: OpenSearch closes none. */
  readonly deleted: readonly string[];
  /** Names of existing indices and data streams that are replaced. */
  readonly replaced: readonly string[];
  readonly prefix?: string;
  /** Aliases of existing indices. A restored index that got one would change where its writes go. */
  readonly keptAliases: readonly string[];
}

/** How often a data stream is deleted that an application creates again before it is restored. */
const ATTEMPTS = 3;

/**
 * Starts a restore. Deletes a data stream only after everything else was accepted, and one at a time, since a deletion cannot be undone.
 * Throws if OpenSearch refuses, after it opened what it closed.
 */
export async function startRestore(backups: OpenSearchBackups, plan: RestorePlan): Promise<void> {
  const { backup, closed, deleted, names, prefix, keptAliases } = plan;
  const isDeleted = (name: string) => deleted.includes(`${prefix ?? ""}${name}`);
  const others = names.filter((name) => !isDeleted(name));
  if (closed.length + deleted.length > 0) {
    await backups.requireReadable(backup.name);
  }
  if (others.length > 0) {
    await restoreClosed(backups, closed, () =>
      backups.restore(backup.name, { names: others, prefix, keptAliases }),
    );
  }
  for (const name of names.filter(isDeleted)) {
    await replaceDataStream(backups, plan, name);
  }
}

/** Closes indices and starts their restore. Opens them again if one of both fails. */
async function restoreClosed(
  backups: OpenSearchBackups,
  closed: readonly string[],
  start: () => Promise<void>,
): Promise<void> {
  const tried: string[] = [];
  try {
    for (const name of closed) {
      tried.push(name);
      await backups.close(name);
    }
    await start();
  } catch (error) {
    const left: string[] = [];
    for (const name of tried) {
      await backups.open(name).catch(({ message }: Error) => left.push(message));
    }
    throw left.length === 0 ? error : new CommandError([messageOf(error), ...left].join("\n"));
  }
}

async function replaceDataStream(
  backups: OpenSearchBackups,
  { backup, prefix }: RestorePlan,
  name: string,
): Promise<void> {
  const stream = `${prefix ?? ""}${name}`;
  // The schedule may have removed it since, and a node may have lost its mount.
  await backups.requireReadable(backup.name);
  for (let attempt = 1; ; attempt++) {
    await backups.deleteDataStream(stream);
    try {
      return await backups.restore(backup.name, { names: [name], prefix });
    } catch (error) {
      const existing = await backups.existing().catch(() => undefined);
      const isBack = existing?.dataStreams.includes(stream) ?? false;
      if (isBack && attempt < ATTEMPTS) {
        continue;
      }
      const again = `npm run restore -- ${backup.name} --index ${name}${prefix === undefined ? "" : ` --prefix ${prefix}`}`;
      throw new CommandError(
        `data stream ${stream} was deleted and is not restored: ${messageOf(error)}. ${
          isBack
            ? `An application created it again: stop those that write to it, then run ${again} --overwrite ${stream}`
            : `The backup has it: fix the cause, then run ${again}`
        }`,
      );
    }
  }
}

const messageOf = (error: unknown) => (error as Error).message;
