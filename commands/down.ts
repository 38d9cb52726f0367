import { destroyPlatform } from "../operations/deploy/destroy";
import { followContext } from "../operations/engine/context";
import { withLock } from "../operations/lock/lock";
import { currentEnvironment } from "../operations/synthesis/environment";
import { confirm } from "../operations/terminal/confirm";

/** Removes containers and networks, and also the data volumes if requested and confirmed. */
export async function down({
  volumes,
  yes,
  forceUnlock,
}: Record<"volumes" | "yes" | "forceUnlock", boolean>): Promise<void> {
  const environment = await followContext(currentEnvironment());
  if (volumes && !yes) {
    await confirm(
      environment.name,
      `This destroys all data of environment "${environment.name}"`,
      "--volumes destroys all data and needs a confirmation, but standard input is not a terminal: add --yes",
    );
  }
  await withLock(environment, { command: "down", forceUnlock }, (stillHeld) =>
    destroyPlatform(environment, { volumes, stillHeld }),
  );
}
