import { deployPlatform } from "../operations/deploy/deploy";
import { followContext } from "../operations/engine/context";
import { currentEnvironment } from "../operations/synthesis/environment";

/** Deploys, and takes over resources of the environment that exist but are not in the Terraform state. */
export async function adopt(): Promise<void> {
  await deployPlatform(await followContext(currentEnvironment()), { adopt: true });
}
