import { DataDockerNetwork } from "@cdktf/provider-docker/lib/data-docker-network";
import { Network as NetworkResource } from "@cdktf/provider-docker/lib/network";
import type { ITerraformDependable } from "cdktf";
import { Construct } from "constructs";
import { useDockerProvider } from "../container/docker-provider";
import { settingsLabels } from "../container/settings";

/** A network that containers join by name. */
export interface INetwork {
  readonly name: string;

  /**
   * Whether the engine publishes ports through it. An overlay network has no way in from the machine.
   *
   * @default true
   */
  readonly publishesPorts?: boolean;

  /**
   * What containers of the same stack wait for.
   *
   * @default - nothing: the network is there before the stack
   */
  readonly dependable?: ITerraformDependable;
}

export interface NetworkProps {
  /** The engine's name of the network; containers resolve each other on it as `<container>.<name>`. */
  readonly name: string;

  /**
   * Whether its containers reach each other alone there, and nobody else reaches them: not even the host has an address on it.
   *
   * @default false
   */
  readonly internal?: boolean;

  /**
   * Whether it reaches over all machines of a Docker Swarm.
   *
   * @default false - it is a bridge of one machine
   */
  readonly overlay?: boolean;

  /**
   * Has an overlay encrypt what crosses between machines (IPsec, which takes ESP in their kernels), as the VXLAN of this id. One that the
   * engine chose would be a difference in every plan.
   *
   * @default - it crosses as the containers sent it
   */
  readonly encryptedVxlanId?: number;
}

/** A network that this stack creates and destroys. */
export class Network extends Construct implements INetwork {
  /** A network that something else owns. The plan fails when it is not there. */
  static fromName(scope: Construct, id: string, name: string): INetwork {
    useDockerProvider(scope);
    new DataDockerNetwork(scope, id, { name });
    return { name };
  }

  readonly name: string;
  readonly publishesPorts: boolean;
  readonly dependable: ITerraformDependable;

  constructor(scope: Construct, id: string, props: NetworkProps) {
    super(scope, id);
    this.name = props.name;
    this.publishesPorts = !props.overlay;
    useDockerProvider(this);
    this.dependable = new NetworkResource(this, "Resource", {
      name: props.name,
      driver: props.overlay ? "overlay" : "bridge",
      // Containers join it, not services alone.
      attachable: props.overlay || undefined,
      internal: props.internal,
      options: optionsOf(props),
      labels: settingsLabels(this),
    });
  }
}

function optionsOf({
  internal,
  encryptedVxlanId,
}: NetworkProps): Record<string, string> | undefined {
  if (encryptedVxlanId !== undefined) {
    return {
      encrypted: "",
      "com.docker.network.driver.overlay.vxlanid_list": String(encryptedVxlanId),
    };
  }
  return internal ? { "com.docker.network.bridge.inhibit_ipv4": "true" } : undefined;
}
