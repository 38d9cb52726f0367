import { Construct } from "constructs";
import { readOwnFile } from "../container/file";
import { ServiceContainer } from "../container/service-container";
import { ServiceImage } from "../container/service-image";
import { HAPROXY_IMAGE } from "../engine-proxy/engine-proxy";
import { hostNamesOn } from "../network/host-name";
import { type INetwork, Network } from "../network/network";
import { type Security, tlsFiles } from "../security/security";

export const LOKI_PROXY = "loki-proxy";

const CONFIG = "/groundwork/haproxy.cfg";

/** Declares `loki_net`, which only Loki and its proxy join. haproxy.cfg has its name. */
export function lokiNetwork(scope: Construct): Network {
  return new Network(scope, "Network", { name: "loki_net", internal: true });
}

export interface LokiProxyProps {
  /** The network of the clients. There, the proxy has Loki's host names. */
  readonly network: INetwork;

  /** The network with Loki. */
  readonly lokiNetwork: INetwork;

  readonly loki: ServiceContainer;

  /** The port of the proxy, where Alloy finds Loki's metrics too. */
  readonly metricsPort: number;

  /** The CA bundle, and Loki's key pair, which the proxy presents. */
  readonly security: Security;
}

/**
 * The only way to a secured Loki. Allows each client, by its certificate, the requests that it needs, and denies all others with 403: Loki
 * serves administrative paths on the same port as its API, and has no permissions of its own.
 */
export class LokiProxy extends Construct {
  constructor(scope: Construct, id: string, props: LokiProxyProps) {
    super(scope, id);
    const { network, loki, security } = props;
    new ServiceContainer(this, "Container", {
      name: LOKI_PROXY,
      image: ServiceImage.of(this, HAPROXY_IMAGE),
      tier: "tool",
      metricsPort: props.metricsPort,
      networks: [network, props.lokiNetwork],
      aliases: { [network.name]: [loki.name] },
      files: [{ path: CONFIG, content: readOwnFile(__dirname, "haproxy.cfg") }],
      // HAProxy runs as its own user.
      secrets: tlsFiles(security, loki.name, "/groundwork/tls", {
        readableBy: "everyone",
        hosts: hostNamesOn([network], loki.name),
      }),
      entrypoint: ["haproxy", "-db", "-f", CONFIG],
      healthCheck: {
        command: ["busybox", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:3101/ready"],
        intervalSeconds: 5,
      },
      dependsOn: [loki],
    });
  }
}
