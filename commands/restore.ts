import { renderBackups } from "../operations/backup/render";
import { describeReplaced, planRestore, restore } from "../operations/backup/restore";
import { requireBackups } from "../operations/backup/take";
import { followContext } from "../operations/engine/context";
import { withLock } from "../operations/lock/lock";
import { Platform } from "../operations/platform/platform";
import { currentEnvironment } from "../operations/synthesis/environment";
import { confirm } from "../operations/terminal/confirm";
import { counted } from "../operations/terminal/terminal";

export interface RestoreCommandOptions {
  readonly index?: readonly string[];
  readonly overwrite?: readonly string[];
  readonly prefix?: string;
  readonly yes: boolean;
  readonly forceUnlock: boolean;
}

/** Restores indices from a backup, or lists the backups. */
export async function restoreBackup(
  name: string | undefined,
  { yes, forceUnlock, ...options }: RestoreCommandOptions,
): Promise<void> {
  const platform = new Platform(await followContext(currentEnvironment()));
  requireBackups(platform);
  const { environment, openSearch } = platform;
  if (name === undefined) {
    console.log(renderBackups(await openSearch.backups.list()));
    return;
  }
  await withLock(environment, { command: "restore", forceUnlock }, async (stillHeld) => {
    const plan = await planRestore(openSearch.backups, name, options);
    const replaced = describeReplaced(plan);
    if (replaced !== undefined && !yes) {
      await confirm(
        environment.name,
        `This replaces all data of:\n${replaced}\nin environment "${environment.name}" with that of backup ${plan.backup.name}`,
        `no changes made: --overwrite replaces data and needs a confirmation, but standard input is not a terminal: add --yes. It would replace:\n${replaced}`,
      );
    }
    await stillHeld();
    await restore(openSearch.backups, plan, console.log);
    const count = counted(plan.indices.length, "index", "indices");
    console.log(`restored ${count} from backup ${plan.backup.name}`);
  });
}
