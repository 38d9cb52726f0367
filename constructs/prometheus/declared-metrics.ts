import type { ServiceContainer } from "../container/service-container";
import type { KafkaCluster } from "../kafka/kafka-cluster";
import type { KafkaInit } from "../kafka/kafka-init";
import type { OpenSearchCluster } from "../opensearch/opensearch-cluster";

/**
 * A number that the platform declares, as a metric: dashboards and alerts compare what is measured with it, so that nobody
 * types the number of brokers a second time.
 */
export interface DeclaredMetric {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Declaration {
  /** Cluster whose nodes are counted. */
  readonly openSearch: OpenSearchCluster;
  /** Cluster whose brokers are counted. */
  readonly kafka: KafkaCluster;
  /** Sidecar whose topics are told. */
  readonly kafkaInit: KafkaInit;

  /** Every container of the platform. */
  readonly containers: readonly ServiceContainer[];

  /**
   * Names of the machines.
   *
   * @default - one without a name
   */
  readonly machines?: readonly string[];
}

/** Everything that dashboards and alerts compare with. */
export function declaredMetrics(declaration: Declaration): DeclaredMetric[] {
  const { openSearch, kafka, kafkaInit, containers, machines = [] } = declaration;
  return [
    { name: "groundwork_declared_opensearch_nodes", value: openSearch.nodes.length },
    { name: "groundwork_declared_kafka_brokers", value: kafka.brokers.length },
    {
      name: "groundwork_declared_kafka_min_insync_replicas",
      value: kafka.minInsyncReplicas,
    },
    // Of topics that differ from the cluster's default, so that an ordinary topic changes nothing here.
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
      // The label under which cAdvisor has a container's name.
      labels: { name },
      value: memory.reservationMiB * 1024 * 1024,
    })),
  ];
}

/** A rule file of Prometheus. JSON is YAML too. */
export function renderDeclaredMetrics(metrics: readonly DeclaredMetric[]): string {
  const rules = metrics.map(({ name, labels, value }) => ({
    record: name,
    expr: `vector(${value})`,
    labels,
  }));
  return `${JSON.stringify({ groups: [{ name: "declared", rules }] }, null, 2)}\n`;
}
