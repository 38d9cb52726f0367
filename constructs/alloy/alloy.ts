import { Construct } from "constructs";
import { EXIT_RELAY } from "../exit-relay/exit-relay";
import { KAFKA_IMAGE, type KafkaCluster } from "../kafka/kafka-cluster";
import type { Loki } from "../loki/loki";
import type { INetwork } from "../network/network";
import type { OpenSearchCluster } from "../opensearch/opensearch-cluster";
import type { Prometheus } from "../prometheus/prometheus";
import { readOwnFile } from "../service/file";
import { ENGINE_SOCKET, ServiceContainer } from "../service/service-container";
import { ServiceImage } from "../service/service-image";
import { serviceSettingsOf } from "../service/settings";
import type { IDataVolume } from "../storage/data-volume";

export const ALLOY_IMAGE = "grafana/alloy:v1.18.0";

export interface AlloyProps {
  /** Network of the platform's own containers. */
  readonly infraNetwork: INetwork;

  /**
   * Network whose containers are covered without being declared here: logs of all, metrics of those with the label
   * `groundwork.metrics.port`. The label `groundwork.logs=false` opts out.
   */
  readonly projectNetwork: INetwork;

  /** Read positions and metrics that are not delivered yet. */
  readonly dataVolume: IDataVolume;

  /** Where logs go. */
  readonly loki: Loki;
  /** Where metrics go. */
  readonly prometheus: Prometheus;
  /** Cluster whose brokers and consumer groups are measured. */
  readonly kafka: KafkaCluster;
  /** Cluster whose nodes and indices are measured. */
  readonly openSearch: OpenSearchCluster;

  /**
   * The engine's data directory on its host, `docker info --format '{{.DockerRootDir}}'`: cAdvisor looks up containers there.
   *
   * @default "/var/lib/docker"
   */
  readonly engineDataRoot?: string;
}

/** Alloy runs every file of it. */
const CONFIG_DIR = "/groundwork/alloy";

/**
 * No directory of the image: it gives /var/lib/alloy to a user of its own, and Alloy, which runs as root without the capability to
 * pass over owners, could not write there.
 */
const STORAGE_DIR = "/alloy";

/** Collects logs, metrics and exit codes of every container on both networks. Container `alloy`. */
export class Alloy extends Construct {
  readonly container: ServiceContainer;

  constructor(scope: Construct, id: string, props: AlloyProps) {
    super(scope, id);
    const engineDataRoot = props.engineDataRoot ?? "/var/lib/docker";
    this.container = new ServiceContainer(this, "Container", {
      name: "alloy",
      image: ServiceImage.of(this, ALLOY_IMAGE),
      tier: "small",
      networks: [props.infraNetwork, props.projectNetwork],
      volumes: { [STORAGE_DIR]: props.dataVolume },
      hostPaths: {
        [ENGINE_SOCKET]: ENGINE_SOCKET,
        [engineDataRoot]: engineDataRoot,
        "/host/proc": "/proc",
        "/host/root": "/",
        "/sys": "/sys",
      },
      files: [
        { path: `${CONFIG_DIR}/config.alloy`, content: readOwnFile(__dirname, "config.alloy") },
        { path: "/groundwork/kafka.alloy", content: readOwnFile(__dirname, "kafka.alloy") },
        { path: "/groundwork/start.sh", content: readOwnFile(__dirname, "start.sh") },
        { path: "/groundwork/healthcheck.sh", content: readOwnFile(__dirname, "healthcheck.sh") },
      ],
      entrypoint: [
        ...["bash", "/groundwork/start.sh", CONFIG_DIR],
        ...[`--storage.path=${STORAGE_DIR}`, "--disable-reporting"],
      ],
      env: {
        ENGINE: `unix://${ENGINE_SOCKET}`,
        ENVIRONMENT: serviceSettingsOf(this).environment,
        EXIT_RELAY,
        INFRA_NETWORK: props.infraNetwork.name,
        PROJECT_NETWORK: props.projectNetwork.name,
        KAFKA_BOOTSTRAP_SERVERS: props.kafka.internalBootstrapServers.join(","),
        KAFKA_VERSION: KAFKA_IMAGE.split(":")[1],
        OPENSEARCH_URL: props.openSearch.internalEndpoint,
        LOKI_URL: props.loki.url,
        PROMETHEUS_URL: props.prometheus.url,
      },
      healthCheck: { command: ["bash", "/groundwork/healthcheck.sh"], intervalSeconds: 5 },
    });
  }
}
