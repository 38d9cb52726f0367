import { KAFKA_PORTS, OPENSEARCH_HTTP_PORT } from "../../constructs";
import type { Environment } from "../../environments";
import { tryDocker } from "./docker";

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
    async serves(node) {
      const { exitCode } = await askOpenSearch(node, "/_cluster/health?timeout=1s", "--fail");
      return exitCode === 0;
    },
    async incomplete(node) {
      const { exitCode, output } = await askOpenSearch(
        node,
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
    async coordinator(node) {
      const { exitCode, output } = await askOpenSearch(node, "/_cat/cluster_manager?h=node");
      return exitCode === 0 ? output.trim() : undefined;
    },
  },
  kafka: {
    async serves(node, { networks }) {
      const address = [`${node}.${networks.infra.name}`, String(KAFKA_PORTS.INTERNAL)];
      const check = ["timeout", "5", "bash", "/groundwork/healthcheck.sh", ...address];
      return (await tryDocker("exec", node, ...check)).exitCode === 0;
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
        ? undefined
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

/** curl inside a node's container. */
export function askOpenSearch(node: string, path: string, ...switches: string[]) {
  return tryDocker(
    ...["exec", node, "curl", "--silent", "--show-error", "--max-time", "10", ...switches],
    `http://127.0.0.1:${OPENSEARCH_HTTP_PORT}${path}`,
  );
}

/** A tool of the Kafka CLI inside a broker's container. */
export function askKafka(
  node: string,
  { networks }: Environment,
  tool: string,
  args: readonly string[],
) {
  return tryDocker(
    // The broker's own JVM options would claim its heap and ports again.
    ...["exec", "--env", "KAFKA_HEAP_OPTS=-Xmx64m", node, `/opt/kafka/bin/${tool}`],
    ...["--bootstrap-server", `${node}.${networks.infra.name}:${KAFKA_PORTS.INTERNAL}`, ...args],
  );
}
