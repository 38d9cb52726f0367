import { validate } from "../constructs/container/validation";
import { LOKI_PROXY } from "../constructs/loki/loki-proxy";
import { BACKUP_PRINCIPAL } from "../constructs/opensearch/backup";
import { nodeOfCertificates } from "../constructs/security/node-certificates";
import { CLUSTERS } from "../constructs/security/principals";
import {
  type ClusterName,
  type EngineAddress,
  type Environment,
  type Machine,
  nodesOf,
  votersOf,
} from "../environments";
import { homeFolder } from "../environments/home-folder";
import { validateEngineAddress } from "../environments/validate-addresses";

/** Services that run on every machine, with the machine's name as suffix. */
const EVERYWHERE = ["alloy", "engine-proxy", "exit-relay"];

const SIDECARS = ["kafka-init", "os-backup", "os-init", "os-security"];

/** Returns the machines of an environment; a single `undefined` if it declares none. */
export function machinesOf({ machines }: Environment): readonly (Machine | undefined)[] {
  return machines ?? [undefined];
}

/** Returns whether a container is a sidecar of a cluster. It has no data of its own, so it can run on any machine. */
export function isSidecar(container: string): boolean {
  return SIDECARS.includes(container);
}

/** Returns the machines of an environment that are not excluded. */
export function includedMachinesOf(environment: Environment): readonly (Machine | undefined)[] {
  return machinesOf(environment).filter(
    (machine) => !machine || !environment.excludedMachines?.includes(machine.name),
  );
}

/** Returns whether a container is on an excluded machine. */
export function isExcluded(environment: Environment, container: string): boolean {
  return !includedMachinesOf(environment).includes(machineOf(environment, container));
}

/** Returns the nodes of a cluster that are not on excluded machines: at least one. */
export function includedNodesOf(environment: Environment, cluster: ClusterName): string[] {
  return nodesOf(environment, cluster).filter((node) => !isExcluded(environment, node));
}

/** Returns the container name of a service that runs on every machine. */
export function nameOn(service: string, machine: Machine | undefined): string {
  return machine ? `${service}-${machine.name}` : service;
}

/** Returns the machine of a container, or `undefined` if the environment declares no machines. */
export function machineOf(environment: Environment, container: string): Machine | undefined {
  const { machines, placement = {} } = environment;
  if (!machines) {
    return undefined;
  }
  const named = (name: string) => machines.find((machine) => machine.name === name);
  const node = nodeOfCertificates(container);
  if (node !== undefined) {
    return machineOf(environment, node);
  }
  if (container === LOKI_PROXY) {
    return machineOf(environment, "loki");
  }
  if (Object.hasOwn(placement, container)) {
    return named(placement[container]);
  }
  if (container === BACKUP_PRINCIPAL && environment.backup?.repository.kind === "volume") {
    // Beside the volume.
    return machineOf(environment, nodesOf(environment, "opensearch")[0]);
  }
  if (isSidecar(container)) {
    return includedMachinesOf(environment)[0];
  }
  const [, service, suffix] = /^(.+)-([a-z0-9]+)$/.exec(container) ?? [];
  if (EVERYWHERE.includes(service)) {
    return named(suffix);
  }
  const place = CLUSTERS.map((cluster) => nodesOf(environment, cluster).indexOf(container));
  return machines[Math.max(0, ...place) % machines.length];
}

/** Returns the address of the Docker engine on a machine. */
export function addressOf({ engine }: Machine): EngineAddress {
  return { host: engine };
}

/** Returns the engine of a machine or, without a machine, of the environment. `undefined` is the engine that the docker command uses. */
export function engineAt(
  environment: Environment,
  machine: Machine | undefined,
): EngineAddress | undefined {
  return machine ? addressOf(machine) : environment.engine;
}

/** Returns the engine of a container. */
export function engineOf(environment: Environment, container: string): EngineAddress | undefined {
  return engineAt(environment, machineOf(environment, container));
}

/** Returns the engines of all machines that are not excluded. */
export function enginesOf(environment: Environment): (EngineAddress | undefined)[] {
  return includedMachinesOf(environment).map((machine) => engineAt(environment, machine));
}

export function isSameEngine(one?: EngineAddress, other?: EngineAddress): boolean {
  return one?.host === other?.host;
}

/**
 * Returns the environment with this engine and its socket. An environment with machines is returned unchanged. Throws if the engine's
 * address has a password.
 */
export function withEngine(environment: Environment, engine?: EngineAddress): Environment {
  if (environment.machines || !engine) {
    return environment;
  }
  validateEngineAddress(
    engine.context ? `the engine of Docker context "${engine.context}"` : "DOCKER_HOST",
    engine.host,
  );
  const [, path] = /^unix:\/\/(.*)$/.exec(engine.host) ?? [];
  // A socket in the home directory leads into a virtual machine, where the engine's socket has another path.
  const home = homeFolder();
  const socket = home !== undefined && path?.startsWith(`${home}/`) ? undefined : path;
  return { ...environment, engine, engineSocket: environment.engineSocket ?? socket };
}

/** What the nodes of a cluster are that vote. */
export const VOTERS: Readonly<Record<ClusterName, string>> = {
  kafka: "controllers",
  opensearch: "cluster-manager-eligible nodes",
};

/** Throws if excluded machines have half of the nodes that vote, or more. */
export function validateQuorums(environment: Environment): void {
  const { name, excludedMachines = [] } = environment;
  for (const cluster of CLUSTERS) {
    const voters = votersOf(environment, cluster);
    const gone = voters.filter((node) => isExcluded(environment, node));
    validate(
      gone.length < voters.length / 2 || gone.length === 0,
      () =>
        `environment "${name}" cannot exclude ${excludedMachines.length === 1 ? "machine" : "machines"} ${excludedMachines.join(" and ")}: ${gone.join(", ")} of ${voters.length} ${VOTERS[cluster]} would be missing, and ${cluster} needs more than half of them; correct placement`,
    );
  }
}
