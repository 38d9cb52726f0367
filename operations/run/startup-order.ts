import { clusterOf, isContainer } from "../synthesis/container";
import type { SavedPlan } from "../terraform/terraform";

/** What a plan says of a stack's containers, as far as it is asked here. */
type Planned = Pick<SavedPlan, "actions"> & {
  readonly stack: Pick<SavedPlan["stack"], "resources">;
};

/** How many nodes of a cluster a plan starts. */
function nodesStartedBy({ stack, actions }: Planned): number {
  return stack.resources
    .filter(isContainer)
    .filter(
      ({ type, id, body }) =>
        actions.get(`${type}.${id}`) === "create" && clusterOf(body) !== undefined,
    ).length;
}

/**
 * The plans whose nodes do not start side by side: a JVM that starts takes a CPU for itself, and where an engine has fewer CPUs than nodes
 * to start, one cluster after the other is ready sooner than all at once.
 */
export function startupOrder<Plan extends Planned>(plans: readonly Plan[], cpus: number): Plan[] {
  const starting = plans.filter((plan) => nodesStartedBy(plan) > 0);
  const nodes = starting.reduce((sum, plan) => sum + nodesStartedBy(plan), 0);
  return starting.length > 1 && nodes > cpus ? starting : [];
}
