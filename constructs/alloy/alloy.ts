import { basename } from "node:path";
import { Construct } from "constructs";
import { readOwnFile, type UploadedFile } from "../container/file";
import { ServiceContainer } from "../container/service-container";
import { ServiceImage } from "../container/service-image";
import { serviceSettingsOf } from "../container/settings";
import { type EngineProxy, engineConnection } from "../engine-proxy/engine-proxy";
import type { ExitRelay } from "../exit-relay/exit-relay";
import type { KafkaCluster } from "../kafka/kafka-cluster";
import type { Loki } from "../loki/loki";
import type { INetwork } from "../network/network";
import type { OpenSearchCluster } from "../opensearch/opensearch-cluster";
import type { Prometheus } from "../prometheus/prometheus";
import { SERVICES } from "../security/principals";
import { type Security, tlsFiles } from "../security/security";
import type { IDataVolume } from "../storage/data-volume";

export const ALLOY_IMAGE = "grafana/alloy:v1.18.0";

export interface AlloyProps {
  /**
   * Name of the container.
   *
   * @default "alloy"
   */
  readonly name?: string;

  /**
   * Where Alloy is told of containers and reads their logs.
   *
   * @default - by the engine's socket
   */
  readonly engine?: EngineProxy;

  /** Whose log has the exit codes. */
  readonly exitRelay: ExitRelay;

  /** Network of the platform's own containers. */
  readonly infraNetwork: INetwork;

  /**
   * Network whose containers are covered without being declared here: logs and exit codes of all, metrics of those with the label
   * `groundwork.metrics.port`. The labels `groundwork.logs=false` and `groundwork.exits=false` opt out.
   */
  readonly projectNetwork: INetwork;

  /** Read positions and metrics that are not delivered yet. */
  readonly dataVolume: IDataVolume;

  /** Where logs go. */
  readonly loki: Loki;
  /** Where metrics go. */
  readonly prometheus: Prometheus;

  /**
   * What is measured as a whole: brokers and consumer groups, nodes and indices, and the certificates that services show.
   *
   * @default - the Alloy of another machine measures it
   */
  readonly clusters?: { readonly kafka: KafkaCluster; readonly openSearch: OpenSearchCluster };

  /**
   * What Alloy trusts and its key pair. Loki, Prometheus and both clusters have to be secured too.
   *
   * @default - plaintext connections
   */
  readonly security?: Security;
}

/** Alloy loads every file in it. */
const CONFIG_DIR = "/groundwork/alloy";

/** Files that every Alloy loads. */
const COMMON_FILES = [
  "containers.alloy",
  "logs.alloy",
  "refusals.alloy",
  "exits.alloy",
  "metrics.alloy",
  "sinks.alloy",
];

/** CA and key pair of Alloy. */
const TLS_DIR = "/groundwork/tls";

/**
 * No directory of the image: it gives /var/lib/alloy to a user of its own, and Alloy, which runs as root without the capability to
 * pass over owners, could not write there.
 */
const STORAGE_DIR = "/alloy";

/** Where Alloy sees how full the host's disks are. */
const HOST_ROOT = "/host/root";

/**
 * Folders of the host that are on no disk, hidden from an Alloy that has a proxy to ask: the engine's socket is in one of them, and others set the kernel's
 * parameters, since an engine before 25 mounts nothing read-only that is mounted below.
 */
const NO_FILES = ["/dev", "/proc", "/run", "/sys"];

/** Collects logs, metrics and exit codes of every container on both networks. */
export class Alloy extends Construct {
  readonly container: ServiceContainer;

  constructor(scope: Construct, id: string, props: AlloyProps) {
    super(scope, id);
    const { clusters, engine, security } = props;
    const connection = engineConnection(this, engine);
    const { environment, machine } = serviceSettingsOf(this);
    const configFiles = [
      ...COMMON_FILES,
      ...(clusters ? ["opensearch.alloy"] : []),
      ...(clusters && security ? ["certificates.alloy"] : []),
    ];
    this.container = new ServiceContainer(this, "Container", {
      name: props.name ?? "alloy",
      image: ServiceImage.of(this, ALLOY_IMAGE),
      tier: "small",
      networks: [props.infraNetwork, props.projectNetwork, ...connection.networks],
      volumes: { [STORAGE_DIR]: props.dataVolume },
      hostPaths: {
        ...connection.hostPaths,
        "/host/proc": "/proc",
        [HOST_ROOT]: "/",
        "/sys": "/sys",
      },
      tmpfs: engine && Object.fromEntries(NO_FILES.map((path) => [`${HOST_ROOT}${path}`, "ro"])),
      files: [
        ...configFiles.map((name) => ownFile(`${CONFIG_DIR}/${name}`)),
        // start.sh adds it to the others.
        ...(clusters ? [ownFile("/groundwork/kafka.alloy")] : []),
        ownFile("/groundwork/start.sh"),
        ownFile("/groundwork/healthcheck.sh"),
      ],
      secrets: security && tlsFiles(security, "alloy", TLS_DIR),
      entrypoint: [
        ...["bash", "/groundwork/start.sh", CONFIG_DIR],
        ...[`--storage.path=${STORAGE_DIR}`, "--disable-reporting"],
      ],
      env: {
        ENGINE: connection.host,
        // Of no container's where there is no proxy; a filter for no network would let every container pass.
        ENGINE_NETWORK: (engine?.network ?? props.infraNetwork).name,
        ENGINE_PROXY: engine?.container.name ?? "",
        ENVIRONMENT: environment,
        EXIT_RELAY: props.exitRelay.container.name,
        INFRA_NETWORK: props.infraNetwork.name,
        PROJECT_NETWORK: props.projectNetwork.name,
        ...(machine && { MACHINE: machine }),
        ...(clusters && {
          KAFKA_BOOTSTRAP_SERVERS: clusters.kafka.internalBootstrapServers.join(","),
          KAFKA_VERSION: clusters.kafka.image.tag,
          OPENSEARCH_URL: clusters.openSearch.internalEndpoint,
        }),
        LOKI_URL: props.loki.url,
        PROMETHEUS_URL: props.prometheus.url,
        ...(security && {
          TLS_CA_FILE: `${TLS_DIR}/ca-bundle.pem`,
          TLS_KEY_PAIR_FILE: `${TLS_DIR}/key-pair.pem`,
          TLS_SERVICES: SERVICES.join("|"),
        }),
        ...(clusters && security && { CERTIFICATES: renderCertificates(props, clusters) }),
      },
      healthCheck: { command: ["bash", "/groundwork/healthcheck.sh"], intervalSeconds: 5 },
      dependsOn: connection.containers,
    });
  }
}

/** The file of this directory that has the last name of a path, for that path in the container. */
function ownFile(path: string): UploadedFile {
  return { path, content: readOwnFile(__dirname, basename(path)) };
}

/** Every listener of the platform's own network that shows a certificate, as Alloy's exporter for them takes it. */
function renderCertificates(
  { loki, prometheus }: AlloyProps,
  { kafka, openSearch }: NonNullable<AlloyProps["clusters"]>,
): string {
  const listeners = [
    ...kafka.internalBootstrapServers.map((address) => `https://${address}`),
    ...openSearch.internalEndpoints,
    loki.url,
    prometheus.url,
  ];
  return JSON.stringify(
    listeners.map((url) => {
      const { host } = new URL(url);
      const [service] = host.split(/[.:]/);
      return { name: service, address: host, module: "tls", service };
    }),
  );
}
