import type { ClusterName } from "../../environments";
import { describedPartitions } from "./kafka-partitions";
import type { Platform } from "./platform";

/** A partition or shard with its replicas. */
export interface Replicated {
  readonly name: string;
  /** Nodes with a complete replica: in sync, or started. */
  readonly nodes: readonly string[];
  /** The number of such replicas that a write needs. */
  readonly needs: number;
}

/** The replicated data of both clusters. */
export interface ReplicatedData {
  readonly partitions: readonly Replicated[];
  readonly shards: readonly Replicated[];
}

/** Reads the replicas of both clusters. Returns the error text if a cluster does not answer. */
export async function readReplicas(
  { kafka, openSearch }: Platform,
  /** The nodes to ask. @default - the first ones */
  asked: Partial<Record<ClusterName, string>> = {},
): Promise<ReplicatedData | string> {
  const [topics, state] = await Promise.all([
    kafka.describeTopics(asked.kafka),
    openSearch.get("/_cluster/state/routing_table,nodes", asked.opensearch),
  ]);
  const failed = [topics, state].find(({ exitCode }) => exitCode !== 0);
  return failed
    ? failed.output
    : { partitions: partitionsIn(topics.output), shards: shardsIn(state.output) };
}

/** Parses the output of `kafka-topics.sh --describe`. @internal */
export function partitionsIn(description: string): Replicated[] {
  return describedPartitions(description).map(({ name, inSync, needs }) => ({
    ...{ name, needs },
    nodes: inSync,
  }));
}

interface ClusterState {
  readonly nodes: Readonly<Record<string, { readonly name: string }>>;
  readonly routing_table: {
    readonly indices: Readonly<
      Record<
        string,
        {
          readonly shards: Readonly<
            Record<string, readonly { readonly state: string; readonly node: string | null }[]>
          >;
        }
      >
    >;
  };
}

/** Parses the cluster state of OpenSearch. */
export function shardsIn(state: string): Replicated[] {
  const { nodes, routing_table } = JSON.parse(state) as ClusterState;
  return Object.entries(routing_table.indices).flatMap(([index, { shards }]) =>
    Object.entries(shards).map(([shard, replicas]) => ({
      name: `${index}[${shard}]`,
      nodes: replicas
        // A relocating shard serves until it has moved.
        .filter(({ state: at }) => at === "STARTED" || at === "RELOCATING")
        .map(({ node }) => nodes[node ?? ""].name),
      needs: 1,
    })),
  );
}
