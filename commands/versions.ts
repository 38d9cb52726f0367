import { followContext } from "../operations/engine/context";
import { Platform } from "../operations/platform/platform";
import { currentEnvironment } from "../operations/synthesis/environment";
import { renderVersions, versionsOf } from "../operations/versions/versions";

/** Prints the declared, running and finalized versions of the services. */
export async function showVersions(): Promise<void> {
  const environment = await followContext(currentEnvironment());
  console.log(renderVersions(await versionsOf(new Platform(environment))));
}
