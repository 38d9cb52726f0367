import { isIP } from "node:net";
import { shownAddress } from "../constructs/container/address";
import { checkDeclared } from "../constructs/container/declaration";
import { all, validate } from "../constructs/container/validation";
import { validateNetworkName } from "../constructs/network/network-name";
import { DEFAULT_RETENTION_DAYS } from "../constructs/prometheus/prometheus";
import { type ClusterName, type Environment, environmentSchema, nodesOf } from "./environment";
import { validateAddresses, validateEngine } from "./validate-addresses";

/** Throws if the environment is malformed, collides with another one, publishes a port twice, or names unknown machines. */
export function validateEnvironment(key: string, environment: Environment): void {
  checkDeclared(environmentSchema, environment, `environment "${key}"`);
  all(
    () => validateName(key, environment),
    () => validateNetworks(environment),
    () => validatePorts(environment),
    () => validateAddresses(environment),
    () => validateMachines(environment),
    () => validateDrift(environment),
  );
}

/** The alert on a missing run looks back for twice the interval: Alloy forgets the last run when it restarts. */
function validateDrift({ name, drift, prometheus }: Environment): void {
  const retentionDays = prometheus?.retentionDays ?? DEFAULT_RETENTION_DAYS;
  const neededDays = Math.ceil((2 * (drift?.everyHours ?? 0)) / 24);
  validate(
    neededDays <= retentionDays,
    () =>
      `environment "${name}" has drift.everyHours ${drift?.everyHours} and keeps metrics for ${retentionDays} days (prometheus.retentionDays): the alert DriftRunMissing needs those of twice the interval, and would fire without cause after a restart of Alloy; set drift.everyHours to ${12 * retentionDays} or less, or prometheus.retentionDays to ${neededDays} or more`,
  );
}

function validateName(key: string, { name }: Environment): void {
  validate(
    name === key,
    () =>
      `environment "${key}" in environments/index.ts has the name "${name}": a deploy would use the state and containers of "${name}"; set name to "${key}"`,
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
              `hostPorts of environment "${name}" assign port ${port} to ${other} and to ${publisher}: the nodes of a cluster use consecutive ports; set the ports further apart`,
          ),
        () =>
          validate(
            Number.isInteger(port) && port >= 1 && port <= 65535,
            () =>
              `hostPorts of environment "${name}" assign port ${port} to ${publisher}: a port is 1 to 65535`,
          ),
      ];
    }),
  );
}

function validateNetworks({ name, networks: { infra, project } }: Environment): void {
  all(
    () => validateNetworkName(infra.name),
    () => validateNetworkName(project.name),
    () =>
      validate(
        infra.name !== project.name,
        () =>
          `both networks of environment "${name}" are named "${infra.name}": applications must not join the internal network of the platform; rename one of them`,
      ),
    () =>
      validate(
        infra.name === project.name || inHostNames(infra.name) !== inHostNames(project.name),
        () =>
          `the networks of environment "${name}" are named "${infra.name}" and "${project.name}", which are the same in host names: rename one of them`,
      ),
  );
}

/** Host names have "-" for "_", and their case does not count. */
const inHostNames = (network: string) => network.replaceAll("_", "-").toLowerCase();

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

/** Throws if the machines, the exclusions or the placement are invalid. @internal */
export function validateMachines(environment: Environment): void {
  const { name, machines, excludedMachines = [], placement = {} } = environment;
  if (!machines) {
    validate(
      excludedMachines.length === 0,
      () =>
        `environment "${name}" cannot exclude machine "${excludedMachines.join()}": it has no machines; exclude machines only where several are declared`,
    );
    validate(
      Object.keys(placement).length === 0,
      () =>
        `environment "${name}" sets placement for ${Object.keys(placement).join(", ")} but has no machines: declare machines, or remove placement`,
    );
    validate(
      !environment.networks.encrypted,
      () =>
        `environment "${name}" sets networks.encrypted but has no machines: there is no traffic between machines to encrypt; remove networks.encrypted`,
    );
    return;
  }
  const count = machines.length === 1 ? "1 machine" : `${machines.length} machines`;
  validate(
    machines.length >= 3,
    () =>
      `environment "${name}" has ${count} (${machines.map((machine) => machine.name).join(", ")}): at least 3 are needed, since 2 lose their quorum if one fails; add machines, or remove the machines property to deploy to one`,
  );
  all(
    ...machines.flatMap((machine) => [
      () =>
        validate(
          /^[a-z0-9]+$/.test(machine.name),
          () =>
            `a machine of environment "${name}" is named "${machine.name}": allowed are lowercase letters and digits`,
        ),
      () => validateEngine(machine),
      () =>
        validate(
          isIP(machine.address) > 0,
          () =>
            `the address of machine "${machine.name}" is "${shownAddress(machine.address)}": it must be the IP address at which the other machines reach it`,
        ),
    ]),
  );
  for (const property of ["name", "engine", "address"] as const) {
    const values = machines.map((machine) => machine[property]);
    const twice = values.find((value, i) => values.indexOf(value) !== i);
    validate(
      twice === undefined,
      () =>
        `two machines of environment "${name}" have the ${property} "${twice}": give each machine its own`,
    );
  }
  for (const machine of excludedMachines) {
    validate(
      machines.some((one) => one.name === machine),
      () =>
        `environment "${name}" cannot exclude machine "${machine}": its machines are ${machines.map((one) => one.name).join(", ")}`,
    );
  }
  validate(
    excludedMachines.length < machines.length / 2,
    () =>
      `environment "${name}" cannot exclude ${excludedMachines.join(" and ")} of ${machines.length} machines: the clusters need more than half of their machines; exclude fewer`,
  );
  for (const [container, machine] of Object.entries(placement)) {
    validate(
      machines.some((one) => one.name === machine),
      () =>
        `environment "${name}" places ${container} on machine "${machine}": its machines are ${machines.map((one) => one.name).join(", ")}`,
    );
  }
}
