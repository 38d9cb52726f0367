import { httpScheme } from "../../constructs";
import { type Environment, isSecured } from "../../environments";
import type { Catalog } from "../../stacks/platform";

const TITLES = ["Logs", "Kafka", "OpenSearch"];

/** Returns a line for each dashboard's address, or why there is none. */
export function dashboardLinks(environment: Environment, { dashboards }: Catalog): string[] {
  const { excludedServices, grafana, hostPorts, machines, name } = environment;
  if (excludedServices?.includes("grafana")) {
    return [`no dashboards: Grafana is in excludedServices of environment ${name}`];
  }
  const published =
    hostPorts && `${httpScheme(isSecured(environment))}://localhost:${hostPorts.grafana}`;
  const url = grafana.rootUrl?.replace(/\/$/, "") ?? published;
  if (url === undefined) {
    return [
      `no links: environment ${name} has neither grafana.rootUrl nor hostPorts: Grafana is reached in another way`,
    ];
  }
  const where = !grafana.rootUrl && machines ? ", on the machine of Grafana" : "";
  return dashboards.dashboards
    .filter(({ title }) => TITLES.includes(title))
    .map(({ title, uid }) => `dashboard ${title}: ${url}/d/${uid}${where}`);
}
