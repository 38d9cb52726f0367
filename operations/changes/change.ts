import { clusterOf, type SynthesizedContainer } from "../synthesis/container";

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
  /** Whether it begins or ceases to speak TLS, so that it and the others do not understand each other until they follow. */
  readonly changesSecurity: boolean;
  /** Whether it is to know other voters (KRaft's controller.quorum.voters), who are the same for as long as one of them runs. */
  readonly changesQuorum: boolean;
}

/** What there is together. */
export interface Totals {
  readonly containers: number;
  readonly memoryReservationMiB: number;
  /** Number of nodes by cluster. */
  readonly nodes: Readonly<Record<string, number>>;
}

/** Of the containers of a synthesis or a state. */
export function totalsOf(containers: readonly SynthesizedContainer[]): Totals {
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
