import { existsSync } from "node:fs";
import execa, { type ExecaError } from "execa";
import { CommandError } from "../terminal/terminal";

/** The Terraform or OpenTofu binary. */
export interface TerraformBinary {
  readonly command: string;
  readonly product: "Terraform" | "OpenTofu";
  readonly version: string;
  /** Why it was chosen, for messages. */
  readonly choice: string;
}

/** CDKTF's variable that forces the choice. */
const FORCE = "TERRAFORM_BINARY_NAME";

/** Returns the binary that TERRAFORM_BINARY_NAME names, else terraform or tofu from the PATH; undefined if there is none. */
export function detectTerraform(env = process.env): TerraformBinary | undefined {
  const forced = env[FORCE];
  for (const command of forced ? [forced] : ["terraform", "tofu"]) {
    try {
      const { stdout } = execa.sync(command, ["version"], {
        env: terraformEnv(env),
        extendEnv: false,
      });
      const [, product, version] = /^(Terraform|OpenTofu) v(\S+)/.exec(stdout) ?? [];
      if (product === "Terraform" || product === "OpenTofu") {
        const choice = forced ? `set by ${FORCE}` : `first on the PATH; ${FORCE} overrides it`;
        return { command, product, version, choice };
      }
    } catch {
      // Not installed: try the next one.
    }
  }
  return undefined;
}

/** Returns the environment for Terraform. Drops a CLI configuration file that does not exist, since Terraform would warn on every call. */
export function terraformEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { TF_CLI_CONFIG_FILE: configFile, ...rest } = env;
  return configFile && existsSync(configFile) ? env : rest;
}

/** Runs Terraform in a stack's folder and returns its output. Throws its errors. */
export async function callTerraform(
  { command }: Pick<TerraformBinary, "command">,
  folder: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  try {
    const { stdout } = await execa(command, [`-chdir=${folder}`, ...args], {
      env: { ...terraformEnv(process.env), TF_IN_AUTOMATION: "1", CHECKPOINT_DISABLE: "1", ...env },
      extendEnv: false,
      maxBuffer: 256 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    const { stderr, shortMessage } = error as ExecaError;
    throw new CommandError(
      `terraform ${args[0]} in ${folder} failed:\n${stderr.trim() || shortMessage}`,
    );
  }
}
