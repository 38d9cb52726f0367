import { basename } from "node:path";
import { Construct } from "constructs";
import { readOwnFile, type UploadedFile } from "../container/file";
import { imageVersion } from "../container/image-reference";
import { ServiceContainer } from "../container/service-container";
import { ServiceImage } from "../container/service-image";
import { serviceSettingsOf } from "../container/settings";
import { type EngineProxy, engineConnection } from "../engine-proxy/engine-proxy";
import type { ExitRelay } from "../exit-relay/exit-relay";
import type { KafkaCluster } from "../kafka/kafka-cluster";
import type { Loki } from "../loki/loki";
import type { INetwork } from "../network/network";
import type { OpenSearchBackup } from "../opensearch/opensearch-backup";
import type { OpenSearchCluster } from "../opensearch/opensearch-cluster";
import type { Prometheus } from "../prometheus/prometheus";
import { SERVICES } from "../security/principals";
import { type Security, tlsFiles } from "../security/security";
import type { IDataVolume } from "../storage/data-volume";

export const ALLOY_IMAGE = "grafana/alloy:v1.18.0";

export interface AlloyProps {
  /**
   * The name of the container.
   *
   * @default "alloy"
   */
  readonly name?: string;

  /**
   * The proxy through which Alloy discovers containers and reads their logs.
   *
   * @default - the engine's socket
   */
  readonly engine?: EngineProxy;

  /** The relay whose log has the exit codes. */
  readonly exitRelay: ExitRelay;

  /** The network of the platform's own containers. */
  readonly infraNetwork: INetwork;

  /**
   * The network whose containers are covered even if they are not declared: logs and exit codes of all, metrics of those with the label
   * `groundwork.metrics.port`. The labels `groundwork.logs=false` and `groundwork.exits=false` opt out.
   */
  readonly projectNetwork: INetwork;

  /** The volume for read positions and for metrics that are not delivered yet. */
  readonly dataVolume: IDataVolume;

  /** The Loki that receives the logs. */
  readonly loki: Loki;
  /** The Prometheus that receives the metrics. */
  readonly prometheus: Prometheus;

  /**
   * The clusters that this Alloy monitors as a whole: brokers and consumer groups, nodes and indices, and the certificates of TLS
   * listeners.
   *
   * @default - none: the Alloy of another machine monitors them
   */
  readonly clusters?: { readonly kafka: KafkaCluster; readonly openSearch: OpenSearchCluster };

  /**
   * The container whose log says when the newest good backup started, on the machine of this Alloy.
   *
   * @default - none: there are no backups, or the Alloy of another machine reads it
   */
  readonly backup?: OpenSearchBackup;

  /**
   * The CA bundle and Alloy's key pair. Loki, Prometheus and both clusters must be secured too.
   *
   * @default - plaintext connections
   */
  readonly security?: Security;
}

/** Alloy loads every file in this directory. */
const CONFIG_DIR = "/groundwork/alloy";

/** Files that every Alloy loads. */
const COMMON_FILES = [
  "containers.alloy",
  "logs.alloy",
  "refusals.alloy",
  "requests.alloy",
  "exits.alloy",
  "metrics.alloy",
  "sinks.alloy",
];

/** The CA bundle and the key pair of Alloy. */
const TLS_DIR = "/groundwork/tls";

/** Not the image's /var/lib/alloy: the volumes of deployed platforms are mounted here. */
const STORAGE_DIR = "/alloy";

/**
 * Paths of the host that Alloy measures, read-only. The space of the disk with the host's `/` is that of any file on it: of one that
 * everybody may read and every host has. The space of the engine's disk is that of Alloy's own volume.
 */
const MEASURED = { "/host/proc": "/proc", "/host/root": "/etc/hosts", "/sys": "/sys" };

/** Grafana Alloy: collects logs, metrics and exit codes of every container on both networks. Container `alloy`. */
export class Alloy extends Construct {
  readonly container: ServiceContainer;

  /** The services whose TLS listeners it probes, by the label `service` of the metrics. */
  readonly probedServices: readonly string[];

