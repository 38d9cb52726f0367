import { existsSync, readFileSync, renameSync } from "node:fs";
import { CommandError } from "../terminal/terminal";
import { callTerraform, type TerraformBinary } from "./binary";

/** The result of migrating one stack's state. */
export type Migration = "moved" | "nothing to move" | "already moved";

/**
 * Moves a stack's local state to the backend of its synthesized folder. Throws if the backend already has another state. Keeps the local
 * file with the suffix `.moved`.
 */
export async function migrateState(
  folder: string,
  localState: string,
  terraform: Pick<TerraformBinary, "command">,
): Promise<Migration> {
  const call = (...args: string[]) => callTerraform(terraform, folder, args);
  if (!existsSync(localState)) {
    return "nothing to move";
  }
  await call("init", "-input=false", "-no-color", "-reconfigure");
  const local = JSON.parse(readFileSync(localState, "utf8"));
  const shared = await call("state", "pull");
  if (shared.trim() !== "") {
    const { lineage, resources } = JSON.parse(shared);
    if (lineage === local.lineage) {
      return "already moved";
    }
    if (resources.length > 0) {
      throw new CommandError(
        `the backend already has another state for ${folder}, with ${resources.length} resource${resources.length === 1 ? "" : "s"}: no changes made; remove ${localState} to use the backend's state, or empty the backend first`,
      );
    }
  }
  await call("state", "push", localState);
  renameSync(localState, `${localState}.moved`);
  return "moved";
}
