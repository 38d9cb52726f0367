import { setTimeout } from "node:timers/promises";
import type { Environment } from "../../environments";
import type { Catalog } from "../../stacks/platform";
import type { AcceptanceRow } from "./acceptance";
import type { SynthesizedResource } from "./cdktf";
import { docker, tryDocker } from "./docker";

/** How long what was just deployed may take to show in what collects it. */
const PATIENCE_SECONDS = 60;

/** What the environment has of observability, looked at from the outside. */
export function observabilityChecks(
  environment: Environment,
  catalog: Catalog,
  containers: readonly SynthesizedResource[],
): Promise<AcceptanceRow>[] {
  const has = (name: string) => containers.some(({ body }) => body.name === name);
  const sidecars = containers
    .filter(({ body }) => body.must_run === false)
    .map(({ body }) => body.name as string);
  return [
    ...(has("grafana")
      ? [
          check(
            "AUT-004",
            `dashboards provisioned from files: ${catalog.dashboards.dashboards.length}`,
            () => dashboardFailures(catalog),
          ),
        ]
      : []),
    ...(has("alloy")
      ? [
          check("AUT-005", `Alloy reads the logs on ${environment.networks.project.name}`, () =>
            logFailures(environment, containers),
          ),
        ]
      : []),
    check("NFR-VIS", `exit codes of ${sidecars.join(" and ")} are captured`, () =>
      has("alloy") ? exitCodeFailures(sidecars) : relayFailures(sidecars),
    ),
  ];
}

/** Looks again until there is no failure or patience ends. */
async function check(
  requirement: string,
  guarantee: string,
  look: () => Promise<string[]>,
): Promise<AcceptanceRow> {
  const deadline = Date.now() + PATIENCE_SECONDS * 1000;
  let failures = await look();
  while (failures.length > 0 && Date.now() < deadline) {
    await setTimeout(2000);
    failures = await look();
  }
  return { requirement, guarantee, failures };
}

async function dashboardFailures({ dashboards }: Catalog): Promise<string[]> {
  // The password stays inside the container.
  const get = (path: string) =>
    tryDocker(
      ...["exec", "grafana", "sh", "-c"],
      `wget -q -O - "http://admin:$GF_SECURITY_ADMIN_PASSWORD@127.0.0.1:3000${path}"`,
    );
  const failures = await Promise.all(
    dashboards.dashboards.map(async ({ uid, title }) => {
      const { exitCode, output } = await get(`/api/dashboards/uid/${uid}`);
      if (exitCode !== 0) {
        return `${title}: ${output}`;
      }
      return JSON.parse(output).meta.provisioned ? undefined : `${title}: not from a file`;
    }),
  );
  return failures.filter((failure) => failure !== undefined);
}

async function logFailures(
  { networks }: Environment,
  containers: readonly SynthesizedResource[],
): Promise<string[]> {
  const expected = containers
    .filter(({ body }) =>
      (body.networks_advanced as { name: string }[]).some(
        ({ name }) => name === networks.project.name,
      ),
    )
    .map(({ body }) => body.name as string);
  // Loki's image has no client; OpenSearch's has curl.
  const { exitCode, output } = await tryDocker(
    ...["exec", "opensearch-1", "curl", "--fail", "--silent", "--show-error", "--max-time", "10"],
    `http://loki.${networks.infra.name}:3100/loki/api/v1/label/container/values`,
  );
  if (exitCode !== 0) {
    return [`Loki: ${output}`];
  }
  const seen: string[] = JSON.parse(output).data ?? [];
  return expected
    .filter((name) => !seen.includes(name))
    .map((name) => `${name}: no line of its log has reached Loki`);
}

async function exitCodeFailures(sidecars: readonly string[]): Promise<string[]> {
  const { exitCode, output } = await tryDocker(
    ...["exec", "prometheus", "promtool", "query", "instant", "--format", "json"],
    ...["http://127.0.0.1:9090", "groundwork_container_exit_code"],
  );
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
async function relayFailures(sidecars: readonly string[]): Promise<string[]> {
  const log = await docker("logs", "exit-relay");
  const seen = log
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ exit_code }) => exit_code !== undefined)
    .map(({ container }) => container);
  return sidecars
    .filter((name) => !seen.includes(name))
    .map((name) => `${name}: the relay has not said how it ended`);
}
