import { NAMED_CONTAINERS } from "../../constructs/grafana/query";
import { includedMachinesOf, nameOn } from "../../stacks/placement";
import type { Catalog } from "../../stacks/platform";
import { dockerAt } from "../engine/docker";
import type { Platform } from "../platform/platform";
import { type SynthesizedContainer, sidecarsIn } from "../synthesis/container";
import { listed } from "../terminal/terminal";
import { type AcceptanceRow, checkUntilMet } from "./row";

/** What the platform has of observability, looked at from the outside. */
export function observabilityChecks(
  platform: Platform,
  catalog: Catalog,
  containers: readonly SynthesizedContainer[],
): Promise<AcceptanceRow>[] {
  const { environment } = platform;
  const has = (service: string) =>
    includedMachinesOf(environment).every((machine) =>
      containers.some(({ name }) => [service, nameOn(service, machine)].includes(name)),
    );
  const sidecars = sidecarsIn(containers);
  const running = containers.map(({ name }) => name).filter((name) => !sidecars.includes(name));
  return [
    ...(has("grafana")
      ? [
          checkUntilMet(
            "AUT-004",
            `dashboards provisioned from files: ${catalog.dashboards.dashboards.length}`,
            () => dashboardFailures(platform, catalog),
          ),
        ]
      : []),
    ...(has("alloy")
      ? [
          checkUntilMet(
            "AUT-005",
            `Alloy reads the logs on ${environment.networks.project.name}`,
            () => logFailures(platform, containers),
          ),
        ]
      : []),
    ...(has("alloy")
      ? [
          checkUntilMet("NFR-VIS", `memory of ${running.length} containers is measured`, () =>
            unmeasured(platform, running),
          ),
        ]
      : []),
    checkUntilMet("NFR-VIS", `exit codes of ${listed(sidecars)} are captured`, () =>
      has("alloy") ? exitCodeFailures(platform, sidecars) : relayFailures(platform, sidecars),
    ),
  ];
}

async function dashboardFailures(platform: Platform, { dashboards }: Catalog): Promise<string[]> {
  const failures = await Promise.all(
    dashboards.dashboards.map(async ({ uid, title }) => {
      const { exitCode, output } = await platform.grafana.get(`/api/dashboards/uid/${uid}`);
      if (exitCode !== 0) {
        return `${title}: ${output}`;
      }
      return JSON.parse(output).meta.provisioned ? undefined : `${title}: not from a file`;
    }),
  );
  return failures.filter((failure) => failure !== undefined);
}

async function logFailures(
  platform: Platform,
  containers: readonly SynthesizedContainer[],
): Promise<string[]> {
  const { project } = platform.environment.networks;
  const expected = containers
    .filter(({ networks_advanced }) => networks_advanced.some(({ name }) => name === project.name))
    .map(({ name }) => name);
  const { exitCode, output } = await platform.loki.get("/loki/api/v1/label/container/values");
  if (exitCode !== 0) {
    return [`Loki: ${output}`];
  }
  const seen: string[] = JSON.parse(output).data ?? [];
  return expected
    .filter((name) => !seen.includes(name))
    .map((name) => `${name}: no line of its log has reached Loki`);
}

/** What a container needs is measured by its id, under which the panels look for it by name. @internal */
export async function unmeasured(
  platform: Platform,
  running: readonly string[],
): Promise<string[]> {
  const { exitCode, output } = await platform.prometheus.query(
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
  platform: Platform,
  sidecars: readonly string[],
): Promise<string[]> {
  const { exitCode, output } = await platform.prometheus.query("groundwork_container_exit_code");
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
async function relayFailures(platform: Platform, sidecars: readonly string[]): Promise<string[]> {
  const logs = await Promise.all(
    includedMachinesOf(platform.environment)
      .map((machine) => nameOn("exit-relay", machine))
      .map((relay) => dockerAt(platform.engineOf(relay), "logs", relay)),
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
