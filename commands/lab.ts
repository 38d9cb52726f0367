// npm run lab: builds a hermetic Docker lab out of package registries and deploys the platform in it. Never used for a user's
// own deployment.

import { parseArgs } from "node:util";
import { lab } from "../environments/lab";
import { labSecured } from "../environments/lab-secured";
import { labThree } from "../environments/lab-three";
import { labThreeSecured } from "../environments/lab-three-secured";
import { clientOf, LAB_ENGINES, prepareLab } from "../lab/prepare";
import { deployPlatform } from "../operations/deploy/deploy";
import { CommandError, optionsOrError, runCommand } from "../operations/terminal/terminal";

const OPTIONS = ["fresh", "yes", "secured", "machines", "engine", "prepare"];

runCommand(async () => {
  const { fresh, yes, secured, machines, engine, prepare } = optionsOrError(
    OPTIONS,
    () =>
      parseArgs({
        options: {
          fresh: { type: "boolean", default: false },
          yes: { type: "boolean", default: false },
          secured: { type: "boolean", default: false },
          prepare: { type: "boolean", default: false },
          machines: { type: "string" },
          engine: { type: "string" },
        },
      }).values,
  );
  if (machines !== undefined && machines !== "3") {
    throw new CommandError(
      `--machines is "${machines}": 3 is allowed, for environment ${labThree.name}`,
    );
  }
  const known = LAB_ENGINES.find((name) => name === engine);
  if (engine !== undefined && !known) {
    throw new CommandError(`--engine is "${engine}": allowed are ${LAB_ENGINES.join(", ")}`);
  }
  if (engine !== undefined && machines !== undefined) {
    throw new CommandError(
      "--engine and --machines are for one lab each: machines have this machine's own engine, leave one of the two out",
    );
  }
  const [open, locked] = machines ? [labThree, labThreeSecured] : [lab, labSecured];
  const environment = secured ? locked : open;
  const { terraform, cliConfigFile } = await prepareLab({
    fresh,
    yes,
    environment,
    engine: known,
  });
  if (!prepare) {
    await deployPlatform(environment);
  }
  console.log(
    [
      "",
      "To use cdktf in the lab directly:",
      `  export GROUNDWORK_ENV=${environment.name} CDKTF_DISABLE_PLUGIN_CACHE_ENV=1`,
      ...(known && known !== "bookworm" ? [`  export PATH=${clientOf(known)}:$PATH`] : []),
      `  export TERRAFORM_BINARY_NAME=${terraform} TF_CLI_CONFIG_FILE=${cliConfigFile}`,
      `  npx cdktf diff ${environment.name}-data --skip-provider-lock`,
    ].join("\n"),
  );
});
