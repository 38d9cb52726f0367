import { NAMED_CONTAINERS } from "../../constructs/grafana/query";
import { includedMachinesOf, nameOn } from "../../stacks/placement";
import type { Catalog } from "../../stacks/platform";
import { tryDockerAt } from "../engine/docker";
import { goneEngine } from "../platform/engines";
import type { Platform } from "../platform/platform";
import { jobsIn, type SynthesizedContainer, sidecarsIn } from "../synthesis/container";
import { CommandError, counted, listed } from "../terminal/terminal";
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

/** Reads exit codes from the logs of the exit relays, for environments without Alloy. Throws if an engine does not answer. @internal */
export async function relayFailures(
  platform: Platform,
  sidecars: readonly string[],
): Promise<string[]> {
  const seen: string[] = [];
  const missing: string[] = [];
  for (const machine of includedMachinesOf(platform.environment)) {
    const relay = nameOn("exit-relay", machine);
    const engine = platform.engineOf(relay);
    const outcome = await tryDockerAt(engine, "logs", relay);
    if (outcome.exitCode === 0) {
      seen.push(...containersIn(outcome.output));
    } else if (/no such container/i.test(outcome.output)) {
      missing.push(`${relay}: does not exist`);
    } else {
      throw new CommandError(goneEngine(engine, machine, outcome).description);
    }
  }
  return [
    ...missing,
    ...sidecars
      .filter((name) => !seen.includes(name))
      .map((name) => `${name}: no exit code in the log of the exit relay`),
  ];
}

/** Returns the containers with an exit code in the log of an exit relay, whose last line may be incomplete. */
function containersIn(log: string): string[] {
  return log
    .split("\n")
    .filter((line) => line.endsWith("}"))
    .map((line) => JSON.parse(line))
    .filter(({ exit_code }) => exit_code !== undefined)
    .map(({ container }) => container);
}
