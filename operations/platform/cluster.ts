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
  /**
   * Returns why the cluster cannot lose another node safely; undefined if it can. During an upgrade (`isUpgrading`), replicas that wait
   * for a node of the new version do not count.
   */
  incomplete(node: string, isUpgrading?: boolean): Promise<string | undefined>;
  /** Returns the container of the coordinating node. It is restarted last, so that its role moves only once. */
  coordinator(node: string): Promise<string | undefined>;
  /** Returns the versions that these nodes run, without those that do not answer. */
  versions(nodes: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Undefined if a change of the version needs no more than any other replacement. */
  readonly replicas?: Replicas;
}

/** The replicas of a cluster, which move when a node leaves unless they are held. Each method asks one node and throws if it refuses. */
export interface Replicas {
  /** Keeps replicas where they are while a node is replaced by one of another version. Lasts until `release`, even if this process ends. */
  hold(node: string): Promise<void>;
  /** Allows replicas to move again. */
  release(node: string): Promise<void>;
  /** Whether replicas are held, by this process or by one that ended. */
  areHeld(node: string): Promise<boolean>;
}
