import { type LabFlags, labOptionsOf } from "../lab/options";
import { clientOf, prepareLab } from "../lab/prepare";
import { deployPlatform } from "../operations/deploy/deploy";
import { followContext } from "../operations/engine/context";

/** Builds the lab from package registries and deploys the platform in it, unless `prepare` is set. */
export async function runLab({ prepare, ...flags }: LabFlags): Promise<void> {
  const options = labOptionsOf(flags);
  const { environment, engine = "bookworm" } = options;
  const { terraform, cliConfigFile } = await prepareLab(options);
  if (!prepare) {
    await deployPlatform(await followContext(environment));
  }
  console.log(
    [
      "",
      "To use cdktf in the lab directly:",
      `  export GROUNDWORK_ENV=${environment.name} CDKTF_DISABLE_PLUGIN_CACHE_ENV=1`,
      ...(engine === "bookworm" ? [] : [`  export PATH=${clientOf(engine)}:$PATH`]),
      `  export TERRAFORM_BINARY_NAME=${terraform} TF_CLI_CONFIG_FILE=${cliConfigFile}`,
      `  npx cdktf diff ${environment.name}-data --skip-provider-lock`,
    ].join("\n"),
  );
}
