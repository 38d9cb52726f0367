// npm run up: deploys the platform and ends when it is finished, or says why it is not.
import { currentEnvironment, deployPlatform } from "./support/platform";
import { parseOptions, runCommand } from "./support/terminal";

runCommand(async () => {
  parseOptions();
  await deployPlatform(currentEnvironment());
});
