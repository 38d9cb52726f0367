import { DOCKER_CLI_IMAGE, DRIFT_RUN_LABELS } from "../../constructs";
import type { Environment } from "../../environments";
import { enginesOf } from "../../stacks/placement";
import { askEngine } from "../engine/docker";

/**
 * Records that the platform was compared, where the environment says how often it is: starts a container that ends at once and is removed.
 * The exit relay reports its exit, as that of every container of the environment, and Alloy makes a metric of it. So a runner needs nothing
 * but the Docker engine. Returns why it failed, if it did.
 */
export async function recordRun({ name, ...environment }: Environment): Promise<string[]> {
  if (environment.drift === undefined) {
    return [];
  }
  const { service, role } = DRIFT_RUN_LABELS;
  const labels = { environment: name, service, role };
  const [engine] = enginesOf({ name, ...environment });
  const { exitCode, output } = await askEngine(
    engine,
    ...["run", "--rm", "--pull", "never", "--name", `groundwork-drift-${name}`],
    ...Object.entries(labels).flatMap(([key, value]) => ["--label", `groundwork.${key}=${value}`]),
    ...["--network", "none", "--read-only", "--cap-drop", "ALL", "--log-driver", "none"],
    // The image of the exit relay, which every engine of a platform has.
    ...["--entrypoint", "true", DOCKER_CLI_IMAGE],
  );
  return exitCode === 0
    ? []
    : [`this run is not recorded, so that the alert DriftRunMissing may fire: ${output}`];
}
