import { nodeName } from "../../constructs/container/node-name";
import { CLUSTERS } from "../../constructs/security/principals";
import { type ClusterName, type Environment, votersOf } from "../../environments";
import { includedMachinesOf, isExcluded, machineOf, VOTERS } from "../../stacks/placement";
import type { Platform } from "../platform/platform";
import { firstOf, listed } from "../terminal/terminal";
import { type AcceptanceRow, checkUntilMet } from "./row";

/** How many partitions or shards are named. */
const NAMED = 3;

/** A partition or shard with its replicas. */
export interface Replicated {
  readonly name: string;
  /** Nodes with a complete replica: in sync, or started. */
  readonly nodes: readonly string[];
  /** The number of such replicas that a write needs. */
  readonly needs: number;
}

/** The replicated data of both clusters. */
interface Kept {
  readonly partitions: readonly Replicated[];
  readonly shards: readonly Replicated[];
}

/** Checks whether any one machine may be lost. Returns no check for a single machine. */
export function machineLossChecks(platform: Platform): Promise<AcceptanceRow>[] {
  const { environment } = platform;
  const { machines, excludedMachines = [] } = environment;
  if (!machines) {
    return [];
  }
  const present = includedMachinesOf(environment).flatMap((machine) => machine?.name ?? []);
  const look = async () => {
    const kept = await readReplicas(platform);
    return typeof kept === "string"
      ? present.map(() => [kept])
      : present.map((machine) => harmOfLosing(environment, machine, kept));
  };
  if (excludedMachines.length > 0) {
    return [look().then((harm) => whileExcluded(excludedMachines, present, harm))];
  }
  return [
    checkUntilMet("NFR-LOSS", `any one machine may be lost: ${present.join(", ")}`, async () =>
      (await look()).flat(),
    ),
  ];
}

/** Reports which further machines may be lost. With excluded machines, a loss that is not tolerated is no failure. */
function whileExcluded(
  excludedMachines: readonly string[],
  present: readonly string[],
  harm: readonly (readonly string[])[],
): AcceptanceRow {
  const spare = present.filter((_, i) => harm[i].length === 0);
  return {
    requirement: "NFR-LOSS",
    guarantee: `with ${listed(excludedMachines)} excluded, one of these machines may also be lost: ${spare.join(", ") || "none"}`,
    failures: [],
  };
}

/** Describes what becomes unavailable if a machine is lost. @internal */
export function harmOfLosing(environment: Environment, machine: string, kept: Kept): string[] {
  const stays = (node: string) => machineOf(environment, node)?.name !== machine;
  const short = (replicated: readonly Replicated[]) =>
    replicated.filter(({ nodes, needs }) => nodes.filter(stays).length < needs);
  const named = (replicated: readonly Replicated[]) =>
    firstOf(
      replicated.map(({ name }) => name),
      NAMED,
    ).join(", ");
  const partitions = short(kept.partitions);
  const shards = short(kept.shards);
  return [
    ...quorumHarm(environment, machine, stays),
    ...(partitions.length > 0
      ? [
          `losing ${machine} blocks producers with acks=all, since these partitions fall below min.insync.replicas: ${named(partitions)}`,
        ]
      : []),
    ...(shards.length > 0
      ? [`losing ${machine} leaves these shards without a replica: ${named(shards)}`]
      : []),
  ];
}

function quorumHarm(
  environment: Environment,
  machine: string,
  stays: (node: string) => boolean,
): string[] {
  return CLUSTERS.flatMap((cluster) => {
    const voters = votersOf(environment, cluster);
    const count = voters.length;
    const left = voters.filter((node) => !isExcluded(environment, node)).filter(stays);
    return left.length > count / 2
      ? []
      : [
          `losing ${machine} leaves ${left.length} of ${count} ${VOTERS[cluster]} of ${cluster}, which is no majority`,
        ];
  });
}

/** Reads the replicas of both clusters. Returns the error text if a cluster does not answer. */
export async function readReplicas(
  { kafka, openSearch }: Platform,
  /** The nodes to ask. @default - the first ones */
  asked: Partial<Record<ClusterName, string>> = {},
): Promise<Kept | string> {
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
  let needs = 1;
  return description.split("\n").flatMap((line) => {
    const [, configs] = /\tConfigs: ?(\S*)/.exec(line) ?? [];
    if (configs !== undefined) {
      // The following lines are partitions of this topic.
      needs = Number(/(?:^|,)min\.insync\.replicas=(\d+)/.exec(configs)?.[1] ?? 1);
    }
    const [, topic, partition, inSync] =
      /^\tTopic: (\S+)\tPartition: (\d+)\t.*\tIsr: ([\d,]*)/.exec(line) ?? [];
    return topic === undefined
      ? []
      : [
          {
            name: `${topic}-${partition}`,
            // Empty if the last in-sync replica was lost.
            nodes: inSync === "" ? [] : inSync.split(",").map((id) => nodeName("kafka", id)),
            needs,
          },
        ];
  });
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

/** Parses the cluster state of OpenSearch. @internal */
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
