import { Lazy } from "cdktf";
import { Construct } from "constructs";
import { escapeTemplate, readOwnFile, type SecretFile } from "../container/file";
import { ServiceContainer } from "../container/service-container";
import { ServiceImage } from "../container/service-image";
import { validate, validateRetentionDays } from "../container/validation";
import { hostNamesOn } from "../network/host-name";
import type { INetwork } from "../network/network";
import { httpScheme, type Security, tlsFiles } from "../security/security";
import type { IDataVolume } from "../storage/data-volume";
import { type DeclaredMetric, renderDeclaredMetrics } from "./declared-metrics";
import { RECORDING_FILE, type RecordingGroup, renderRecordingGroups } from "./recording-rule";

export const PROMETHEUS_IMAGE = "prom/prometheus:v3.13.1";

const PORT = 9090;

const CONFIG_DIR = "/etc/prometheus";
const TLS_DIR = `${CONFIG_DIR}/tls`;

/** Returns the switches and the base URL of promtool in the container, to query Prometheus as `checks`. */
export function promtoolAsChecks(secured: boolean): {
  readonly switches: readonly string[];
  readonly url: string;
} {
  return {
    switches: secured ? [`--http.config.file=${CONFIG_DIR}/checks.yml`] : [],
    url: `${httpScheme(secured)}://127.0.0.1:${PORT}`,
  };
}

export interface PrometheusProps {
  /** The network on which Alloy and Grafana reach Prometheus. */
  readonly network: INetwork;

  /** The volume for the metrics. */
  readonly dataVolume: IDataVolume;

  /** Returns the platform's declared numbers, such as its brokers, as metrics. It is called once everything is declared. */
  readonly declared: () => readonly DeclaredMetric[];

  /**
   * The groups of recording rules that it evaluates.
   *
   * @default - none
   */
  readonly recordingGroups?: readonly RecordingGroup[];

  /**
   * The number of days after which metrics are deleted, at least 1.
   *
   * @default 15, Prometheus' default
   */
  readonly retentionDays?: number;

  /**
   * The size in GiB of all metrics together, from which the oldest ones are deleted, even before `retentionDays`. At least 1. The
   * write-ahead log counts.
   *
   * @default - unlimited
   */
  readonly retentionGiB?: number;

  /**
   * The certificates of Prometheus and its clients. Only `alloy`, `grafana` and `checks` are allowed, by their certificates.
   *
   * @default - plaintext: any client on the network may read and write
   */
  readonly security?: Security;
}

/** How long Prometheus keeps metrics by itself. */
export const DEFAULT_RETENTION_DAYS = 15;

/** Prometheus, for the metrics that Alloy sends and for the declared numbers. Container `prometheus`. */
export class Prometheus extends Construct {
  readonly container: ServiceContainer;

  /** The base URL on the network. */
  readonly url: string;

  constructor(scope: Construct, id: string, props: PrometheusProps) {
    super(scope, id);
    const retentionDays = props.retentionDays ?? DEFAULT_RETENTION_DAYS;
    validateRetentionDays(retentionDays, "Prometheus keeps metrics", this);
    const { security, retentionGiB } = props;
    validate(
      retentionGiB === undefined || (Number.isInteger(retentionGiB) && retentionGiB >= 1),
      () => `retentionGiB is ${retentionGiB}: Prometheus keeps a whole number of GiB, at least 1`,
      this,
    );
    const checks = promtoolAsChecks(security !== undefined);
    this.url = `${httpScheme(security !== undefined)}://prometheus.${props.network.name}:${PORT}`;
    this.container = new ServiceContainer(this, "Container", {
      name: "prometheus",
      image: ServiceImage.of(this, PROMETHEUS_IMAGE),
      tier: "medium",
      metricsPort: PORT,
      networks: [props.network],
      volumes: { "/prometheus": props.dataVolume },
      files: [
        {
          path: `${CONFIG_DIR}/groundwork.yml`,
          content: readOwnFile(__dirname, "prometheus.yml"),
        },
        {
          path: `${CONFIG_DIR}/declared.json`,
          content: Lazy.stringValue({
            // Escaped here, since the container does not see the text. Consumer groups may contain "${".
            produce: () => escapeTemplate(renderDeclaredMetrics(props.declared())),
          }),
        },
        {
          path: RECORDING_FILE,
          content: renderRecordingGroups(props.recordingGroups ?? []),
        },
        ...(security
          ? ["web.yml", "checks.yml"].map((name) => ({
              path: `${CONFIG_DIR}/${name}`,
              content: readOwnFile(__dirname, name),
            }))
          : []),
      ],
      secrets: security && secretsOf(security, props.network),
      command: [
        `--config.file=${CONFIG_DIR}/groundwork.yml`,
        "--storage.tsdb.path=/prometheus",
        `--storage.tsdb.retention.time=${retentionDays}d`,
        // Prometheus' GB are GiB.
        ...(retentionGiB ? [`--storage.tsdb.retention.size=${retentionGiB}GB`] : []),
        "--web.enable-remote-write-receiver",
        ...(security ? [`--web.config.file=${CONFIG_DIR}/web.yml`] : []),
      ],
      healthCheck: {
        command: ["promtool", "check", "ready", ...checks.switches, `--url=${checks.url}`],
        intervalSeconds: 5,
      },
    });
  }
}

function secretsOf(security: Security, network: INetwork): SecretFile[] {
  // Prometheus runs as the user nobody.
  const readableBy = "everyone";
  return [
    ...tlsFiles(security, "prometheus", TLS_DIR, {
      readableBy,
      hosts: hostNamesOn([network], "prometheus"),
    }),
    { path: `${TLS_DIR}/checks.pem`, source: security.keyPairOf("checks"), readableBy },
  ];
}
