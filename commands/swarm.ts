import { withLock } from "../operations/lock/lock";
import { makeSwarm } from "../operations/swarm/swarm";
import { currentEnvironment } from "../operations/synthesis/environment";

/** Joins the environment's machines that are not in its Swarm yet. */
export async function swarm({ forceUnlock }: { readonly forceUnlock: boolean }): Promise<void> {
  const environment = currentEnvironment();
  await withLock(environment, { command: "swarm", forceUnlock }, () => makeSwarm(environment));
  console.log(
    `the machines of environment "${environment.name}" are one Swarm: npm run doctor checks them, npm run up deploys`,
  );
}
