import { checkDeclared } from "../constructs/service/declaration";
import { all, validate } from "../constructs/service/validation";
import { type Environment, environmentSchema } from "./environment";
import { validateMachines } from "./placement";

/** Fails where an environment is none, would take what is another one's, gives one port twice or names machines that are not there. */
export function validateEnvironment(key: string, environment: Environment): void {
  checkDeclared(environmentSchema, environment, `environment "${key}"`);
  all(
    () => validateName(key, environment),
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
  const seen = new Map<number, string>();
  for (const [port, publisher] of publishers) {
    const other = seen.get(port);
    validate(
      other === undefined,
      () =>
        `hostPorts of environment "${name}" give ${port} to ${other} and to ${publisher}: each node of a cluster takes a port, counted on from its first one; set them further apart`,
    );
    validate(
      Number.isInteger(port) && port >= 1 && port <= 65535,
      () => `hostPorts of environment "${name}" give ${port} to ${publisher}: a port is 1 to 65535`,
    );
    seen.set(port, publisher);
  }
}

function portsOf(
  { openSearch, kafka }: Environment,
  hostPorts: NonNullable<Environment["hostPorts"]>,
): [port: number, publisher: string][] {
  const nodesOf = (cluster: string, first: number, count: number) =>
    Array.from({ length: count }, (_, i): [number, string] => [first + i, `${cluster}-${i + 1}`]);
  return [
    ...nodesOf("opensearch", hostPorts.openSearch, openSearch.nodes),
    ...nodesOf("kafka", hostPorts.kafka, kafka.brokers),
    [hostPorts.grafana, "grafana"],
  ];
}
