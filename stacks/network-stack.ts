import type { Construct } from "constructs";
import { type INetwork, Network } from "../constructs";
import type { Environment, NetworkSettings } from "../environments";
import { DockerStack } from "./platform-stack";

/** `infra_net` for the services themselves, `project_net` for the applications that use them. */
export class NetworkStack extends DockerStack {
  readonly infra: INetwork;
  readonly project: INetwork;

  constructor(scope: Construct, layer: string, environment: Environment) {
    super(scope, layer, environment);
    this.infra = this.network("infra", environment.networks.infra);
    this.project = this.network("project", environment.networks.project);
  }

  private network(id: string, { name, adopt }: NetworkSettings): INetwork {
    return adopt ? Network.fromName(this, id, name) : new Network(this, id, { name });
  }
}
