import type { Environment } from "../environments";
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
  const { removeOrphans: removes, forceUnlock, format } = options;
  const problems = removes
    ? await withLock(environment, { command: "volumes", forceUnlock }, async (stillHeld) => {
        // Another command may have changed what is an orphan until this one had the lock.
        const listing = await listVolumes(environment);
        await removeOrphans(environment, listing.volumes, stillHeld);
        return listing.problems;
      })
    : await show(environment, format);
  if (problems.length > 0) {
    throw new CommandError(problems.join("\n"));
  }
}

/** Returns what could not be listed. */
async function show(environment: Environment, format: Format): Promise<readonly string[]> {
  const listing = await listVolumes(environment);
  console.log(RENDERERS[format](environment, listing));
  return listing.problems;
}
