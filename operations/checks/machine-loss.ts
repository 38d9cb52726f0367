import { nodeName } from "../../constructs/container/node-name";
import { type Environment, nodesOf } from "../../environments";
import { includedMachinesOf, includedNodesOf, machineOf } from "../../stacks/placement";
import type { Platform } from "../platform/platform";
import { firstOf, listed } from "../terminal/terminal";
import { type AcceptanceRow, checkUntilMet } from "./row";

/** How many partitions or shards stand for all. */
const NAMED = 3;

/** Something that a cluster keeps copies of, on some of its nodes. */
export interface Replicated {
  readonly name: string;
  /** Nodes whose copy has everything. */
  readonly nodes: readonly string[];
  /** How many such copies it takes to be written. */
  readonly needs: number;
}

/** Everything that both clusters keep. */
interface Kept {
  readonly partitions: readonly Replicated[];
  readonly shards: readonly Replicated[];
}

/** The check of whether every machine may be lost, where there are several. */
export function machineLossChecks(platform: Platform): Promise<AcceptanceRow>[] {
  const { environment } = platform;
  const { machines, excludedMachines = [] } = environment;
  if (!machines) {
    return [];
  }
  const present = includedMachinesOf(environment).flatMap((machine) => machine?.name ?? []);
  const look = async () => {
    const kept = await lookAtCopies(platform);
    return typeof kept === "string"
      ? present.map(() => [kept])
      : present.map((machine) => harmOfLosing(environment, machine, kept));
  };
  if (excludedMachines.length > 0) {
    return [look().then((harm) => whileExcluded(excludedMachines, present, harm))];
  }
  return [
    checkUntilMet(
      "NFR-LOSS",
      `any one of the machines may be lost: ${present.join(", ")}`,
      async () => (await look()).flat(),
    ),
  ];
}

/** What one more may be is to be known; that not all may be is no failure. */
function whileExcluded(
  excludedMachines: readonly string[],
  present: readonly string[],
  harm: readonly (readonly string[])[],
): AcceptanceRow {
  const spare = present.filter((_, i) => harm[i].length === 0);
  return {
    requirement: "NFR-LOSS",
    guarantee: `without ${listed(excludedMachines)}, one more may be lost of: ${spare.join(", ") || "none"}`,
    failures: [],
  };
}

/** What could not be written, read or coordinated any more without a machine. @internal */
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
          `without ${machine}, producers with acks=all would wait, since fewer replicas would be in sync than min.insync.replicas: ${named(partitions)}`,
        ]
      : []),
    ...(shards.length > 0
      ? [`without ${machine}, no copy would be left of shards: ${named(shards)}`]
      : []),
  ];
}

function quorumHarm(
  environment: Environment,
  machine: string,
  stays: (node: string) => boolean,
): string[] {
  const members = [
    { cluster: "kafka", what: "controllers of Kafka" },
    { cluster: "opensearch", what: "nodes of OpenSearch" },
  ] as const;
  return members.flatMap(({ cluster, what }) => {
    const count = nodesOf(environment, cluster).length;
    const left = includedNodesOf(environment, cluster).filter(stays);
    return left.length > count / 2
      ? []
      : [`without ${machine}, ${left.length} of ${count} ${what} would be left: no majority`];
  });
}

/** What both clusters keep, or why that could not be found out. */
async function lookAtCopies({ kafka, openSearch }: Platform): Promise<Kept | string> {
  const [topics, state] = await Promise.all([
    kafka.describeTopics(),
    openSearch.get("/_cluster/state/routing_table,nodes"),
  ]);
  const failed = [topics, state].find(({ exitCode }) => exitCode !== 0);
  return failed
    ? failed.output
    : { partitions: partitionsIn(topics.output), shards: shardsIn(state.output) };
}

/** From what `kafka-topics.sh --describe` says. @internal */
export function partitionsIn(description: string): Replicated[] {
  let needs = 1;
  return description.split("\n").flatMap((line) => {
    const [, configs] = /\tConfigs: ?(\S*)/.exec(line) ?? [];
    if (configs !== undefined) {
      // Of the topic that the next lines are about.
      needs = Number(/(?:^|,)min\.insync\.replicas=(\d+)/.exec(configs)?.[1] ?? 1);
    }
    const [, topic, partition, inSync] =
      /^\tTopic: (\S+)\tPartition: (\d+)\t.*\tIsr: ([\d,]*)/.exec(line) ?? [];
    return topic === undefined
      ? []
      : [
          {
            name: `${topic}-${partition}`,
            // None at all where the last one in sync was lost.
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

/** From the cluster state of OpenSearch. @internal */
export function shardsIn(state: string): Replicated[] {
  const { nodes, routing_table } = JSON.parse(state) as ClusterState;
  return Object.entries(routing_table.indices).flatMap(([index, { shards }]) =>
    Object.entries(shards).map(([shard, copies]) => ({
      name: `${index}[${shard}]`,
      nodes: copies
        // One that relocates serves until it is elsewhere.
        .filter(({ state: at }) => at === "STARTED" || at === "RELOCATING")
        .map(({ node }) => nodes[node ?? ""].name),
      needs: 1,
    })),
  );
}
