// npm run lab: builds a hermetic Docker lab out of package registries and deploys the platform in it. Never used for a user's
// own deployment.
import { lab } from "../environments/lab";
import { deployPlatform } from "./support/deploy";
import { prepareLab } from "./support/lab";
import { parseOptions, runCommand } from "./support/terminal";

runCommand(async () => {
  const options = parseOptions("fresh", "yes");
  const { terraform, cliConfigFile } = await prepareLab(options);
  await deployPlatform(lab);
  console.log(
    [
      "",
      "To use cdktf in the lab directly:",
      "  export GROUNDWORK_ENV=lab CDKTF_DISABLE_PLUGIN_CACHE_ENV=1",
      `  export TERRAFORM_BINARY_NAME=${terraform} TF_CLI_CONFIG_FILE=${cliConfigFile}`,
      "  npx cdktf diff lab-data --skip-provider-lock",
    ].join("\n"),
  );
});
