import { deployPlatform } from "../operations/deploy/deploy";
import { followContext } from "../operations/engine/context";
import { withLock } from "../operations/lock/lock";
import { currentEnvironment } from "../operations/synthesis/environment";

/** Deploys, and takes over resources of the environment that exist but are not in the Terraform state. */
export async function adopt({ forceUnlock }: { readonly forceUnlock: boolean }): Promise<void> {
  const environment = await followContext(currentEnvironment());
  await withLock(environment, { command: "adopt", forceUnlock }, (stillHeld) =>
    deployPlatform(environment, { adopt: true, stillHeld }),
  );
}
