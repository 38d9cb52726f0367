import { BACKUP_VOLUME } from "../../constructs/opensearch/backup";
import type { Environment } from "../../environments";
import type { StillHeld } from "../lock/still-held";
import { checkMachines } from "../machine/machine";
import { Platform } from "../platform/platform";
import { Run } from "../run/run";
import { synthesize } from "../synthesis/synthesize";
import { CommandError } from "../terminal/terminal";
import { describeRemains } from "./unmanaged";

/** Stops and removes containers and networks. Data volumes stay unless `volumes` is set, and the volume with the backups stays always. */
export async function destroyPlatform(
  environment: Environment,
  { volumes, stillHeld }: { readonly volumes: boolean; readonly stillHeld?: StillHeld },
): Promise<void> {
  const stacks = await synthesize(environment, { preventDestroy: !volumes });
  const platform = new Platform(environment);
  const run = new Run(platform, stacks, await checkMachines(environment), { stillHeld });
  // Alerting lives in Grafana's volume: it stays or is removed with the volume.
  await run.destroy("data", "messaging", "observability");
  await run.destroy("network");
  if (volumes) {
    await run.destroy("storage");
  }
  const remains = await describeRemains(platform, { volumes });
  if (remains) {
    throw new CommandError(remains);
  }
  if (volumes && environment.backup?.repository.kind === "volume") {
    console.log(
      `volume ${BACKUP_VOLUME} keeps the backups: npm run restore restores one after npm run up, and docker volume rm ${BACKUP_VOLUME} deletes them`,
    );
  }
  console.log(
    volumes
      ? `environment "${environment.name}" is down and its data volumes are deleted`
      : `environment "${environment.name}" is down; its data volumes are kept. npm run up starts it again`,
  );
}
