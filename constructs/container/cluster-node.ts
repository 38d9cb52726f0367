import type { Construct } from "constructs";
import type { INetwork } from "../network/network";
import { DataVolume, type IDataVolume } from "../storage/data-volume";
import { nodeNames } from "./node-name";
import { serviceSettingsOf } from "./settings";
import { validate } from "./validation";

/** What one node of a cluster has of its own. */
export interface ClusterNodeProps {
  /**
   * Volume with the node's data.
   *
   * @default - one that is named as the container with `-data` behind it, and that Terraform refuses to destroy
   */
  readonly dataVolume?: IDataVolume;

  /**
   * Where the node's container is declared, such as the stack of its machine. `applyServiceSettings` gives that scope the machine's
   * name, by which the cluster puts replicas on different machines.
   *
   * @default - in the cluster
   */
  readonly scope?: Construct;

  /**
   * Port on 127.0.0.1 by which clients on the host reach the node.
   *
   * @default - nothing is published on the host
   */
  readonly hostPort?: number;

  /**
   * Network that the port is published through, where the infra network publishes none.
   *
   * @default - the infra network
   */
  readonly hostNetwork?: INetwork;

  /**
   * Whether the node is gone for now: who waits for the cluster does not wait for it.
   *
   * @default false
   */
  readonly excluded?: boolean;
}

/** A node with every default filled in. */
export interface ClusterNode {
  /** Name of its container, its host and its certificate. */
  readonly name: string;
  readonly scope: Construct;
  /** Name of the machine that it is on, where there are several. */
  readonly machine?: string;
  readonly dataVolume: IDataVolume;
  readonly hostPort?: number;
  readonly hostNetwork: INetwork;
  /** What its container joins. Ports are published through the first one. */
  readonly networks: readonly INetwork[];
  readonly excluded: boolean;
}

/** What a cluster has in common for its nodes. */
interface NodesOfCluster {
  readonly containerName: string;
  readonly infraNetwork: INetwork;
  readonly projectNetwork?: INetwork;
}

/** The nodes that are given or, where only their number is, as many that are alike; three without either. */
export function countNodes(
  cluster: Construct,
  { nodes, count }: { readonly nodes?: readonly ClusterNodeProps[]; readonly count?: number },
  property: string,
): readonly ClusterNodeProps[] {
  validate(
    nodes === undefined || count === undefined || nodes.length === count,
    () => `${property} is ${count} and nodes has ${nodes?.length}: leave one of them out`,
    cluster,
  );
  validate(
    count === undefined || (Number.isInteger(count) && count >= 1),
    () => `${property} is ${count}: it has to be a whole number from 1`,
    cluster,
  );
  return nodes ?? Array.from({ length: count ?? 3 }, () => ({}));
}

/** Names the nodes of a cluster and fills in their defaults. */
export function resolveNodes(
  cluster: Construct,
  { containerName, infraNetwork, projectNetwork }: NodesOfCluster,
  nodes: readonly ClusterNodeProps[],
): ClusterNode[] {
  validate(
    /^[a-z][a-z0-9-]*$/.test(containerName),
    () =>
      `containerName is "${containerName}": allowed are lower-case letters, digits and hyphens, the first a letter, since it is in host names and certificates`,
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
