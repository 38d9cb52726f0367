import { type ClusterName, nodesOf } from "../../environments";
import type { Change } from "../changes/change";
import { describedPartitions } from "../platform/kafka-partitions";
import type { Platform } from "../platform/platform";
import { shardsIn } from "../platform/replicated";
import type { Run } from "../run/run";
import { servingOf } from "../versions/serving";

/**
 * Describes why the nodes of a running cluster cannot be fewer: nodes with data that are neither declared nor removed by the plans, so that
 * nothing would move their data. A cluster that does not answer describes nothing.
 */
export async function describeUnknownNodes(
  { platform }: Run,
  changes: readonly Change[],
): Promise<string[]> {
  const { environment } = platform;
  const [kafka, openSearch] = await Promise.all([
    holdersIn(platform, "kafka"),
    holdersIn(platform, "opensearch"),
  ]);
  const known = [
    ...[...nodesOf(environment, "kafka"), ...nodesOf(environment, "opensearch")],
    ...changes.flatMap(({ node }) => node?.name ?? []),
  ];
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
