import type { ServiceContainer } from "../container/service-container";
import { consumerGroupsOf } from "../kafka/acls";
import type { KafkaCluster } from "../kafka/kafka-cluster";
import type { KafkaInit } from "../kafka/kafka-init";
import { LOKI_PROXY } from "../loki/loki-proxy";
import type { OpenSearchBackup } from "../opensearch/opensearch-backup";
import type { OpenSearchCluster } from "../opensearch/opensearch-cluster";
import { type Application, DEFAULT_MAX_CONSUMER_LAG_SECONDS } from "../security/application";

/**
 * A declared number, as a metric. Dashboards and alerts compare measurements with it, so that the number of brokers, for example, is in
 * one place.
 */
export interface DeclaredMetric {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
  /**
   * A PromQL query, for what is declared by a pattern. Each series of its result gets the value.
   *
   * @default - a single series
   */
  readonly forEach?: string;
}

export interface Declaration {
  /** The OpenSearch cluster, for its number of nodes. */
  readonly openSearch: OpenSearchCluster;
  /** The Kafka cluster, for its number of brokers. */
  readonly kafka: KafkaCluster;
  /** The sidecar that provisions the declared topics and applications. */
  readonly kafkaInit: KafkaInit;

  /**
   * The backups, for the age at which the newest one is too old.
   *
   * @default - none
   */
  readonly backup?: OpenSearchBackup;

  /**
   * The time between two runs of `npm run drift`, in hours.
   *
   * @default - not scheduled
   */
  readonly driftEveryHours?: number;

  /** All containers of the platform. */
  readonly containers: readonly ServiceContainer[];

  /**
   * The services whose TLS listeners Alloy probes.
   *
   * @default - none
   */
  readonly probedServices?: readonly string[];

  /**
   * The names of the machines.
   *
   * @default - one machine without a name
   */
  readonly machines?: readonly string[];
}

/** Returns all declared numbers that dashboards and alerts use. */
export function declaredMetrics(declaration: Declaration): DeclaredMetric[] {
  const { openSearch, kafka, kafkaInit, backup, driftEveryHours, containers } = declaration;
  const { machines = [], probedServices = [] } = declaration;
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
    { name: "groundwork_declared_kafka_max_lag_seconds", value: DEFAULT_MAX_CONSUMER_LAG_SECONDS },
    ...kafkaInit.applications.flatMap(maxLagOf),
    ...(backup
      ? [{ name: "groundwork_declared_backup_max_age_seconds", value: backup.maxAgeSeconds }]
      : []),
    ...(driftEveryHours
      ? [{ name: "groundwork_declared_drift_interval_seconds", value: driftEveryHours * 3600 }]
      : []),
    ...machines.map((machine) => ({
      name: "groundwork_declared_machine",
      labels: { machine },
      value: 1,
    })),
    // By the name that Alloy gives the target: the proxy of a secured Loki passes on Loki's metrics.
    ...containers
      .filter(({ hasMetrics }) => hasMetrics)
      .map(({ name }) => ({
        name: "groundwork_declared_scraped_container",
        labels: { container: name === LOKI_PROXY ? "loki" : name },
        value: 1,
      })),
    ...probedServices.map((service) => ({
      name: "groundwork_declared_tls_listener",
      labels: { service },
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

/** Returns the lag that an application declares for its consumer groups. A prefix stands for every group that Kafka knows. */
function maxLagOf(declared: Application): DeclaredMetric[] {
  const { name: application, maxConsumerLagSeconds: value } = declared;
  const name = "groundwork_declared_kafka_group_max_lag_seconds";
  return value === undefined
    ? []
    : consumerGroupsOf(declared).map(
        (group): DeclaredMetric =>
          group.endsWith("*")
            ? {
                name,
                labels: { application },
                value,
                forEach: groupsWithPrefix(group.slice(0, -1)),
              }
            : { name, labels: { application, consumergroup: group }, value },
      );
}

function groupsWithPrefix(prefix: string): string {
  const pattern = `${prefix.replace(/[^a-zA-Z0-9]/g, "\\$&")}.*`;
  const matcher = `consumergroup=~${JSON.stringify(pattern)}`;
  return `group by (consumergroup) (kafka_consumergroup_members{job="integrations/kafka", ${matcher}})`;
}

/** Renders a rule file of Prometheus, as JSON, which is valid YAML. */
export function renderDeclaredMetrics(metrics: readonly DeclaredMetric[]): string {
  const rules = metrics.map(({ name, labels, value, forEach }) => ({
    record: name,
    expr: forEach === undefined ? `vector(${value})` : `${forEach} * ${value}`,
    labels,
  }));
  return `${JSON.stringify({ groups: [{ name: "declared", rules }] }, null, 2)}\n`;
}
