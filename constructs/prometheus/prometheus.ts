import { Lazy } from "cdktf";
import { Construct } from "constructs";
import type { INetwork } from "../network/network";
import { readOwnFile } from "../service/file";
import { ServiceContainer } from "../service/service-container";
import { ServiceImage } from "../service/service-image";
import { validateRetentionDays } from "../service/validation";
import type { IDataVolume } from "../storage/data-volume";
import { type DeclaredMetric, renderDeclaredMetrics } from "./declared-metrics";

export const PROMETHEUS_IMAGE = "prom/prometheus:v3.13.1";

const PORT = 9090;

export interface PrometheusProps {
  /** Network on which Alloy and Grafana reach it. */
  readonly network: INetwork;

  /** Where the series are kept. */
  readonly dataVolume: IDataVolume;

  /** What the platform declares, as metrics beside those that are measured; asked for when everything is declared. */
  readonly declared: () => readonly DeclaredMetric[];

  /**
   * Days after which metrics are deleted; at least 1.
   *
   * @default 15, Prometheus' own
   */
  readonly retentionDays?: number;
}

/** Prometheus: the metrics that Alloy sends, and what is declared. Container `prometheus`. */
export class Prometheus extends Construct {
  readonly container: ServiceContainer;

  /** Base URL on the network. */
  readonly url: string;

  constructor(scope: Construct, id: string, props: PrometheusProps) {
    super(scope, id);
    const retentionDays = props.retentionDays ?? 15;
    validateRetentionDays(retentionDays, "Prometheus keeps metrics", this);
    this.url = `http://prometheus.${props.network.name}:${PORT}`;
    this.container = new ServiceContainer(this, "Container", {
      name: "prometheus",
      image: ServiceImage.of(this, PROMETHEUS_IMAGE),
      tier: "medium",
      metricsPort: PORT,
      networks: [props.network],
      volumes: { "/prometheus": props.dataVolume },
      files: [
        {
          path: "/etc/prometheus/groundwork.yml",
          content: readOwnFile(__dirname, "prometheus.yml"),
        },
        {
          path: "/etc/prometheus/declared.json",
          content: Lazy.stringValue({ produce: () => renderDeclaredMetrics(props.declared()) }),
        },
      ],
      command: [
        "--config.file=/etc/prometheus/groundwork.yml",
        "--storage.tsdb.path=/prometheus",
        `--storage.tsdb.retention.time=${retentionDays}d`,
        "--web.enable-remote-write-receiver",
      ],
      healthCheck: {
        command: ["promtool", "check", "ready", `--url=http://127.0.0.1:${PORT}`],
        intervalSeconds: 5,
      },
    });
  }
}
