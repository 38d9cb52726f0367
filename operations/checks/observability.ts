import { NAMED_CONTAINERS } from "../../constructs/grafana/query";
import type { Environment } from "../../environments";
import { engineAt, nameOn, presentMachinesOf } from "../../environments/placement";
import type { Catalog } from "../../stacks/platform";
import { askGrafana, askLoki, askPrometheus } from "../clusters/ask";
import { dockerAt } from "../engine/docker";
import { type SynthesizedContainer, sidecarsIn } from "../synthesis/container";
import { listed } from "../terminal/terminal";
import { type AcceptanceRow, lookUntilHeld } from "./row";

/** What the environment has of observability, looked at from the outside. */
export function observabilityChecks(
  environment: Environment,
  catalog: Catalog,
  containers: readonly SynthesizedContainer[],
): Promise<AcceptanceRow>[] {
  const has = (service: string) =>
    presentMachinesOf(environment).every((machine) =>
      containers.some(({ name }) => [service, nameOn(service, machine)].includes(name)),
    );
  const sidecars = sidecarsIn(containers);
  const running = containers.map(({ name }) => name).filter((name) => !sidecars.includes(name));
  return [
    ...(has("grafana")
      ? [
          lookUntilHeld(
            "AUT-004",
            `dashboards provisioned from files: ${catalog.dashboards.dashboards.length}`,
            () => dashboardFailures(environment, catalog),
          ),
        ]
      : []),
    ...(has("alloy")
      ? [
          lookUntilHeld(
            "AUT-005",
            `Alloy reads the logs on ${environment.networks.project.name}`,
            () => logFailures(environment, containers),
          ),
        ]
      : []),
    ...(has("alloy")
      ? [
          lookUntilHeld("NFR-VIS", `memory of ${running.length} containers is measured`, () =>
            unmeasured(environment, running),
          ),
        ]
      : []),
    lookUntilHeld("NFR-VIS", `exit codes of ${listed(sidecars)} are captured`, () =>
      has("alloy") ? exitCodeFailures(environment, sidecars) : relayFailures(environment, sidecars),
    ),
  ];
}

async function dashboardFailures(
  environment: Environment,
  { dashboards }: Catalog,
): Promise<string[]> {
  const failures = await Promise.all(
    dashboards.dashboards.map(async ({ uid, title }) => {
      const { exitCode, output } = await askGrafana(environment, `/api/dashboards/uid/${uid}`);
      if (exitCode !== 0) {
        return `${title}: ${output}`;
      }
      return JSON.parse(output).meta.provisioned ? undefined : `${title}: not from a file`;
    }),
  );
  return failures.filter((failure) => failure !== undefined);
}

async function logFailures(
  environment: Environment,
  containers: readonly SynthesizedContainer[],
): Promise<string[]> {
  const expected = containers
    .filter(({ networks_advanced }) =>
      networks_advanced.some(({ name }) => name === environment.networks.project.name),
    )
    .map(({ name }) => name);
  const { exitCode, output } = await askLoki(environment, "/loki/api/v1/label/container/values");
  if (exitCode !== 0) {
    return [`Loki: ${output}`];
  }
  const seen: string[] = JSON.parse(output).data ?? [];
  return expected
    .filter((name) => !seen.includes(name))
    .map((name) => `${name}: no line of its log has reached Loki`);
}

/** What a container needs is measured by its id, under which the panels look for it by name. */
export async function unmeasured(
  environment: Environment,
  running: readonly string[],
): Promise<string[]> {
  const { exitCode, output } = await askPrometheus(
    environment,
    `container_memory_working_set_bytes * ${NAMED_CONTAINERS}`,
  );
  if (exitCode !== 0) {
    return [`Prometheus: ${output}`];
  }
  const seen = (JSON.parse(output) as { metric: { name: string } }[]).map(
    ({ metric }) => metric.name,
  );
  return running
    .filter((name) => !seen.includes(name))
    .map((name) => `${name}: Prometheus has no memory of it`);
}

async function exitCodeFailures(
  environment: Environment,
  sidecars: readonly string[],
): Promise<string[]> {
  const { exitCode, output } = await askPrometheus(environment, "groundwork_container_exit_code");
  if (exitCode !== 0) {
    return [`Prometheus: ${output}`];
  }
  const seen = (JSON.parse(output) as { metric: { container: string } }[]).map(
    ({ metric }) => metric.container,
  );
  return sidecars
    .filter((name) => !seen.includes(name))
    .map((name) => `${name}: Prometheus has no exit code of it`);
}

/** Where there is no Alloy: what the relay says. */
async function relayFailures(
  environment: Environment,
  sidecars: readonly string[],
): Promise<string[]> {
  const logs = await Promise.all(
    presentMachinesOf(environment).map((machine) =>
      dockerAt(engineAt(environment, machine), "logs", nameOn("exit-relay", machine)),
    ),
  );
  const seen = logs
    .flatMap((log) => log.split("\n"))
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line))
    .filter(({ exit_code }) => exit_code !== undefined)
    .map(({ container }) => container);
  return sidecars
    .filter((name) => !seen.includes(name))
    .map((name) => `${name}: the relay has not said how it ended`);
}
