import type { Environment } from "../../environments";
import { checkMachine, synthesize } from "./platform";
import { Run } from "./run";

/** Stops and removes the containers and networks; the data volumes stay unless asked for. */
export async function destroyPlatform(
  environment: Environment,
  { volumes }: { readonly volumes: boolean },
): Promise<void> {
  const env = volumes ? { GROUNDWORK_DESTROY_VOLUMES: "confirmed" } : {};
  await synthesize(environment, env);
  const run = new Run(environment, await checkMachine(), env);
  // Not alerting: what it declares lies in Grafana's volume, stays with it and goes with it.
  await run.destroy("data", "messaging", "observability");
  await run.destroy("network");
  if (volumes) {
    await run.destroy("storage");
  }
  console.log(
    volumes
      ? `environment "${environment.name}" is gone, its data volumes too`
      : `environment "${environment.name}" is down; its data volumes are kept`,
  );
}
