export type { DriftPolicy } from "./init-sidecar/drift-policy";
export { describeExitCode, EXIT_CODES } from "./init-sidecar/exit-codes";
export { InitSidecar, type InitSidecarProps, type RetryProps } from "./init-sidecar/init-sidecar";
export {
  KAFKA_IMAGE,
  KAFKA_PORTS,
  KafkaCluster,
  type KafkaClusterProps,
} from "./kafka/kafka-cluster";
export { KafkaInit, type KafkaInitProps } from "./kafka/kafka-init";
export { resolveTopic, type Topic, type TopicConfigs } from "./kafka/topic";
export { type INetwork, Network, type NetworkProps } from "./network/network";
export { IndexTemplate, type IndexTemplateProps } from "./opensearch/index-template";
export {
  OPENSEARCH_IMAGE,
  OpenSearchCluster,
  type OpenSearchClusterProps,
} from "./opensearch/opensearch-cluster";
export { OpenSearchInit, type OpenSearchInitProps } from "./opensearch/opensearch-init";
export type { HealthCheck } from "./service/health-check";
export { MEMORY_TIERS, type Memory, type MemoryTier } from "./service/memory";
export {
  type LoopbackPort,
  ServiceContainer,
  type ServiceContainerProps,
  type Ulimit,
} from "./service/service-container";
export { ServiceImage } from "./service/service-image";
export { applyServiceSettings, type ServiceSettings } from "./service/settings";
export { ValidationError } from "./service/validation";
export { DataVolume, type DataVolumeProps, type IDataVolume } from "./storage/data-volume";
