import type { Roll } from "./roll";
import type { Json } from "./synthesis";

/** What Terraform will do. */
export type Action = "create" | "destroy" | "replace" | "update" | "move" | "none";

/** A difference in the user's words. */
export interface Change {
  readonly stack: string;
  /** Terraform's address. */
  readonly address: string;
  /** Such as `container kafka-2`. */
  readonly subject: string;
  readonly action: Action;
  /** Such as `memory 1536 -> 2048 MiB`. */
  readonly details: readonly string[];
  /** What is lost or stops, with the remedy; none for a change that is safe. */
  readonly destructive: readonly string[];
  /** What will not go as it looks, with the remedy. */
  readonly warnings: readonly string[];
  /** The node of a cluster that the container is. */
  readonly node?: ClusterNode;
}

export interface ClusterNode {
  readonly cluster: string;
  /** Name of the container. */
  readonly name: string;
  /** Whether it leaves a network that it was on, where the others are until they follow. */
  readonly leavesNetwork: boolean;
}

/** What there is together. */
export interface Totals {
  readonly containers: number;
  readonly memoryReservationMiB: number;
  /** Number of nodes by cluster. */
  readonly nodes: Readonly<Record<string, number>>;
}

/** Everything that a preview or a plan shows of one environment. */
export interface ChangeReport {
  readonly environment: string;
  /** What the changes are seen against, such as `main`. */
  readonly against: string;
  readonly changes: readonly Change[];
  readonly rolls: readonly Roll[];
  readonly before: Totals;
  readonly after: Totals;
  readonly memoryBudgetMiB: number;
}

/** Name of the cluster that a container is a node of. */
export function clusterOf(container: Json): string | undefined {
  return container?.labels?.find(({ label }: Json) => label === "groundwork.cluster")?.value;
}

/** Of the containers of a synthesis or a state. */
export function totalsOf(containers: readonly Json[]): Totals {
  const nodes: Record<string, number> = {};
  let memoryReservationMiB = 0;
  for (const container of containers) {
    memoryReservationMiB += container.memory_reservation ?? 0;
    const cluster = clusterOf(container);
    if (cluster) {
      nodes[cluster] = (nodes[cluster] ?? 0) + 1;
    }
  }
  return { containers: containers.length, memoryReservationMiB, nodes };
}

export const EXIT_NO_CHANGE = 0;
export const EXIT_CHANGES = 2;
export const EXIT_DESTRUCTIVE = 3;

/** Exit code of a preview or plan over all environments. */
export function exitCodeOf(reports: readonly ChangeReport[]): number {
  const changes = reports.flatMap((report) => report.changes);
  if (changes.some(({ destructive }) => destructive.length > 0)) {
    return EXIT_DESTRUCTIVE;
  }
  return changes.length > 0 ? EXIT_CHANGES : EXIT_NO_CHANGE;
}
