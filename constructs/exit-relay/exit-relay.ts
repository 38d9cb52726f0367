import { Construct } from "constructs";
import type { INetwork } from "../network/network";
import { readOwnFile } from "../service/file";
import { ENGINE_SOCKET, ServiceContainer } from "../service/service-container";
import { ServiceImage } from "../service/service-image";
import { serviceSettingsOf } from "../service/settings";

/** The docker CLI alone. */
export const DOCKER_CLI_IMAGE = "docker:28.5.2-cli";

/** Name of the relay's container, by which Alloy knows its log. */
export const EXIT_RELAY = "exit-relay";

export interface ExitRelayProps {
  /** Network on which Alloy discovers the relay. */
  readonly network: INetwork;
}

const READY_FILE = "/tmp/relaying";

/**
 * Prints the exit code of every container of the environment, whatever ended it: the kernel's OOM killer, a missing program,
 * its own decision. Neither container logs nor cAdvisor have it. Container `exit-relay`.
 */
export class ExitRelay extends Construct {
  readonly container: ServiceContainer;

  constructor(scope: Construct, id: string, { network }: ExitRelayProps) {
    super(scope, id);
    const script = "/groundwork/exit-relay.sh";
    this.container = new ServiceContainer(this, "Container", {
      name: EXIT_RELAY,
      image: ServiceImage.of(this, DOCKER_CLI_IMAGE),
      tier: "job",
      networks: [network],
      entrypoint: ["sh", script],
      files: [{ path: script, content: readOwnFile(__dirname, "exit-relay.sh") }],
      hostPaths: { [ENGINE_SOCKET]: ENGINE_SOCKET },
      env: {
        GROUNDWORK_ENVIRONMENT: serviceSettingsOf(this).environment,
        GROUNDWORK_READY_FILE: READY_FILE,
      },
      healthCheck: { command: ["test", "-f", READY_FILE] },
    });
  }
}
