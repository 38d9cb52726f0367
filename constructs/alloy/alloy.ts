import { Construct } from "constructs";
import { type EngineProxy, wayToEngine } from "../engine-proxy/engine-proxy";
import type { ExitRelay } from "../exit-relay/exit-relay";
import { KAFKA_IMAGE, type KafkaCluster } from "../kafka/kafka-cluster";
import type { Loki } from "../loki/loki";
import type { INetwork } from "../network/network";
import type { OpenSearchCluster } from "../opensearch/opensearch-cluster";
import type { Prometheus } from "../prometheus/prometheus";
import { identityFiles, type Security } from "../security/security";
import { readOwnFile } from "../service/file";
import { ServiceContainer } from "../service/service-container";
import { ServiceImage } from "../service/service-image";
import { serviceSettingsOf } from "../service/settings";
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
   * By what those four know Alloy, and Alloy them: all of them are locked with it.
   *
   * @default - all of them are open
   */
  readonly security?: Security;
}

/** Alloy runs every file of it. */
const CONFIG_DIR = "/groundwork/alloy";

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
    const way = wayToEngine(this, engine);
    const { environment, machine } = serviceSettingsOf(this);
    const config = (name: string) => {
      const open = readOwnFile(__dirname, name);
      return security ? lockedConfig(open) : open;
    };
    this.container = new ServiceContainer(this, "Container", {
      name: props.name ?? "alloy",
      image: ServiceImage.of(this, ALLOY_IMAGE),
      tier: "small",
      networks: [props.infraNetwork, props.projectNetwork, ...way.networks],
      volumes: { [STORAGE_DIR]: props.dataVolume },
      hostPaths: {
        ...way.hostPaths,
        "/host/proc": "/proc",
        [HOST_ROOT]: "/",
        "/sys": "/sys",
      },
      tmpfs: engine && Object.fromEntries(NO_FILES.map((path) => [`${HOST_ROOT}${path}`, "ro"])),
      files: [
        { path: `${CONFIG_DIR}/config.alloy`, content: config("config.alloy") },
        ...(clusters
          ? [
              { path: `${CONFIG_DIR}/clusters.alloy`, content: config("clusters.alloy") },
              { path: "/groundwork/kafka.alloy", content: config("kafka.alloy") },
            ]
          : []),
        { path: "/groundwork/start.sh", content: readOwnFile(__dirname, "start.sh") },
        { path: "/groundwork/healthcheck.sh", content: readOwnFile(__dirname, "healthcheck.sh") },
        ...(security
          ? [
              ...["certified.alloy", "security.alloy"],
              ...(clusters ? ["certificates.alloy"] : []),
            ].map((name) => ({
              path: `${CONFIG_DIR}/${name}`,
              content: readOwnFile(__dirname, name),
            }))
          : []),
      ],
      secrets: security && identityFiles(security, "alloy", "/groundwork/tls"),
      entrypoint: [
        ...["bash", "/groundwork/start.sh", CONFIG_DIR],
        ...[`--storage.path=${STORAGE_DIR}`, "--disable-reporting"],
      ],
      env: {
        ENGINE: way.host,
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
          KAFKA_VERSION: KAFKA_IMAGE.split(":")[1],
          OPENSEARCH_URL: clusters.openSearch.internalEndpoint,
        }),
        LOKI_URL: props.loki.url,
        PROMETHEUS_URL: props.prometheus.url,
        ...(clusters && security && { CERTIFICATES: renderCertificates(props, clusters) }),
      },
      healthCheck: { command: ["bash", "/groundwork/healthcheck.sh"], intervalSeconds: 5 },
      dependsOn: way.containers,
    });
  }
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

/** A component at the beginning of a line, and its name. */
const COMPONENT = /^([a-z._]+ "\w+") \{(?:.*\}|[\s\S]*?^\})$/gm;

/** A configuration whose components are as locked.alloy has them, where it has one of the same name. */
export function lockedConfig(open: string): string {
  const locked = new Map(
    [...readOwnFile(__dirname, "locked.alloy").matchAll(COMPONENT)].map(([text, name]) => [
      name,
      text,
    ]),
  );
  return open.replace(COMPONENT, (text, name) => locked.get(name) ?? text);
}
