import { CLUSTERS } from "../../constructs/security/principals";
import { type ClusterName, nodesOf } from "../../environments";
import { containerOfVolume } from "../../stacks/storage-stack";
import type { Change } from "../changes/change";
import { askEngine } from "../engine/docker";
import { describedPartitions } from "../platform/kafka-partitions";
import type { Platform } from "../platform/platform";
import { shardsIn } from "../platform/replicated";
import type { Run } from "../run/run";
import { servingOf } from "../versions/serving";
import { NODE } from "./dropped-volumes";

/**
 * Describes why the nodes of a running cluster cannot be fewer: nodes with data that are neither declared nor removed by the plans, so that
 * nothing would move their data. A cluster that does not answer describes nothing.
 */
export async function describeUnknownNodes(
  { platform }: Run,
  changes: readonly Change[],
): Promise<string[]> {
  const { environment } = platform;
  const known = [
    ...CLUSTERS.flatMap((cluster) => nodesOf(environment, cluster)),
    ...changes.flatMap(({ node }) => node?.name ?? []),
  ];
  // On a machine that is not declared, no engine tells.
  if (!environment.machines && !(await hasOtherVolumes(platform, known))) {
    return [];
  }
  const [kafka, openSearch] = await Promise.all([
    holdersIn(platform, "kafka"),
    holdersIn(platform, "opensearch"),
  ]);
  const machine = environment.machines
    ? ", and its machine if that is excluded or not declared"
    : "";
  return [...kafka, ...openSearch]
    .filter((name) => !known.includes(name))
    .map(
      (name) =>
        `${name} has data and is not declared any more, and this deploy would not move the data to other nodes: declare it again${machine}, run npm run up, and remove ${machine ? "the node, then the machine" : "it then"}`,
    );
}

/** Whether the engine has a data volume of a node that is not known: a removed node leaves its volume. */
async function hasOtherVolumes(
  { environment: { engine } }: Platform,
  known: readonly string[],
): Promise<boolean> {
  const { output } = await askEngine(engine, "volume", "ls", "--quiet");
  return output
    .split("\n")
    .map(containerOfVolume)
    .some((name) => NODE.test(name) && !known.includes(name));
}

/** Returns the nodes that have data of a cluster: those of Kafka's replicas even if they do not run, those of OpenSearch's shards if they do. */
async function holdersIn(platform: Platform, cluster: ClusterName): Promise<string[]> {
  const [node] = await servingOf(platform, cluster);
  if (node === undefined) {
    return [];
  }
  const { exitCode, output } = await (cluster === "kafka"
    ? platform.kafka.describeTopics(node)
    : platform.openSearch.get("/_cluster/state/routing_table,nodes", node));
  if (exitCode !== 0) {
    return [];
  }
  const holders =
    cluster === "kafka"
      ? describedPartitions(output).flatMap(({ replicas }) => replicas)
      : shardsIn(output).flatMap(({ nodes }) => nodes);
  return [...new Set(holders)].filter((name) => /-\d+$/.test(name)).sort();
}
