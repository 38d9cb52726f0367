import { clusterOf, isContainer } from "../synthesis/container";
import type { SavedPlan } from "../terraform/terraform";

/** The part of a plan that is used here. */
type Planned = Pick<SavedPlan, "actions"> & {
  readonly stack: Pick<SavedPlan["stack"], "resources">;
};

/** Returns the number of cluster nodes that a plan starts. */
function nodesStartedBy({ stack, actions }: Planned): number {
  return stack.resources
    .filter(isContainer)
    .filter(
      ({ type, id, body }) =>
        actions.get(`${type}.${id}`) === "create" && clusterOf(body) !== undefined,
    ).length;
}

/**
 * Returns the plans that are applied one at a time. A starting JVM takes a whole CPU, so an engine with fewer CPUs than starting nodes is
 * ready sooner if it starts one cluster at a time.
 */
export function startupOrder<Plan extends Planned>(plans: readonly Plan[], cpus: number): Plan[] {
  const starting = plans.filter((plan) => nodesStartedBy(plan) > 0);
  const nodes = starting.reduce((sum, plan) => sum + nodesStartedBy(plan), 0);
  return starting.length > 1 && nodes > cpus ? starting : [];
}
