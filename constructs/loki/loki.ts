import { Construct } from "constructs";
import type { INetwork } from "../network/network";
import { readOwnFile } from "../service/file";
import { ServiceContainer } from "../service/service-container";
import { ServiceImage } from "../service/service-image";
import { validateRetentionDays } from "../service/validation";
import type { IDataVolume } from "../storage/data-volume";

export const LOKI_IMAGE = "grafana/loki:3.7.3";

const PORT = 3100;

export interface LokiProps {
  /** Network on which Alloy and Grafana reach it. */
  readonly network: INetwork;

  /** Where the logs are kept. */
  readonly dataVolume: IDataVolume;

  /**
   * Days after which logs are deleted; at least 1.
   *
   * @default 14
   */
  readonly retentionDays?: number;
}

/** Loki in one process: the logs of every container. Container `loki`. */
export class Loki extends Construct {
  readonly container: ServiceContainer;

  /** Base URL on the network. */
  readonly url: string;

  constructor(scope: Construct, id: string, props: LokiProps) {
    super(scope, id);
    const retentionDays = props.retentionDays ?? 14;
    validateRetentionDays(retentionDays, "Loki keeps logs", this);
    this.url = `http://loki.${props.network.name}:${PORT}`;
    this.container = new ServiceContainer(this, "Container", {
      name: "loki",
      image: ServiceImage.of(this, LOKI_IMAGE),
      tier: "medium",
      metricsPort: PORT,
      networks: [props.network],
      volumes: { "/loki": props.dataVolume },
      files: [{ path: "/etc/loki/groundwork.yaml", content: readOwnFile(__dirname, "loki.yaml") }],
      command: ["-config.file=/etc/loki/groundwork.yaml", "-config.expand-env=true"],
      env: { LOG_RETENTION: `${retentionDays * 24}h` },
      // The image has no shell and no curl; this is Loki asking itself.
      healthCheck: {
        command: ["/usr/bin/loki", "-health", `-health.url=http://127.0.0.1:${PORT}/ready`],
        intervalSeconds: 5,
      },
    });
  }
}
