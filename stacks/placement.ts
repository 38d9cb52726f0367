import { homedir } from "node:os";
import { validate } from "../constructs/container/validation";
import { CLUSTERS } from "../constructs/security/principals";
import {
  type ClusterName,
  type EngineAddress,
  type Environment,
  type Machine,
  nodesOf,
} from "../environments";

/** What runs on every machine has the machine's name behind its own. */
const EVERYWHERE = ["alloy", "engine-proxy", "exit-relay"];

const SIDECARS = ["kafka-init", "os-init", "os-security"];

/** The machines of an environment; the one without a name where there are not several. */
export function machinesOf({ machines }: Environment): readonly (Machine | undefined)[] {
  return machines ?? [undefined];
}

/** Whether a container is an init sidecar, which keeps nothing and so may run anywhere. */
export function isSidecar(container: string): boolean {
  return SIDECARS.includes(container);
}

/** Those of them that are not gone for now. */
export function includedMachinesOf(environment: Environment): readonly (Machine | undefined)[] {
  return machinesOf(environment).filter(
    (machine) => !machine || !environment.excludedMachines?.includes(machine.name),
  );
}

/** Whether a container is on a machine that is gone for now. */
export function isExcluded(environment: Environment, container: string): boolean {
  return !includedMachinesOf(environment).includes(machineOf(environment, container));
}

/** Containers of the nodes of a cluster that are not gone for now: one at least. */
export function includedNodesOf(environment: Environment, cluster: ClusterName): string[] {
  return nodesOf(environment, cluster).filter((node) => !isExcluded(environment, node));
}

/** Name of the container of a service that every machine has one of, where there are several. */
export function nameOn(service: string, machine: Machine | undefined): string {
  return machine ? `${service}-${machine.name}` : service;
}

/** The machine that a container is on; nothing where the environment has but one. */
export function machineOf(environment: Environment, container: string): Machine | undefined {
  const { machines, placement = {} } = environment;
  if (!machines) {
    return undefined;
  }
  const named = (name: string) => machines.find((machine) => machine.name === name);
  if (Object.hasOwn(placement, container)) {
    return named(placement[container]);
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

/** The engine of one of several machines. */
export function addressOf({ engine }: Machine): EngineAddress {
  return { host: engine };
}

/** The engine of a machine, or of an environment without machines; nothing where the docker command finds it. */
export function engineAt(
  environment: Environment,
  machine: Machine | undefined,
): EngineAddress | undefined {
  return machine ? addressOf(machine) : environment.engine;
}

/** The engine of a container. */
export function engineOf(environment: Environment, container: string): EngineAddress | undefined {
  return engineAt(environment, machineOf(environment, container));
}

/** All engines of an environment, but for those that are gone for now. */
export function enginesOf(environment: Environment): (EngineAddress | undefined)[] {
  return includedMachinesOf(environment).map((machine) => engineAt(environment, machine));
}

export function isSameEngine(one?: EngineAddress, other?: EngineAddress): boolean {
  return one?.host === other?.host;
}

/** The environment with that engine and its socket; as it is where its machines name their own. */
export function withEngine(environment: Environment, engine?: EngineAddress): Environment {
  if (environment.machines || !engine) {
    return environment;
  }
  const [, path] = /^unix:\/\/(.*)$/.exec(engine.host) ?? [];
  // A socket in the home directory leads into a virtual machine, which has the engine's own elsewhere.
  const socket = path?.startsWith(`${homedir()}/`) ? undefined : path;
  return { ...environment, engine, engineSocket: environment.engineSocket ?? socket };
}

/** Throws if excluded machines have half of a cluster's nodes or more. */
export function validateQuorums(environment: Environment): void {
  const { name, excludedMachines = [] } = environment;
  for (const cluster of CLUSTERS) {
    const nodes = nodesOf(environment, cluster);
    const gone = nodes.filter((node) => isExcluded(environment, node));
    validate(
      gone.length < nodes.length / 2 || gone.length === 0,
      () =>
        `environment "${name}" is to be deployed without ${excludedMachines.join(" and ")}, where ${gone.join(", ")} are, of ${nodes.length} nodes: ${cluster} needs more than half of them; correct placement`,
    );
  }
}
