import { Construct, type IConstruct } from "constructs";
import { readOwnFile } from "../container/file";
import { ServiceContainer } from "../container/service-container";
import { ServiceImage } from "../container/service-image";
import { serviceSettingsOf } from "../container/settings";
import type { INetwork } from "../network/network";

/** An LTS release of HAProxy. */
export const HAPROXY_IMAGE = "haproxy:3.2.21-alpine";

/** Not below /var/run, a symlink in most images: Docker 28 and later refuses to upload files into a container with a mount there. */
const ENGINE_SOCKET = "/run/docker.sock";

/** Returns what a container needs to reach the Docker engine: through the proxy if there is one, else through the socket. */
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
   * The name of the container.
   *
   * @default "engine-proxy"
   */
  readonly name?: string;

  /** A network with only the containers that may read the engine: the proxy does not authenticate its clients. */
  readonly network: INetwork;
}

/**
 * A read-only proxy for the Docker engine's API. Allows requests for the version, containers, their logs and images, networks and
 * events, and denies all others with 403. It is the only container that mounts the engine's socket, which equals root on the host.
 */
export class EngineProxy extends Construct {
  readonly container: ServiceContainer;

  /** The network on which containers reach the proxy. */
  readonly network: INetwork;

  /** The value of `DOCKER_HOST` for clients of the proxy: `tcp://engine-proxy.<network>:2375`. */
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
      // To switch to a user in the socket's group.
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