  constructor(scope: Construct, id: string, props: AlloyProps) {
    super(scope, id);
    const { clusters, engine, security } = props;
    const listeners = clusters && security ? listenersOf(props, clusters) : [];
    this.probedServices = listeners.map(({ service }) => service);
    const connection = engineConnection(this, engine);
    const { environment, machine } = serviceSettingsOf(this);
    const configFiles = [
      ...COMMON_FILES,
      ...(clusters ? ["opensearch.alloy"] : []),
      ...(clusters && security ? ["certificates.alloy"] : []),
      ...(props.backup ? ["backup.alloy"] : []),
    ];
    this.container = new ServiceContainer(this, "Container", {
      name: props.name ?? "alloy",
      image: ServiceImage.of(this, ALLOY_IMAGE),
      tier: "small",
      networks: [props.infraNetwork, props.projectNetwork, ...connection.networks],
      volumes: { [STORAGE_DIR]: props.dataVolume },
      hostPaths: { ...connection.hostPaths, ...MEASURED },
      // start.sh hands Alloy its files, and becomes the image's user alloy.
      user: "0:0",
      capabilities: ["CAP_CHOWN", "CAP_SETGID", "CAP_SETUID"],
      files: [
        ...configFiles.map((name) => ownFile(`${CONFIG_DIR}/${name}`)),
        // run.sh copies it to CONFIG_DIR.
        ...(clusters ? [ownFile("/groundwork/kafka.alloy")] : []),
        ownFile("/groundwork/start.sh"),
        ownFile("/groundwork/run.sh"),
        ownFile("/groundwork/healthcheck.sh"),
      ],
      secrets: security && tlsFiles(security, "alloy", TLS_DIR),
      entrypoint: [
        ...["bash", "/groundwork/start.sh", CONFIG_DIR, STORAGE_DIR],
        "--disable-reporting",
      ],
      env: {
        ENGINE: connection.host,
        // Without a proxy, no container matches. An empty network filter would match every container.
        ENGINE_NETWORK: (engine?.network ?? props.infraNetwork).name,
        ENGINE_PROXY: engine?.container.name ?? "",
        ENVIRONMENT: environment,
        EXIT_RELAY: props.exitRelay.container.name,
        ...(props.backup && { BACKUP: props.backup.container.name }),
        INFRA_NETWORK: props.infraNetwork.name,
        PROJECT_NETWORK: props.projectNetwork.name,
        ...(machine && { MACHINE: machine }),
        ...(clusters && {
          KAFKA_BOOTSTRAP_SERVERS: clusters.kafka.internalBootstrapServers.join(","),
          // The exporter refuses a suffix, as in 4.3.1-patched.
          KAFKA_VERSION: imageVersion(clusters.kafka.image.reference) ?? clusters.kafka.image.tag,
          OPENSEARCH_URL: clusters.openSearch.internalEndpoint,
        }),
        LOKI_NETWORK: props.loki.network.name,
        LOKI_URL: props.loki.url,
        PROMETHEUS_URL: props.prometheus.url,
        ...(security && {
          TLS_CA_FILE: `${TLS_DIR}/ca-bundle.pem`,
          TLS_KEY_PAIR_FILE: `${TLS_DIR}/key-pair.pem`,
          TLS_SERVICES: SERVICES.join("|"),
        }),
        ...(clusters && security && { CERTIFICATES: JSON.stringify(listeners) }),
      },
      healthCheck: { command: ["bash", "/groundwork/healthcheck.sh"], intervalSeconds: 5 },
      dependsOn: connection.containers,
    });
  }
}

/** Uploads the file of this directory with the same base name to a path in the container. */
function ownFile(path: string): UploadedFile {
  return { path, content: readOwnFile(__dirname, basename(path)) };
}

/** Returns every TLS listener on the infra network, as a target of Alloy's blackbox exporter. */
function listenersOf(
  { loki, prometheus }: AlloyProps,
  { kafka, openSearch }: NonNullable<AlloyProps["clusters"]>,
) {
  const urls = [
    ...kafka.internalBootstrapServers.map((address) => `https://${address}`),
    ...openSearch.internalEndpoints,
    loki.url,
    prometheus.url,
  ];
  return urls.map((url) => {
    const { host } = new URL(url);
    const [service] = host.split(/[.:]/);
    return { name: service, address: host, module: "tls", service };
  });
}
