import { DataDockerNetwork } from "@cdktf/provider-docker/lib/data-docker-network";
import { Network as NetworkResource } from "@cdktf/provider-docker/lib/network";
import type { ITerraformDependable } from "cdktf";
import { Construct } from "constructs";
import { useDockerProvider } from "../container/docker-provider";
import { settingsLabels } from "../container/settings";
import { validateNetworkName } from "./network-name";

/** A network that containers join by name. */
export interface INetwork {
  readonly name: string;

  /**
   * Whether the Docker engine publishes ports through the network. An overlay network cannot be reached from the machine.
   *
   * @default true
   */
  readonly publishesPorts?: boolean;

  /**
   * The resource that containers of the same stack depend on.
   *
   * @default - none: the network exists before the stack
   */
  readonly dependable?: ITerraformDependable;
}

export interface NetworkProps {
  /** The name in the Docker engine. Containers on the network resolve each other as `<container>.<name>`. */
  readonly name: string;

  /**
   * Whether the network is isolated: its containers reach only each other, and nothing else reaches them. The host has no address on it.
   *
   * @default false
   */
  readonly internal?: boolean;

  /**
   * Whether the network spans all machines of a Docker Swarm.
   *
   * @default false - a bridge on one machine
   */
  readonly overlay?: boolean;

  /**
   * The VXLAN id of an overlay that encrypts traffic between machines (IPsec, which requires ESP in their kernels). An id that the Docker
   * engine chose would be drift in every plan.
   *
   * @default - traffic between machines is not encrypted
   */
  readonly encryptedVxlanId?: number;
}

/** A Docker network that this stack creates and destroys. */
export class Network extends Construct implements INetwork {
  /** Returns a network that this stack does not own. The plan fails if it does not exist. */
  static fromName(scope: Construct, id: string, name: string): INetwork {
    validateNetworkName(name, scope);
    useDockerProvider(scope);
    new DataDockerNetwork(scope, id, { name });
    return { name };
  }

  readonly name: string;
  readonly publishesPorts: boolean;
  readonly dependable: ITerraformDependable;

  constructor(scope: Construct, id: string, props: NetworkProps) {
    super(scope, id);
    validateNetworkName(props.name, this);
    this.name = props.name;
    this.publishesPorts = !props.overlay;
    useDockerProvider(this);
    this.dependable = new NetworkResource(this, "Resource", {
      name: props.name,
      driver: props.overlay ? "overlay" : "bridge",
      // So that containers can join, not only services.
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
