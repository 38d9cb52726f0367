import { NAMED_CONTAINERS } from "../../constructs/grafana/query";
import { includedMachinesOf, nameOn } from "../../stacks/placement";
import type { Catalog } from "../../stacks/platform";
import { dockerAt } from "../engine/docker";
import type { Platform } from "../platform/platform";
import { jobsIn, type SynthesizedContainer, sidecarsIn } from "../synthesis/container";
import { counted, listed } from "../terminal/terminal";
import { type AcceptanceRow, checkUntilMet } from "./row";

/** Checks dashboards, logs, memory metrics and exit codes, as far as the environment has them. */
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
  const jobs = jobsIn(containers);
  const running = containers.map(({ name }) => name).filter((name) => !jobs.includes(name));
  return [
    ...(has("grafana")
      ? [
          checkUntilMet(
            "AUT-004",
            `dashboards are provisioned from files: ${catalog.dashboards.dashboards.length}`,
            () => dashboardFailures(platform, catalog),
          ),
        ]
      : []),
    ...(has("alloy")
      ? [
          checkUntilMet(
            "AUT-005",
            `Alloy collects all logs on ${environment.networks.project.name}`,
            () => logFailures(platform, containers),
          ),
        ]
      : []),
    ...(has("alloy")
      ? [
          checkUntilMet(
            "NFR-VIS",
            `memory of ${counted(running.length, "container")} is measured`,
            () => unmeasured(platform, running),
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
      return JSON.parse(output).meta.provisioned
        ? undefined
        : `${title}: not provisioned from a file`;
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
  return expected.filter((name) => !seen.includes(name)).map((name) => `${name}: no logs in Loki`);
}

/** Names the containers without a memory metric. Metrics have container ids, and the panels join the names. @internal */
export async function unmeasured(
  platform: Platform,
  running: readonly string[],
): Promise<string[]> {
  const { exitCode, output } = await platform.prometheus.query(
    `container_memory_working_set_bytes{job="integrations/cadvisor"} * ${NAMED_CONTAINERS}`,
  );
  if (exitCode !== 0) {
    return [`Prometheus: ${output}`];
  }
  const seen = (JSON.parse(output) as { metric: { name: string } }[]).map(
    ({ metric }) => metric.name,
  );
  return running
    .filter((name) => !seen.includes(name))
    .map((name) => `${name}: no memory metric in Prometheus`);
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
    .map((name) => `${name}: no exit code in Prometheus`);
}

/** Reads exit codes from the logs of the exit relays, for environments without Alloy. */
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
    .map((name) => `${name}: no exit code in the log of the exit relay`);
}
