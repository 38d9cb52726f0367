import { Construct, type IConstruct } from "constructs";
import { readOwnFile } from "../container/file";
import { ServiceContainer } from "../container/service-container";
import { ServiceImage } from "../container/service-image";
import { serviceSettingsOf } from "../container/settings";
import type { INetwork } from "../network/network";

/** A release with long-term support. */
export const HAPROXY_IMAGE = "haproxy:3.2.21-alpine";

/** Not below /var/run, a symlink in most images: engines from 28 on refuse to upload files into a container with a mount there. */
const ENGINE_SOCKET = "/run/docker.sock";

/** What a container needs to ask the engine, through its proxy or, where there is none, by its socket. */
export function engineConnection(scope: IConstruct, proxy: EngineProxy | undefined) {
  return proxy
    ? { host: proxy.host, networks: [proxy.network], hostPaths: {}, containers: [proxy.container] }
    : {
        ...{ host: `unix://${ENGINE_SOCKET}`, networks: [], containers: [] },
        hostPaths: socketMount(scope),
      };
}

function socketMount(scope: IConstruct): Record<string, string> {
  return { [ENGINE_SOCKET]: serviceSettingsOf(scope).engineSocket ?? "/var/run/docker.sock" };
}

const PORT = 2375;

export interface EngineProxyProps {
  /**
   * Name of the container.
   *
   * @default "engine-proxy"
   */
  readonly name?: string;

  /** Network of those who may read the engine, and of nobody else: who reaches the proxy is not asked who it is. */
  readonly network: INetwork;
}

/**
 * The engine's API for those who watch containers: versions, containers, their logs and images, networks and events, to be read.
 * Everything else is refused with 403. The only container with the engine's socket, which is as good as root on its host.
 */
export class EngineProxy extends Construct {
  readonly container: ServiceContainer;

  /** The network on which the proxy is reached. */
  readonly network: INetwork;

  /** What the docker CLI and libraries take for the engine, `tcp://engine-proxy.<network>:2375`. */
  readonly host: string;

  constructor(scope: Construct, id: string, { name = "engine-proxy", network }: EngineProxyProps) {
    super(scope, id);
    this.network = network;
    const script = "/groundwork/start.sh";
    this.host = `tcp://${name}.${network.name}:${PORT}`;
    this.container = new ServiceContainer(this, "Container", {
      name,
      image: ServiceImage.of(this, HAPROXY_IMAGE),
      tier: "tool",
      networks: [network],
      // To become a user in the socket's group. Who else is root without capabilities, as Alloy, has no way into such processes.
      user: "0:0",
      capabilities: ["CAP_SETGID", "CAP_SETUID"],
      entrypoint: ["sh", script],
      files: [
        { path: script, content: readOwnFile(__dirname, "start.sh") },
        { path: "/groundwork/haproxy.cfg", content: readOwnFile(__dirname, "haproxy.cfg") },
      ],
      hostPaths: socketMount(this),
      env: { ENGINE_SOCKET },
      healthCheck: {
        command: ["busybox", "wget", "-q", "-O", "/dev/null", `http://127.0.0.1:${PORT}/_ping`],
      },
    });
  }
}
