import type { Environment } from "../../environments";
import { checkMachines } from "../machine/machine";
import { Platform } from "../platform/platform";
import { Run } from "../run/run";
import { synthesize } from "../synthesis/synthesize";
import { CommandError } from "../terminal/terminal";
import { describeRemains } from "./unmanaged";

/** Stops and removes the containers and networks; the data volumes stay unless asked for. */
export async function destroyPlatform(
  environment: Environment,
  { volumes }: { readonly volumes: boolean },
): Promise<void> {
  const stacks = await synthesize(environment, { preventDestroy: !volumes });
  const platform = new Platform(environment);
  const run = new Run(platform, stacks, await checkMachines(environment));
  // Not alerting: what it declares lies in Grafana's volume, stays with it and goes with it.
  await run.destroy("data", "messaging", "observability");
  await run.destroy("network");
  if (volumes) {
    await run.destroy("storage");
  }
  const remains = await describeRemains(platform, { volumes });
  if (remains) {
    throw new CommandError(remains);
  }
  console.log(
    volumes
      ? `environment "${environment.name}" is gone, its data volumes too`
      : `environment "${environment.name}" is down; its data volumes are kept`,
  );
}
