import { checkDeclared } from "../constructs/container/declaration";
import { all, validate } from "../constructs/container/validation";
import { type Environment, environmentSchema } from "./environment";
import { type ClusterName, nodesOf, validateMachines } from "./placement";

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
