import type { ServiceContainer } from "../container/service-container";
import type { KafkaCluster } from "../kafka/kafka-cluster";
import type { KafkaInit } from "../kafka/kafka-init";
import type { OpenSearchCluster } from "../opensearch/opensearch-cluster";

/**
 * A declared number, as a metric. Dashboards and alerts compare measurements with it, so that the number of brokers, for example, is in
 * one place.
 */
export interface DeclaredMetric {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Declaration {
  /** The OpenSearch cluster, for its number of nodes. */
  readonly openSearch: OpenSearchCluster;
  /** The Kafka cluster, for its number of brokers. */
  readonly kafka: KafkaCluster;
  /** The sidecar that provisions the declared topics. */
  readonly kafkaInit: KafkaInit;

  /** All containers of the platform. */
  readonly containers: readonly ServiceContainer[];

  /**
   * The names of the machines.
   *
   * @default - one machine without a name
   */
  readonly machines?: readonly string[];
}

/** Returns all declared numbers that dashboards and alerts use. */
export function declaredMetrics(declaration: Declaration): DeclaredMetric[] {
  const { openSearch, kafka, kafkaInit, containers, machines = [] } = declaration;
  return [
    { name: "groundwork_declared_opensearch_nodes", value: openSearch.nodes.length },
    { name: "groundwork_declared_kafka_brokers", value: kafka.brokers.length },
    {
      name: "groundwork_declared_kafka_min_insync_replicas",
      value: kafka.minInsyncReplicas,
    },
    // Only topics that differ from the cluster's default, so that an ordinary topic does not change the file.
    ...kafkaInit.topics
      .map(({ name, configs }) => ({ name, value: Number(configs["min.insync.replicas"]) }))
      .filter(({ value }) => value !== kafka.minInsyncReplicas)
      .map(({ name, value }) => ({
        name: "groundwork_declared_kafka_topic_min_insync_replicas",
        labels: { topic: name },
        value,
      })),
    ...machines.map((machine) => ({
      name: "groundwork_declared_machine",
      labels: { machine },
      value: 1,
    })),
    ...containers
      .filter(({ role }) => role === "init")
      .map(({ name }) => ({
        name: "groundwork_declared_init_sidecar",
        labels: { service: name },
        value: 1,
      })),
    ...containers.map(({ name, memory }) => ({
      name: "groundwork_declared_memory_reservation_bytes",
      // cAdvisor's label for the container's name.
      labels: { name },
      value: memory.reservationMiB * 1024 * 1024,
    })),
  ];
}

/** Renders a rule file of Prometheus, as JSON, which is valid YAML. */
export function renderDeclaredMetrics(metrics: readonly DeclaredMetric[]): string {
  const rules = metrics.map(({ name, labels, value }) => ({
    record: name,
    expr: `vector(${value})`,
    labels,
  }));
  return `${JSON.stringify({ groups: [{ name: "declared", rules }] }, null, 2)}\n`;
}
