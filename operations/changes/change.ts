import type { NewlyDeclared } from "../../constructs/container/file-change";
import { clusterOf, type SynthesizedContainer } from "../synthesis/container";

/** What Terraform does with a resource. */
export type Action = "create" | "destroy" | "replace" | "update" | "move" | "none";

/** A change of one resource, described for the user. */
export interface Change {
  readonly stack: string;
  /** Terraform address. */
  readonly address: string;
  /** Such as `container kafka-2`. */
  readonly subject: string;
  readonly action: Action;
  /** Such as `memory 1536 -> 2048 MiB`. */
  readonly details: readonly string[];
  /** What is lost or interrupted, with the remedy; empty if the change is safe. */
  readonly destructive: readonly string[];
  /** The part of `destructive` that deletes stored records, which a deploy has to be allowed. */
  readonly dataLoss?: readonly string[];
  /** Why a deploy of the change is refused, each with the remedy. */
  readonly refusals?: readonly string[];
  /** The topics and retention policies without a former declaration, which a deploy compares with those of the running clusters. */
  readonly newlyDeclared?: readonly NewlyDeclared[];
  /** What does not happen as the change suggests, with the remedy. */
  readonly warnings: readonly string[];
  /** The cluster node, if the container is one. */
  readonly node?: ClusterNode;
}

/** Returns why a deploy of the changes is refused. A preview knows it too. */
export function refusalsOf(changes: readonly Change[]): string[] {
  return changes.flatMap(({ refusals = [] }) => refusals);
}

export interface ClusterNode {
  readonly cluster: string;
  /** Name of the container. */
  readonly name: string;
  /** Whether the node leaves a network, so that nodes not yet replaced lose it. */
  readonly leavesNetwork: boolean;
  /** Whether TLS is enabled or disabled, so that the node and nodes not yet replaced cannot communicate. */
  readonly changesSecurity: boolean;
  /** How many controllers a Kafka cluster has now, if a change gives it others. KRaft's controller.quorum.voters is fixed. */
  readonly formerControllers?: number;
}

/** Totals over the containers of an environment. */
export interface Totals {
  readonly containers: number;
  readonly memoryReservationMiB: number;
  /** Number of nodes by cluster. */
  readonly nodes: Readonly<Record<string, number>>;
}

/** Computes the totals of the containers of a synthesis or a state. */
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
