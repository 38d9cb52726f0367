import { deployPlatform } from "../operations/deploy/deploy";
import { followContext } from "../operations/engine/context";
import { currentEnvironment } from "../operations/synthesis/environment";

/** Deploys, and takes over what the engine has of the environment and the state does not know. */
export async function adopt(): Promise<void> {
  await deployPlatform(await followContext(currentEnvironment()), { adopt: true });
}
