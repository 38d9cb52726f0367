// npm run up [-- --at-once] [-- --without <machine>,...]: deploys the platform and ends when it is finished, or says why it is not. Nodes
// of a cluster that have to be replaced are so one after the other, unless it is told to do it at once.
import { parseArgs } from "node:util";
import { deployPlatform } from "../operations/deploy/deploy";
import { followContext } from "../operations/engine/context";
import { currentEnvironment } from "../operations/synthesis/environment";
import { optionsOrError, runCommand } from "../operations/terminal/terminal";

const OPTIONS = { "at-once": { type: "boolean" }, without: { type: "string" } } as const;

runCommand(async () => {
  const options = optionsOrError(
    Object.keys(OPTIONS),
    () => parseArgs({ options: OPTIONS }).values,
  );
  const environment = currentEnvironment(process.env.GROUNDWORK_ENV, options.without);
  await deployPlatform(await followContext(environment), { atOnce: options["at-once"] });
});
