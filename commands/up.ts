// npm run up: deploys the platform and ends when it is finished, or says why it is not.
import { deployPlatform } from "./support/deploy";
import { currentEnvironment } from "./support/platform";
import { parseOptions, runCommand } from "./support/terminal";

runCommand(async () => {
  parseOptions();
  await deployPlatform(currentEnvironment());
});
