import { Construct } from "constructs";
import { readOwnFile, type SecretFile } from "../container/file";
import { ServiceContainer } from "../container/service-container";
import { ServiceImage } from "../container/service-image";
import { validateRetentionDays } from "../container/validation";
import { hostNamesOn } from "../network/host-name";
import type { INetwork } from "../network/network";
import { LOKI_CLIENTS } from "../security/principals";
import { httpScheme, type Security } from "../security/security";
import type { IDataVolume } from "../storage/data-volume";

export const LOKI_IMAGE = "grafana/loki:3.7.3";

const PORT = 3100;

/** The port of a secured Loki's health check, on the container's loopback address only: loki -health cannot use a client certificate. */
const HEALTH_PORT = 3101;

const TLS_DIR = "/etc/loki/tls";
const CLIENT_CAS = `${TLS_DIR}/client-cas.pem`;

const SECURED = [
  `-server.http-tls-cert-path=${TLS_DIR}/key-pair.pem`,
  `-server.http-tls-key-path=${TLS_DIR}/key-pair.pem`,
  `-server.http-tls-ca-path=${CLIENT_CAS}`,
  "-server.http-tls-client-auth=RequireAndVerifyClientCert",
  // Loki is one process, so only it uses gRPC.
  "-server.grpc-listen-address=127.0.0.1",
];

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
   * The number of days after which logs are deleted, at least 1. Loki has no limit of size.
   *
   * @default 14
   */
  readonly retentionDays?: number;

  /**
   * The certificates of Loki and its clients. Only `alloy`, `grafana` and `checks` are allowed, by their certificates.
   *
   * @default - plaintext: any client on the network may read and write
   */
  readonly security?: Security;
}

/** Loki in one process, for the logs of every container. Container `loki`. */
export class Loki extends Construct {
  readonly container: ServiceContainer;

  /** The base URL on the network. */
  readonly url: string;

  constructor(scope: Construct, id: string, props: LokiProps) {
    super(scope, id);
    const retentionDays = props.retentionDays ?? 14;
    validateRetentionDays(retentionDays, "Loki keeps logs", this);
    const { security } = props;
    this.url = lokiUrl(security !== undefined, props.network);
    this.container = new ServiceContainer(this, "Container", {
      name: "loki",
      image: ServiceImage.of(this, LOKI_IMAGE),
      tier: "medium",
      metricsPort: PORT,
      networks: [props.network],
      volumes: { "/loki": props.dataVolume },
      files: [
        {
          path: "/etc/loki/groundwork.yaml",
          content: [
            readOwnFile(__dirname, "loki.yaml"),
            ...(security ? [readOwnFile(__dirname, "health.yaml")] : []),
          ].join("\n"),
        },
      ],
      // Loki runs as its own user.
      secrets: security && secretsOf(security, props.network),
      command: [
        "-config.file=/etc/loki/groundwork.yaml",
        "-config.expand-env=true",
        ...(security ? SECURED : []),
      ],
      env: { LOG_RETENTION: `${retentionDays * 24}h` },
      // The image has neither a shell nor curl.
      healthCheck: {
        command: [
          ...["/usr/bin/loki", "-health"],
          `-health.url=http://127.0.0.1:${security ? HEALTH_PORT : PORT}/ready`,
        ],
        intervalSeconds: 5,
      },
    });
  }
}

function secretsOf(security: Security, network: INetwork): SecretFile[] {
  const readableBy = "everyone";
  const hosts = hostNamesOn([network], "loki");
  // Loki has no permissions: any client may stop it, for example. So other certificates of the CA must not reach it.
  const clientCas = security.clientCasOf?.("loki", LOKI_CLIENTS) ?? security.caBundle;
  return [
    { path: CLIENT_CAS, source: clientCas, readableBy },
    { path: `${TLS_DIR}/key-pair.pem`, source: security.keyPairOf("loki", hosts), readableBy },
  ];
}
