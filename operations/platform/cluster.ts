import type { Outcome } from "../engine/docker";

/** Runs a command in a container, with variables (`NAME=value`) beside its own, wherever the container is. */
export type Exec = (
  container: string,
  command: readonly string[],
  env?: readonly string[],
) => Promise<Outcome>;

/** What is asked of a cluster, through one of its nodes. */
export interface Cluster {
  /** Whether the node takes requests as a member of the cluster. Its health check may ask for more, such as for all others. */
  serves(node: string): Promise<boolean>;
  /** What keeps the cluster from losing one more node without harm, or nothing. */
  incomplete(node: string): Promise<string | undefined>;
  /** Container of the node that coordinates the others: it is restarted last, so that its task moves once. */
  coordinator(node: string): Promise<string | undefined>;
}
