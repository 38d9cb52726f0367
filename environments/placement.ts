import { isIP } from "node:net";
import { homedir } from "node:os";
import { nodeNames } from "../constructs/container/node-name";
import { all, validate } from "../constructs/container/validation";
import { CLUSTERS } from "../constructs/security/principals";
import type { EngineAddress, Environment, Machine } from "./environment";

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

/** A cluster, by the name that its containers begin with. */
export type ClusterName = (typeof CLUSTERS)[number];

/** Containers of all nodes of a cluster. */
export function nodesOf({ kafka, openSearch }: Environment, cluster: ClusterName): string[] {
  const count = cluster === "kafka" ? kafka.brokers : openSearch.nodes;
  return nodeNames(cluster, count);
}

/** Those of them that are not gone for now: one at least. */
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

/** Fails where the machines could not be what the platform needs of them. */
export function validateMachines(environment: Environment): void {
  const { name, machines, excludedMachines = [], placement = {} } = environment;
  if (!machines) {
    validate(
      excludedMachines.length === 0,
      () =>
        `environment "${name}" has one machine, which a deploy cannot be without: "${excludedMachines.join()}" is for one of several machines`,
    );
    validate(
      Object.keys(placement).length === 0,
      () =>
        `environment "${name}" places ${Object.keys(placement).join(", ")} and has no machines: name them in machines, or leave placement out`,
    );
    validate(
      !environment.networks.encrypted,
      () =>
        `environment "${name}" has networks.encrypted and one machine, which nothing crosses between: leave it out`,
    );
    return;
  }
  validate(
    machines.length >= 3,
    () =>
      `environment "${name}" has ${machines.length} machines (${machines.map((machine) => machine.name).join(", ")}): 3 or more, since two lose their quorum with either of them; leave machines out for a single one`,
  );
  all(
    ...machines.flatMap((machine) => [
      () =>
        validate(
          /^[a-z0-9]+$/.test(machine.name),
          () =>
            `a machine of environment "${name}" is named "${machine.name}": lower-case letters and digits are allowed`,
        ),
      () =>
        validate(
          /^(ssh|tcp|unix):\/\/.+/.test(machine.engine),
          () =>
            `the engine of machine "${machine.name}" is "${machine.engine}": ssh://user@host, tcp://host:2376 with TLS, or unix:///path`,
        ),
      () =>
        validate(
          isIP(machine.address) > 0,
          () =>
            `the address of machine "${machine.name}" is "${machine.address}": it has to be the IP address by which the other machines reach it`,
        ),
    ]),
  );
  for (const property of ["name", "engine", "address"] as const) {
    const values = machines.map((machine) => machine[property]);
    const twice = values.find((value, i) => values.indexOf(value) !== i);
    validate(
      twice === undefined,
      () =>
        `two machines of environment "${name}" have the ${property} "${twice}": each has its own`,
    );
  }
  for (const machine of excludedMachines) {
    validate(
      machines.some((one) => one.name === machine),
      () =>
        `environment "${name}" is to be deployed without "${machine}": its machines are ${machines.map((one) => one.name).join(", ")}`,
    );
  }
  validate(
    excludedMachines.length < machines.length / 2,
    () =>
      `environment "${name}" is to be deployed without ${excludedMachines.join(" and ")}, of ${machines.length} machines: the clusters need more than half of them`,
  );
  for (const [container, machine] of Object.entries(placement)) {
    validate(
      machines.some((one) => one.name === machine),
      () =>
        `environment "${name}" places ${container} on "${machine}": its machines are ${machines.map((one) => one.name).join(", ")}`,
    );
  }
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
