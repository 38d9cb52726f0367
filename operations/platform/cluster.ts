import type { Outcome } from "../engine/docker";

/** Runs a command in a container on any machine, with additional variables (`NAME=value`). */
export type Exec = (
  container: string,
  command: readonly string[],
  env?: readonly string[],
) => Promise<Outcome>;

/** Runs a command in a container on any machine, with a standard input. */
export type ExecWithInput = (
  container: string,
  command: readonly string[],
  input: string,
) => Promise<Outcome>;

/** Queries about a cluster, answered by one of its nodes. */
export interface Cluster {
  /** Whether the node serves requests as a member of the cluster. Its health check may require more, such as all other nodes. */
  serves(node: string): Promise<boolean>;
  /** Returns why the cluster cannot lose another node safely; undefined if it can. */
  incomplete(node: string): Promise<string | undefined>;
  /** Returns the container of the coordinating node. It is restarted last, so that its role moves only once. */
  coordinator(node: string): Promise<string | undefined>;
}
