import { takeBackup } from "../operations/backup/take";
import { followContext } from "../operations/engine/context";
import { Platform } from "../operations/platform/platform";
import { currentEnvironment } from "../operations/synthesis/environment";
import { confirm } from "../operations/terminal/confirm";

/** Takes a backup of OpenSearch now, verifies it and removes old ones. */
export async function backup({
  takeOver,
  yes,
}: Record<"takeOver" | "yes", boolean>): Promise<void> {
  const platform = new Platform(await followContext(currentEnvironment()));
  const { name } = platform.environment;
  if (takeOver && !yes) {
    await confirm(
      name,
      `Two clusters that write to one repository destroy its backups. With --take-over, this cluster writes to that of environment "${name}". The backups of the other cluster stay, also beyond keep`,
      "--take-over needs a confirmation, but standard input is not a terminal: add --yes",
    );
  }
  await takeBackup(platform, { takeOver, print: console.log });
  console.log("npm run restore lists the backups and restores one");
}
