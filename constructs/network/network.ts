import { DataDockerNetwork } from "@cdktf/provider-docker/lib/data-docker-network";
import { Network as NetworkResource } from "@cdktf/provider-docker/lib/network";
import { Construct } from "constructs";
import { settingsLabels } from "../service/settings";

/** A network that containers join by name. */
export interface INetwork {
  readonly name: string;
}

export interface NetworkProps {
  /** The engine's name of the network; containers resolve each other on it as `<container>.<name>`. */
  readonly name: string;
}

/** A bridge network that this stack creates and destroys. */
export class Network extends Construct implements INetwork {
  /** A network that something else owns. The plan fails when it is not there. */
  static fromName(scope: Construct, id: string, name: string): INetwork {
    new DataDockerNetwork(scope, id, { name });
    return { name };
  }

  readonly name: string;

  constructor(scope: Construct, id: string, props: NetworkProps) {
    super(scope, id);
    this.name = props.name;
    new NetworkResource(this, "Resource", {
      name: props.name,
      driver: "bridge",
      labels: settingsLabels(this),
    });
  }
}
