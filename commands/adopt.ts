// npm run adopt: deploys as `npm run up` does, and takes over what the engine has of this environment and the state does not know, after the
// state was lost or from another clone.
import { deployPlatform } from "../operations/deploy/deploy";
import { followContext } from "../operations/engine/context";
import { currentEnvironment } from "../operations/synthesis/environment";
import { parseOptions, runCommand } from "../operations/terminal/terminal";

runCommand(async () => {
  parseOptions();
  await deployPlatform(await followContext(currentEnvironment()), { adopt: true });
});
