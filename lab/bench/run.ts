import { join } from "node:path";
import { currentEngine } from "../../operations/engine/context";
import { engineVariables } from "../../operations/engine/docker";
import { PROJECT_ROOT } from "../../operations/synthesis/project";
import { stream } from "../../operations/terminal/stream";
import { CommandError } from "../../operations/terminal/terminal";
import { terraformEnv } from "../../operations/terraform/binary";
import { lab } from "../environments";

const LOG_FILE = join(PROJECT_ROOT, ".state", "bench.log");

export interface Where {
  readonly cwd?: string;
  /** The name of the environment. @default lab */
  readonly environment?: string;
}

/** Runs the cdktf CLI as a user would. Throws if it fails. */
export function runCdktf(...args: string[]): Promise<void> {
  return runCdktfIn({}, ...args);
}

/** Runs the cdktf CLI in another folder or environment. */
export async function runCdktfIn(where: Where, ...args: string[]): Promise<void> {
  await runInLab(join(PROJECT_ROOT, "node_modules", ".bin", "cdktf"), args, where, [0]);
}

export interface NpmOptions extends Where {
  readonly args?: readonly string[];
  readonly onLine?: (line: string) => void;
}

/** Runs an npm script as a user would. Exit codes 2 and 3 are no failure: preview and plan return them if they find changes. */
export async function runNpm(script: string, options: NpmOptions = {}): Promise<void> {
  const { args = [] } = options;
  await runInLab("npm", ["run", "--silent", script, "--", ...args], options, [0, 2, 3]);
}

async function runInLab(
  command: string,
  args: readonly string[],
  { cwd = PROJECT_ROOT, environment = lab.name, onLine = () => undefined }: NpmOptions,
  success: readonly number[],
): Promise<void> {
  const exitCode = await stream(command, args, {
    cwd,
    env: {
      ...terraformEnv(process.env),
      ...engineVariables(await currentEngine()),
      CHECKPOINT_DISABLE: "1",
      FORCE_COLOR: "0",
      GROUNDWORK_ENV: environment,
    },
    logFile: LOG_FILE,
    onLine,
  });
  if (!success.includes(exitCode)) {
    throw new CommandError(
      `${command} ${args.join(" ")} failed with exit status ${exitCode}: its output is in ${LOG_FILE}`,
    );
  }
}
