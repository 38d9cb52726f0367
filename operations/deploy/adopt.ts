import { removeContainers } from "../engine/docker";
import { rollClusters } from "../rolling/rolling";
import type { Run } from "../run/run";
import { jobsIn } from "../synthesis/container";
import { CommandError } from "../terminal/terminal";
import type { UnmanagedResource } from "./unmanaged";

/**
 * Takes over the unmanaged resources of this environment: imports networks and volumes as they are, and removes containers so that
 * new ones take their place. Nodes of a serving cluster are replaced one at a time.
 */
export async function adoptUnmanaged(
  run: Run,
  unmanaged: readonly UnmanagedResource[],
): Promise<void> {
  for (const { kind, name, id, stack, address } of unmanaged) {
    if (kind !== "container") {
      await run.import(stack, address, id);
      console.log(`  imported ${kind} ${name}`);
    }
  }
  await run.plan();
  refuseReplacement(run);
  const containers = unmanaged.filter(({ kind }) => kind === "container");
  // A replaced node gets its certificates from a new job of the same name.
  const jobs = jobsIn(run.containers);
  await remove(
    run,
    containers.filter(({ name }) => jobs.includes(name)),
  );
  await rollClusters(
    run,
    containers.map(({ name }) => name),
  );
  // The remaining ones are in no cluster, or in one that does not serve.
  await remove(run, containers);
}

/** Removes containers by id: a new one may have the name. */
async function remove(run: Run, containers: readonly UnmanagedResource[]): Promise<void> {
  for (const { stack, id } of containers) {
    await run.stillHeld();
    await removeContainers(stack.engine, [id]);
  }
}

/** Throws if a network or volume would be replaced: users are connected to it or store data in it. */
function refuseReplacement({ planned }: Run): void {
  const replaced = planned.flatMap(({ actions }) =>
    [...actions].filter(
      ([address, action]) =>
        /^docker_(network|volume)\./.test(address) && /delete|replace/.test(action),
    ),
  );
  if (replaced.length > 0) {
    throw new CommandError(
      `imported resources differ from their declaration, and Terraform would replace them: ${replaced.map(([address]) => address).join(", ")}. Nothing was replaced. Run npm run plan to see the differences, change the declaration to match, then run the same command again`,
    );
  }
}
