import type { ClusterNodeProps } from "../constructs";
import { type ClusterName, type Environment, nodesOf } from "../environments";
import type { NetworkStack } from "./network-stack";
import { isExcluded } from "./placement";
import type { DockerStack } from "./platform-stack";
import type { StorageStack } from "./storage-stack";

/** Returns the nodes of a cluster, each on its machine and with its port and volume. */
export function clusterNodes(
  stack: DockerStack,
  environment: Environment,
  cluster: ClusterName,
  { network, storage }: { readonly network: NetworkStack; readonly storage: StorageStack },
): ClusterNodeProps[] {
  const property = cluster === "kafka" ? "kafka" : "openSearch";
  const firstHostPort = environment.hostPorts?.[property];
  return nodesOf(environment, cluster).map((node, i) => ({
    dataVolume: storage[property][i],
    scope: environment.machines && stack.of(node).after(network, storage.of(node)),
    hostPort: firstHostPort && firstHostPort + i,
    hostNetwork: network.hostOf(node),
    excluded: isExcluded(environment, node),
  }));
}
