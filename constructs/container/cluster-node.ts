import type { Construct } from "constructs";
import type { INetwork } from "../network/network";
import { DataVolume, type IDataVolume } from "../storage/data-volume";
import { nodeNames } from "./node-name";
import { serviceSettingsOf } from "./settings";
import { validate } from "./validation";

/** The properties of one node of a cluster. */
export interface ClusterNodeProps {
  /**
   * The volume with the node's data.
   *
   * @default - a volume named `<container>-data` that Terraform refuses to destroy
   */
  readonly dataVolume?: IDataVolume;

  /**
   * The scope of the node's container, such as the stack of its machine. `applyServiceSettings` names that scope's machine, and the
   * cluster uses the name to put replicas on different machines.
   *
   * @default - the cluster
   */
  readonly scope?: Construct;

  /**
   * The port on 127.0.0.1 for clients on the host.
   *
   * @default - nothing is published on the host
   */
  readonly hostPort?: number;

  /**
   * The network that publishes the host port. Set it if the infra network publishes no ports.
   *
   * @default - the infra network
   */
  readonly hostNetwork?: INetwork;

  /**
   * Whether the node is excluded, for example because its machine is down. Nothing waits for an excluded node.
   *
   * @default false
   */
  readonly excluded?: boolean;
}

/** A node with all defaults resolved. */
export interface ClusterNode {
  /** The name of the container, the host and the certificate. */
  readonly name: string;
  readonly scope: Construct;
  /** The node's machine, if the environment has several. */
  readonly machine?: string;
  readonly dataVolume: IDataVolume;
  readonly hostPort?: number;
  readonly hostNetwork: INetwork;
  /** The networks of the container. The first one publishes the ports. */
  readonly networks: readonly INetwork[];
  readonly excluded: boolean;
}

/** What the nodes of a cluster share. */
interface NodesOfCluster {
  readonly containerName: string;
  readonly infraNetwork: INetwork;
  readonly projectNetwork?: INetwork;
}

/** Returns `nodes`, or `count` identical nodes, or three if neither is set. Throws if they contradict each other. */
export function countNodes(
  cluster: Construct,
  { nodes, count }: { readonly nodes?: readonly ClusterNodeProps[]; readonly count?: number },
  property: string,
): readonly ClusterNodeProps[] {
  validate(
    nodes === undefined || count === undefined || nodes.length === count,
    () => `${property} is ${count}, but nodes has length ${nodes?.length}: remove one of the two`,
    cluster,
  );
  validate(
    count === undefined || (Number.isInteger(count) && count >= 1),
    () => `${property} is ${count}: it must be a whole number of at least 1`,
    cluster,
  );
  return nodes ?? Array.from({ length: count ?? 3 }, () => ({}));
}

/** Names the nodes of a cluster and resolves their defaults. */
export function resolveNodes(
  cluster: Construct,
  { containerName, infraNetwork, projectNetwork }: NodesOfCluster,
  nodes: readonly ClusterNodeProps[],
): ClusterNode[] {
  validate(
    /^[a-z][a-z0-9-]*$/.test(containerName),
    () =>
      `containerName is "${containerName}": use lowercase letters, digits and hyphens, starting with a letter, since host names and certificates contain it`,
    cluster,
  );
  return nodeNames(containerName, nodes.length).map((name, i) => {
    const { hostPort, scope = cluster, hostNetwork = infraNetwork, excluded = false } = nodes[i];
    const volume = `${name}-data`;
    const dataVolume = nodes[i].dataVolume ?? new DataVolume(scope, volume, { name: volume });
    const networks = new Set([
      ...(hostPort ? [hostNetwork] : []),
      infraNetwork,
      ...(projectNetwork ? [projectNetwork] : []),
    ]);
    return {
      ...{ name, scope, dataVolume, hostPort, hostNetwork, excluded },
      networks: [...networks],
      machine: serviceSettingsOf(scope).machine,
    };
  });
}
