import { Construct } from "constructs";
import { readOwnFile } from "../container/file";
import { ServiceContainer } from "../container/service-container";
import { ServiceImage } from "../container/service-image";
import { validate, validateRetentionDays } from "../container/validation";
import type { INetwork } from "../network/network";
import { httpScheme, type Security } from "../security/security";
import type { IDataVolume } from "../storage/data-volume";
import { LokiProxy, lokiNetwork } from "./loki-proxy";

export const LOKI_IMAGE = "grafana/loki:3.7.3";

const PORT = 3100;
const SECONDS_PER_DAY = 24 * 60 * 60;

/** Returns the base URL on a network. */
export function lokiUrl(secured: boolean, network: Pick<INetwork, "name">): string {
  return `${httpScheme(secured)}://loki.${network.name}:${PORT}`;
}

export interface LokiProps {
  /** The network on which Alloy and Grafana reach Loki. */
  readonly network: INetwork;

  /** The volume for the logs. */
  readonly dataVolume: IDataVolume;

  /**
   * The number of days after which logs are deleted, at least 1.
   *
   * @default 14
   */
  readonly retentionDays?: number;

  /**
   * The size in GiB of the logs that Loki takes in a day, before it compresses them. At least 1. Loki has no limit for what it stores, but
   * it stores no more than this times `retentionDays`.
   *
   * @default 2700
   */
  readonly ingestionGiBPerDay?: number;

  /**
   * The CA bundle and Loki's key pair. Clients then reach Loki only through a proxy, which allows `alloy`, `grafana` and `checks` what they
   * need, by their certificates.
   *
   * @default - plaintext: any client on the network may read, write and stop Loki
   */
  readonly security?: Security;
}

/** Loki in one process, for the logs of every container. Container `loki`, and `loki-proxy` if it is secured. */
export class Loki extends Construct {
  readonly container: ServiceContainer;

  /** The base URL on the network of the clients. */
  readonly url: string;

  /** The network that the container joins: that of its clients or, if it is secured, one with the proxy only. */
  readonly network: INetwork;

  constructor(scope: Construct, id: string, props: LokiProps) {
    super(scope, id);
    const retentionDays = props.retentionDays ?? 14;
    validateRetentionDays(retentionDays, "Loki keeps logs", this);
    const ingestionGiBPerDay = props.ingestionGiBPerDay ?? 2700;
    validate(
      Number.isInteger(ingestionGiBPerDay) && ingestionGiBPerDay >= 1,
      () =>
        `ingestionGiBPerDay is ${ingestionGiBPerDay}: Loki takes a whole number of GiB, at least 1`,
      this,
    );
    const { security } = props;
    this.url = lokiUrl(security !== undefined, props.network);
    this.network = security ? lokiNetwork(this) : props.network;
    this.container = new ServiceContainer(this, "Container", {
      name: "loki",
      image: ServiceImage.of(this, LOKI_IMAGE),
      tier: "medium",
      metricsPort: security ? undefined : PORT,
      networks: [this.network],
      volumes: { "/loki": props.dataVolume },
      files: [{ path: "/etc/loki/groundwork.yaml", content: readOwnFile(__dirname, "loki.yaml") }],
      command: ["-config.file=/etc/loki/groundwork.yaml", "-config.expand-env=true"],
      env: {
        LOG_RETENTION: `${retentionDays * 24}h`,
        LOG_INGESTION_RATE: ((ingestionGiBPerDay * 1024) / SECONDS_PER_DAY).toFixed(4),
      },
      // The image has neither a shell nor curl.
      healthCheck: {
        command: ["/usr/bin/loki", "-health", `-health.url=http://127.0.0.1:${PORT}/ready`],
        intervalSeconds: 5,
      },
    });
    if (security) {
      new LokiProxy(this, "Proxy", {
        network: props.network,
        lokiNetwork: this.network,
        loki: this.container,
        metricsPort: PORT,
        security,
      });
    }
  }
}
