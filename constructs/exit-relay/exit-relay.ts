import { Construct } from "constructs";
import { readOwnFile } from "../container/file";
import { ServiceContainer } from "../container/service-container";
import { ServiceImage } from "../container/service-image";
import { serviceSettingsOf } from "../container/settings";
import { type EngineProxy, engineConnection } from "../engine-proxy/engine-proxy";
import type { INetwork } from "../network/network";

/** An image with the docker CLI only. */
export const DOCKER_CLI_IMAGE = "docker:28.5.2-cli";

/** The labels `groundwork.service` and `groundwork.role` of the container whose exit says that `npm run drift` compared the platform. */
export const DRIFT_RUN_LABELS = { service: "drift", role: "run" } as const;

export interface ExitRelayProps {
  /**
   * The name of the container.
   *
   * @default "exit-relay"
   */
  readonly name?: string;

  /**
   * The proxy through which the relay reads the Docker engine.
   *
   * @default - the engine's socket
   */
  readonly engine?: EngineProxy;

  /**
   * The network of the environment's own containers, on which Alloy discovers the relay. A container that is on the project network and
   * not on this one is an application, also if it has the label `groundwork.environment`: then its exits are not reported.
   */
  readonly network: INetwork;

  /** The network whose containers are covered even if they are not declared. The label `groundwork.exits=false` opts out. */
  readonly projectNetwork: INetwork;
}

const NOTES_DIR = "/tmp/relay";
const READY_FILE = "/tmp/relaying";

/**
 * Prints the exit code of every container of the environment and of every application on the project network, whatever the cause:
 * the kernel's OOM killer, a missing program or the process itself. Neither container logs nor cAdvisor have exit codes.
 */
export class ExitRelay extends Construct {
  readonly container: ServiceContainer;

  constructor(
    scope: Construct,
    id: string,
    { name = "exit-relay", engine, network, projectNetwork }: ExitRelayProps,
  ) {
    super(scope, id);
    const script = "/groundwork/exit-relay.sh";
    const connection = engineConnection(this, engine);
    this.container = new ServiceContainer(this, "Container", {
      name,
      image: ServiceImage.of(this, DOCKER_CLI_IMAGE),
      tier: "tool",
      networks: [network, ...connection.networks],
      hostPaths: connection.hostPaths,
      entrypoint: ["sh", script],
      files: [{ path: script, content: readOwnFile(__dirname, "exit-relay.sh") }],
      env: {
        DOCKER_HOST: connection.host,
        GROUNDWORK_ENVIRONMENT: serviceSettingsOf(this).environment,
        GROUNDWORK_INFRA_NETWORK: network.name,
        GROUNDWORK_PROJECT_NETWORK: projectNetwork.name,
        GROUNDWORK_NOTES_DIR: NOTES_DIR,
        GROUNDWORK_READY_FILE: READY_FILE,
      },
      healthCheck: { command: ["test", "-f", READY_FILE] },
      dependsOn: connection.containers,
    });
  }
}
