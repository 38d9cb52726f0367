import { existsSync } from "node:fs";
import execa, { type ExecaError } from "execa";
import { CommandError } from "../terminal/terminal";

/** The program that cdktf runs for plan and apply. */
export interface TerraformBinary {
  readonly command: string;
  readonly product: "Terraform" | "OpenTofu";
  readonly version: string;
  /** Why it was chosen, in words. */
  readonly choice: string;
}

/** OpenTofu's first release; Terraform of that number is its ancestor. */
export const OLDEST_TERRAFORM = "1.6.0";

/** cdktf's own variable. It forces the choice. */
const FORCE = "TERRAFORM_BINARY_NAME";

/** Terraform or OpenTofu: what TERRAFORM_BINARY_NAME names, else the first of both on the PATH. */
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
      // Not there: the next one.
    }
  }
  return undefined;
}

/** The environment for Terraform, without a CLI configuration that is not there: it would warn on every call. */
export function terraformEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { TF_CLI_CONFIG_FILE: configFile, ...rest } = env;
  return configFile && existsSync(configFile) ? env : rest;
}

/** Runs Terraform in a stack's folder and returns what it printed, or fails with its errors. */
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
