import { removeContainers } from "../engine/docker";
import { rollClusters } from "../rolling/rolling";
import type { Run } from "../run/run";
import { CommandError } from "../terminal/terminal";
import type { UnmanagedResource } from "./unmanaged";

/**
 * Takes over what the engine has of this environment and the state does not know: networks and volumes as they are, containers by making
 * room for new ones, in a cluster one after the other while it serves.
 */
export async function adoptUnmanaged(
  run: Run,
  unmanaged: readonly UnmanagedResource[],
): Promise<void> {
  for (const { kind, name, id, stack, address } of unmanaged) {
    if (kind !== "container") {
      await run.import(stack, address, id);
      console.log(`  took over ${kind} ${name}`);
    }
  }
  await run.plan();
  refuseReplacement(run);
  const containers = unmanaged.filter(({ kind }) => kind === "container");
  await rollClusters(
    run,
    containers.map(({ name }) => name),
  );
  // By id: those that are in no cluster, or in one that does not serve.
  for (const { stack, id } of containers) {
    await removeContainers(stack.engine, [id]);
  }
}

/** Nothing that people stored, and nothing that they are connected to, is made anew. */
function refuseReplacement({ planned }: Run): void {
  const replaced = planned.flatMap(({ actions }) =>
    [...actions].filter(
      ([address, action]) =>
        /^docker_(network|volume)\./.test(address) && /delete|replace/.test(action),
    ),
  );
  if (replaced.length > 0) {
    throw new CommandError(
      `what was taken over is not as it is declared, and Terraform would make it anew: ${replaced.map(([address]) => address).join(", ")}; nothing was replaced. npm run plan says what differs: declare it as it is, then run the same command again`,
    );
  }
}
