import type { Environment } from "../../environments";
import { presentNodesOf } from "../../environments/placement";
import { askBroker, askKafka, askOpenSearch } from "./ask";

/** How to ask a cluster, through one of its nodes, about what all of them hold together. */
export interface Cluster {
  /** Whether the node takes requests as a member of the cluster. Its health check may ask for more, such as for all others. */
  serves(node: string, environment: Environment): Promise<boolean>;
  /** What keeps it from losing one more node without harm, or nothing. */
  incomplete(node: string, environment: Environment): Promise<string | undefined>;
  /** Container of the node that coordinates the others: it is restarted last, so that its task moves once. */
  coordinator(node: string, environment: Environment): Promise<string | undefined>;
}

/** The platform's clusters by the value of the label `groundwork.cluster`. */
export const CLUSTERS: Readonly<Record<string, Cluster>> = {
  opensearch: {
    async serves(node, environment) {
      const { exitCode } = await askOpenSearch(
        node,
        environment,
        "/_cluster/health?timeout=1s",
        "--fail",
      );
      return exitCode === 0;
    },
    async incomplete(node, environment) {
      const { exitCode, output } = await askOpenSearch(
        node,
        environment,
        "/_cluster/health?wait_for_status=green&timeout=1s",
      );
      if (exitCode !== 0) {
        return output;
      }
      const { status, unassigned_shards, initializing_shards, relocating_shards } =
        JSON.parse(output);
      return status === "green"
        ? undefined
        : `status ${status}: ${unassigned_shards} shards unassigned, ${initializing_shards} initializing, ${relocating_shards} relocating`;
    },
    async coordinator(node, environment) {
      const { exitCode, output } = await askOpenSearch(
        node,
        environment,
        "/_cat/cluster_manager?h=node",
      );
      return exitCode === 0 ? output.trim() : undefined;
    },
  },
  kafka: {
    async serves(node, environment) {
      return (await askBroker(node, environment)).exitCode === 0;
    },
    async incomplete(node, environment) {
      const { exitCode, output } = await askKafka(node, environment, "kafka-topics.sh", [
        "--describe",
        "--under-replicated-partitions",
      ]);
      if (exitCode !== 0) {
        return output;
      }
      const behind = [...output.matchAll(/Topic: (\S+)\tPartition: (\d+)/g)].map(
        ([, topic, partition]) => `${topic}-${partition}`,
      );
      const more = behind.length > 3 ? ` and ${behind.length - 3} more` : "";
      return behind.length === 0
        ? outOfDate(node, environment)
        : `${behind.length} partitions without all replicas in sync: ${behind.slice(0, 3).join(", ")}${more}`;
    },
    async coordinator(node, environment) {
      const { output } = await askKafka(node, environment, "kafka-metadata-quorum.sh", [
        "describe",
        "--status",
      ]);
      const [, leader] = /^LeaderId:\s+(\d+)/m.exec(output) ?? [];
      return leader && `kafka-${leader}`;
    },
  },
};

/** Records of the cluster's metadata, of which the active controller writes two a second, that a node may still have to read. */
const MOST_LAG = 10;

/**
 * What keeps a broker from knowing what is decided, or nothing. One that is cut off from the controllers goes on saying of every replica what
 * was so before.
 */
async function outOfDate(node: string, environment: Environment): Promise<string | undefined> {
  const { exitCode, output } = await askKafka(node, environment, "kafka-metadata-quorum.sh", [
    "describe",
    "--replication",
  ]);
  if (exitCode !== 0) {
    return output;
  }
  // NodeId, DirectoryId, LogEndOffset, Lag, ...
  const lags = new Map(
    [...output.matchAll(/^(\d+)\s+\S+\s+\S+\s+(\d+)/gm)].map(([, id, lag]) => [
      `kafka-${id}`,
      Number(lag),
    ]),
  );
  const behind = presentNodesOf(environment, "kafka").filter(
    (name) => (lags.get(name) ?? Number.POSITIVE_INFINITY) > MOST_LAG,
  );
  return behind.length === 0
    ? undefined
    : `not up to date with the cluster's metadata: ${behind.join(", ")}`;
}
