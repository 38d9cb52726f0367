export { ALLOY_IMAGE, Alloy, type AlloyProps } from "./alloy/alloy";
export type { ClusterNodeProps } from "./container/cluster-node";
export { useDockerProvider } from "./container/docker-provider";
export type { HealthCheck } from "./container/health-check";
export { MEMORY_TIERS, type Memory, type MemoryTier } from "./container/memory";
export {
  type LoopbackPort,
  ServiceContainer,
  type ServiceContainerProps,
  type Ulimit,
} from "./container/service-container";
export { ServiceImage } from "./container/service-image";
export { applyServiceSettings, type ServiceSettings } from "./container/settings";
export { all, ValidationError } from "./container/validation";
export { EngineProxy, type EngineProxyProps, HAPROXY_IMAGE } from "./engine-proxy/engine-proxy";
export {
  DOCKER_CLI_IMAGE,
  DRIFT_RUN_LABELS,
  ExitRelay,
  type ExitRelayProps,
} from "./exit-relay/exit-relay";
export { type AlertGroup, type AlertRule, readAlertGroups } from "./grafana/alert-group";
export { ContactPoint, type ContactPointProps } from "./grafana/contact-point";
export { Dashboard, type DashboardQuery } from "./grafana/dashboard";
export { DashboardProvider } from "./grafana/dashboard-provider";
export { type DataSource, lokiDataSource, prometheusDataSource } from "./grafana/data-source";
export { GRAFANA_IMAGE, Grafana, type GrafanaProps } from "./grafana/grafana";
export { Heartbeat, type HeartbeatProps } from "./grafana/heartbeat";
export { MuteTiming, type MuteTimingProps } from "./grafana/mute-timing";
export { NotificationPolicy, type NotificationPolicyProps } from "./grafana/notification-policy";
export { type Notifications, validateNotifications } from "./grafana/notifications";
export type { Oidc } from "./grafana/oidc";
export { ReaderAccount } from "./grafana/reader-account";
export { RuleGroup, type RuleGroupProps } from "./grafana/rule-group";
export type { Secret } from "./grafana/secret";
export type { Smtp } from "./grafana/smtp";
export type { DriftPolicy } from "./init-sidecar/drift-policy";
export { EXIT_CODES, meaningOf, remedyOf } from "./init-sidecar/exit-codes";
export { InitSidecar, type InitSidecarProps, type RetryProps } from "./init-sidecar/init-sidecar";
export { type IKafkaCluster, KAFKA_CLIENT_CONFIG } from "./kafka/kafka-client";
export {
  KAFKA_BOOTSTRAP_SERVER,
  KAFKA_CERTIFICATE_BOOTSTRAP_SERVER,
  KAFKA_IMAGE,
  KAFKA_PORTS,
  KafkaCluster,
  type KafkaClusterProps,
  kafkaAddresses,
  REAUTHENTICATION_MINUTES,
} from "./kafka/kafka-cluster";
export { KafkaInit, type KafkaInitProps } from "./kafka/kafka-init";
export { resolveTopic, type Topic, type TopicConfigs, validateTopics } from "./kafka/topic";
export { LOKI_IMAGE, Loki, type LokiProps, lokiUrl } from "./loki/loki";
export { hostNameOn } from "./network/host-name";
export { type INetwork, Network, type NetworkProps } from "./network/network";
export type { Backup, BackupRepository } from "./opensearch/backup";
export { ComponentTemplate } from "./opensearch/component-template";
export { DataStream } from "./opensearch/data-stream";
export type { DeclaredResourceProps } from "./opensearch/declared-resource";
export { IndexTemplate, type IndexTemplateProps } from "./opensearch/index-template";
export { IngestPipeline } from "./opensearch/ingest-pipeline";
export { OpenSearchBackup, type OpenSearchBackupProps } from "./opensearch/opensearch-backup";
export {
  OPENSEARCH_HTTP_PORT,
  OPENSEARCH_IMAGE,
  OpenSearchCluster,
  type OpenSearchClusterProps,
  openSearchUrl,
} from "./opensearch/opensearch-cluster";
export { OpenSearchInit, type OpenSearchInitProps } from "./opensearch/opensearch-init";
export { OpenSearchSecurity, type OpenSearchSecurityProps } from "./opensearch/opensearch-security";
export type { Retention, RetentionRule } from "./opensearch/retention";
export {
  type ManagedIndices,
  RetentionPolicy,
  type RetentionPolicyProps,
} from "./opensearch/retention-policy";
export {
  type Declaration,
  type DeclaredMetric,
  declaredMetrics,
} from "./prometheus/declared-metrics";
export { PROMETHEUS_IMAGE, Prometheus, type PrometheusProps } from "./prometheus/prometheus";
export type { RecordingGroup, RecordingRule } from "./prometheus/recording-rule";
export {
  type Access,
  type Application,
  type IndexAccess,
  type IndexPermission,
  type Quotas,
  type RestrictedRead,
  validateApplications,
} from "./security/application";
export { httpScheme, type Security } from "./security/security";
export { DataVolume, type DataVolumeProps, type IDataVolume } from "./storage/data-volume";
