import { execFile } from "node:child_process";
import { existsSync, readFileSync, renameSync } from "node:fs";
import { promisify } from "node:util";
import { CommandError } from "./terminal";
import { type TerraformBinary, terraformEnv } from "./terraform";

const run = promisify(execFile);

/** What became of one stack's state. */
export type Migration = "moved" | "nothing to move" | "moved before";

/**
 * Puts a stack's local state into the backend that its synthesized folder declares, unless there is a state already. The local
 * file stays, under another name.
 */
export async function migrateState(
  folder: string,
  localState: string,
  terraform: Pick<TerraformBinary, "command">,
): Promise<Migration> {
  const call = async (...args: string[]) => {
    try {
      const { stdout } = await run(terraform.command, [`-chdir=${folder}`, ...args], {
        env: { ...terraformEnv(process.env), TF_IN_AUTOMATION: "1" },
        maxBuffer: 64 * 1024 * 1024,
      });
      return stdout;
    } catch (error) {
      const { stderr = "" } = error as { stderr?: string };
      throw new CommandError(
        `terraform ${args[0]} in ${folder} failed; ${localState} is as it was:\n${stderr.trim()}`,
      );
    }
  };
  if (!existsSync(localState)) {
    return "nothing to move";
  }
  await call("init", "-input=false", "-no-color", "-reconfigure");
  const local = JSON.parse(readFileSync(localState, "utf8"));
  const shared = await call("state", "pull");
  if (shared.trim() !== "") {
    const { lineage, resources } = JSON.parse(shared);
    if (lineage === local.lineage) {
      return "moved before";
    }
    if (resources.length > 0) {
      throw new CommandError(
        `the backend has a state of other origin for ${folder}, with ${resources.length} resources: nothing was changed; remove ${localState} to use that one, or empty the backend first`,
      );
    }
  }
  await call("state", "push", localState);
  renameSync(localState, `${localState}.moved`);
  return "moved";
}
