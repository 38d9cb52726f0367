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

/**
 * Runs a command in a container on any machine, and hands over each line of its standard output as it comes. The standard input stays open
 * after the input until the command ends, so that the command learns if this process ends.
 */
export type Follow = (
  container: string,
  command: readonly string[],
  options: {
    readonly env?: readonly string[];
    readonly input: Buffer;
    readonly onLine: (line: string) => void;
  },
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
  readonly members: Members;
}

/** The data that moves to other nodes. */
export interface Moves {
  /** The number of replicas of partitions, or of shards. */
  readonly replicas: number;
  /** Their size on the disk, roughly. */
  readonly bytes: number;
}

/** What happens when nodes join or leave a cluster. */
export interface PlannedMoves extends Moves {
  /** Why they cannot, each with the remedy; empty if they can. */
  readonly refusals: readonly string[];
}

/** Called with each change of what is left to move. */
export type OnMove = (left: Moves) => void;

/**
 * The nodes of a cluster, which take over data when they join and hand it over before they leave. Each method asks `node`, which serves and
 * stays, and throws if it refuses. Each may be called again after this process ended in the middle of it: it then continues.
 */
export interface Members {
  /** Returns what happens when nodes leave. Changes nothing. */
  describeDeparture(node: string, leaving: readonly string[]): Promise<PlannedMoves>;
  /** Moves all data from the leaving nodes to the others, and returns when nothing is left on them. They get no new data. */
  drain(node: string, leaving: readonly string[], onMove: OnMove): Promise<void>;
  /** Removes the leaving nodes, which are drained and stopped, from the cluster's metadata, and what `drain` set. */
  forget(node: string, leaving: readonly string[]): Promise<void>;
  /**
   * Returns what `fill` moves once these nodes have joined. Nothing in a cluster that moves data to new nodes by itself. Changes nothing.
   */
  describeArrival(node: string, joining: readonly string[]): Promise<PlannedMoves>;
  /** Gives nodes that have no data yet their share of it. */
  fill(node: string, onMove: OnMove): Promise<void>;
  /** Takes back what a removal that was interrupted and then undone has set for these nodes. Returns what it took back, for the user. */
  keep(node: string, staying: readonly string[]): Promise<readonly string[]>;
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
