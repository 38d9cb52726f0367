import { followContext } from "../operations/engine/context";
import { withLock } from "../operations/lock/lock";
import { currentEnvironment } from "../operations/synthesis/environment";
import { CommandError } from "../operations/terminal/terminal";
import { removeOrphans } from "../operations/volumes/remove-orphans";
import { type Format, RENDERERS } from "../operations/volumes/render";
import { listVolumes } from "../operations/volumes/volumes";

export interface VolumesOptions {
  readonly format: Format;
  readonly removeOrphans: boolean;
  readonly forceUnlock: boolean;
}

/** Prints the environment's volumes, or removes those that nothing needs. Throws if an engine does not answer. */
export async function volumes(options: VolumesOptions): Promise<void> {
  const environment = await followContext(currentEnvironment());
  const listing = await listVolumes(environment);
  if (options.removeOrphans) {
    await withLock(environment, { command: "volumes", forceUnlock: options.forceUnlock }, () =>
      removeOrphans(environment, listing.volumes),
    );
  } else {
    console.log(RENDERERS[options.format](environment, listing));
  }
  if (listing.problems.length > 0) {
    throw new CommandError(listing.problems.join("\n"));
  }
}
