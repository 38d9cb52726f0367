import { join } from "node:path";
import { currentEnvironment, fileOf } from "../operations/synthesis/environment";
import { PROJECT_ROOT } from "../operations/synthesis/project";
import { synthesize } from "../operations/synthesis/synthesize";
import { CommandError, table } from "../operations/terminal/terminal";
import { detectTerraform } from "../operations/terraform/binary";
import { describeMissingTerraform } from "../operations/terraform/install";
import { migrateState } from "../operations/terraform/migrate-state";

/** Moves the local state of every stack to the environment's backend. */
export async function moveStateOfEnvironment(): Promise<void> {
  const environment = currentEnvironment();
  if (!environment.state || environment.state.kind === "local") {
    throw new CommandError(
      `environment "${environment.name}" has no remote state backend: set state in ${fileOf(environment.name)} first`,
    );
  }
  const terraform = detectTerraform();
  if (!terraform) {
    throw new CommandError(describeMissingTerraform());
  }
  const rows: string[][] = [["stack", "state"]];
  for (const { name, layer, folder } of await synthesize(environment)) {
    const localState = join(PROJECT_ROOT, ".state", environment.name, `${layer}.tfstate`);
    rows.push([name, await migrateState(folder, localState, terraform)]);
  }
  console.log(table(rows));
  console.log(
    `\nthe state of environment "${environment.name}" is in its backend: run npm run plan to check that nothing changes`,
  );
}
