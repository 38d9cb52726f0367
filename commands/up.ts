// npm run up [-- --at-once]: deploys the platform and ends when it is finished, or says why it is not. Nodes of a cluster that have to be
// replaced are so one after the other, unless it is told to do it at once.
import { deployPlatform } from "./support/deploy";
import { currentEnvironment } from "./support/platform";
import { parseOptions, runCommand } from "./support/terminal";

runCommand(async () => {
  const options = parseOptions("at-once");
  await deployPlatform(currentEnvironment(), { atOnce: options["at-once"] });
});
