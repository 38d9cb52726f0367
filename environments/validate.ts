import { isIP } from "node:net";
import { checkDeclared } from "../constructs/container/declaration";
import { all, validate } from "../constructs/container/validation";
import { type ClusterName, type Environment, environmentSchema, nodesOf } from "./environment";

/** Fails where an environment is none, would take what is another one's, gives one port twice or names machines that are not there. */
export function validateEnvironment(key: string, environment: Environment): void {
  checkDeclared(environmentSchema, environment, `environment "${key}"`);
  all(
    () => validateName(key, environment),
    () => validateNetworks(environment),
    () => validatePorts(environment),
    () => validateMachines(environment),
  );
}

function validateName(key: string, { name }: Environment): void {
  validate(
    name === key,
    () =>
      `environment "${key}" in environments/index.ts has the name "${name}": it would be deployed over that one's state and containers; set name to "${key}"`,
  );
}

function validatePorts(environment: Environment): void {
  const { name, hostPorts } = environment;
  const publishers = hostPorts ? portsOf(environment, hostPorts) : [];
  all(
    ...publishers.flatMap(([port, publisher], i) => {
      const [, other] = publishers.slice(0, i).find(([taken]) => taken === port) ?? [];
      return [
        () =>
          validate(
            other === undefined,
            () =>
              `hostPorts of environment "${name}" give ${port} to ${other} and to ${publisher}: each node of a cluster takes a port, counted on from its first one; set them further apart`,
          ),
        () =>
          validate(
            Number.isInteger(port) && port >= 1 && port <= 65535,
            () =>
              `hostPorts of environment "${name}" give ${port} to ${publisher}: a port is 1 to 65535`,
          ),
      ];
    }),
  );
}

function validateNetworks({ name, networks: { infra, project } }: Environment): void {
  validate(
    infra.name !== project.name,
    () =>
      `both networks of environment "${name}" are "${infra.name}": applications would be where the platform speaks with itself, so name one of them otherwise`,
  );
}

function portsOf(
  environment: Environment,
  hostPorts: NonNullable<Environment["hostPorts"]>,
): [port: number, publisher: string][] {
  const portsOfNodes = (cluster: ClusterName, first: number) =>
    nodesOf(environment, cluster).map((node, i): [number, string] => [first + i, node]);
  return [
    ...portsOfNodes("opensearch", hostPorts.openSearch),
    ...portsOfNodes("kafka", hostPorts.kafka),
    [hostPorts.grafana, "grafana"],
  ];
}

/** Fails where the machines could not be what the platform needs of them. @internal */
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
}
