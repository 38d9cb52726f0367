import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { SynthesizedContainer } from "../../operations/synthesis/container";
import { PROJECT_ROOT } from "../../operations/synthesis/project";
import { table } from "../../operations/terminal/terminal";
import type { Catalog } from "../../stacks/platform";

/** The folder with the compose file that a newcomer would write. */
export const COMPOSE_EXAMPLE = join(PROJECT_ROOT, "examples", "compose");

/** The parts of a compose file that are compared or changed (https://docs.docker.com/reference/compose-file/). */
export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, object>>;
}

export interface ComposeService {
  readonly image: string;
  readonly restart?: string;
  readonly mem_limit?: string;
  readonly mem_reservation?: string;
  readonly cap_drop?: readonly string[];
  readonly logging?: object;
  readonly environment?: Readonly<Record<string, string>>;
  readonly ulimits?: object;
  readonly healthcheck?: object;
  readonly volumes?: readonly string[];
}

/** One line of the comparison. */
export interface Comparison {
  readonly what: string;
  readonly groundwork: string;
  readonly compose: string;
}

/** What a user of Groundwork writes for the same services. The templates are the same files for both. */
const DECLARATIONS = ["environments/laptop.ts", "catalog/topics.ts"].map((file) =>
  join(PROJECT_ROOT, file),
);

export function readComposeExample(): ComposeFile {
  return parse(readFileSync(join(COMPOSE_EXAMPLE, "compose.yaml"), "utf8"), { merge: true });
}

/** Compares what is declared for the same services: the containers of environment `laptop`, and those of the compose file. */
export function compareWithCompose(
  containers: readonly SynthesizedContainer[],
  { dashboards, alertGroups }: Catalog,
): Comparison[] {
  const { services, networks } = readComposeExample();
  const composed = Object.values(services);
  const running = {
    groundwork: containers.filter(({ must_run }) => must_run !== false),
    compose: composed.filter(({ restart }) => restart !== undefined),
  };
  const provisioned = (what: string) =>
    composed
      .flatMap(({ volumes = [] }) => volumes)
      .filter((mount) => mount.includes(`/etc/grafana/provisioning${what}`));
  const areThere = (...kinds: readonly (readonly unknown[])[]) =>
    kinds.map(({ length }) => (length > 0 ? "yes" : "no")) as [string, string];
  const written = readdirSync(COMPOSE_EXAMPLE)
    // Neither the page, nor a user's password in .env.
    .filter((file) => file !== "README.md" && !file.startsWith("."))
    .map((file) => join(COMPOSE_EXAMPLE, file));
  const row = (what: string, groundwork: string | number, compose: string | number) => ({
    what,
    groundwork: String(groundwork),
    compose: String(compose),
  });
  return [
    row("lines that you write", linesIn(DECLARATIONS), linesIn(written)),
    row(
      "containers with a memory limit",
      share(containers, ({ memory }) => memory > 0),
      share(composed, ({ mem_limit }) => mem_limit !== undefined),
    ),
    row(
      "containers with a memory reservation",
      share(containers, ({ memory_reservation }) => memory_reservation > 0),
      share(composed, ({ mem_reservation }) => mem_reservation !== undefined),
    ),
    row(
      "containers without unneeded Linux capabilities",
      share(containers, ({ capabilities }) => capabilities?.drop?.includes("ALL")),
      share(composed, ({ cap_drop }) => cap_drop?.includes("ALL")),
    ),
    row(
      "containers with limited logs",
      share(containers, ({ log_opts }) => log_opts?.["max-size"]),
      share(composed, ({ logging }) => logging),
    ),
    row(
      "services with a health check",
      share(running.groundwork, ({ healthcheck }) => healthcheck),
      share(running.compose, ({ healthcheck }) => healthcheck),
    ),
    row(
      "networks",
      new Set(containers.flatMap((body) => body.networks_advanced.map(({ name }) => name))).size,
      Object.keys(networks).length,
    ),
    row("dashboards", ...areThere(dashboards.dashboards, provisioned("/dashboards"))),
    row("alerts", ...areThere(alertGroups, provisioned("/alerting"))),
  ];
}

/** Renders the comparison for a terminal. */
export function comparisonTable(compared: readonly Comparison[]): string {
  return table([
    ["for the same services", "Groundwork", "examples/compose"],
    ...compared.map(({ what, groundwork, compose }) => [what, groundwork, compose]),
  ]);
}

/** Counts lines without those that are empty or a comment. */
function linesIn(files: readonly string[]): number {
  return files
    .flatMap((file) => readFileSync(file, "utf8").split("\n"))
    .filter((line) => !/^\s*($|#|\/\/|\/\*\*)/.test(line)).length;
}

function share<T>(all: readonly T[], has: (one: T) => unknown): string {
  const count = all.filter((one) => Boolean(has(one))).length;
  return count === all.length ? "all" : count === 0 ? "none" : `${count} of ${all.length}`;
}
