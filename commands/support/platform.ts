import { join } from "node:path";
import { describeExitCode, ValidationError } from "../../constructs";
import { type Environment, environmentNamed } from "../../environments";
import { type AcceptanceRow, checkAcceptance, checkIdempotency, rerunSidecar } from "./acceptance";
import { cdktf, PROJECT_ROOT, progressOf, synthesizedResources } from "./cdktf";
import { synthesizeTree } from "./changes/synthesis";
import { docker, tryDocker } from "./docker";
import { inspectMachine } from "./machine";
import { type Demand, demandOf, findProblems } from "./preflight";
import { CommandError, table } from "./terminal";
import type { TerraformBinary } from "./terraform";

/** The environment that GROUNDWORK_ENV names. */
export function currentEnvironment(name = process.env.GROUNDWORK_ENV): Environment {
  try {
    return environmentNamed(name);
  } catch (error) {
    throw error instanceof ValidationError ? new CommandError(error.message) : error;
  }
}

/** What the environment asks of a machine, without a synth by cdktf. */
export function demandOfEnvironment(environment: Environment): Demand {
  const stacks = synthesizeTree(PROJECT_ROOT, environment.name);
  const resources = (type: string) =>
    [...stacks].flatMap(([stack, { resource = {} }]) =>
      Object.values<Record<string, unknown>>(resource[type] ?? {}).map((body) => ({
        stack,
        type,
        body,
      })),
    );
  return demandOf(environment, resources("docker_container"), resources("docker_image"));
}

/** Deploys everything, then checks in the running platform that the deploy is finished. */
export async function deployPlatform(environment: Environment): Promise<void> {
  const logFile = logFileOf(environment);
  await synthesize(environment);
  const containers = synthesizedResources("docker_container");
  const images = synthesizedResources("docker_image");
  const terraform = await checkMachine(demandOf(environment, containers, images));
  console.log(
    `deploying environment "${environment.name}" with ${terraform.product} ${terraform.version} (${terraform.choice})`,
  );
  if (environment.without) {
    console.log(
      `left out, since "${environment.name}" has no image of them: ${environment.without.join(", ")}`,
    );
  }
  await removeUnstarted(environment);
  const errors: string[] = [];
  const exitCode = await cdktf(
    ["deploy", "*", "--auto-approve", "--skip-synth", "--skip-provider-lock", "--no-color"],
    { environment: environment.name, terraform, logFile, onLine: reportTo(errors) },
  );
  const sidecars = containers
    .filter(({ body }) => body.must_run === false)
    .map(({ body }) => body.name as string);
  if (exitCode !== 0) {
    await explainFailure(errors, sidecars, logFile);
  }
  const rows = await acceptanceAfterRepair(environment, sidecars);
  console.log(`\n${renderAcceptance(rows)}`);
  const failed = rows.filter(({ failures }) => failures.length > 0);
  if (failed.length > 0) {
    throw new CommandError(
      `${failed.length} of ${rows.length} requirements do not hold: ${failed.flatMap(({ failures }) => failures).join("; ")}`,
    );
  }
  console.log(`\n${renderEndpoints(environment)}`);
}

/** Stops and removes the containers and networks; the data volumes stay unless asked for. */
export async function destroyPlatform(
  environment: Environment,
  { volumes }: { readonly volumes: boolean },
): Promise<void> {
  const logFile = logFileOf(environment);
  const env = volumes ? { GROUNDWORK_DESTROY_VOLUMES: "confirmed" } : {};
  await synthesize(environment, env);
  const terraform = await checkMachine();
  const errors: string[] = [];
  // One stack a call: cdktf 0.21 never ends when it is to destroy several and leave one that they depend on.
  const destroy = (layer: string) =>
    cdktf(
      [
        ...["destroy", `${environment.name}-${layer}`, "--auto-approve", "--skip-synth"],
        ...["--skip-provider-lock", "--ignore-missing-stack-dependencies", "--no-color"],
      ],
      { environment: environment.name, terraform, logFile, env, onLine: reportTo(errors) },
    );
  // Not alerting: what it declares lies in Grafana's volume, stays with it and goes with it.
  const steps = [
    ["data", "messaging", "observability"],
    ["network"],
    ...(volumes ? [["storage"]] : []),
  ];
  for (const layers of steps) {
    const exitCodes = await Promise.all(layers.map(destroy));
    if (exitCodes.some((exitCode) => exitCode !== 0)) {
      await explainFailure(errors, [], logFile);
    }
  }
  console.log(
    volumes
      ? `environment "${environment.name}" is gone, its data volumes too`
      : `environment "${environment.name}" is down; its data volumes are kept`,
  );
}

function logFileOf(environment: Environment): string {
  return join(PROJECT_ROOT, ".state", environment.name, "terraform.log");
}

/** Writes the stacks to cdktf.out, shows their warnings, or fails with the declaration's error. */
export async function synthesize(environment: Environment, env = {}): Promise<void> {
  const logFile = logFileOf(environment);
  const lines: string[] = [];
  const exitCode = await cdktf(["synth"], {
    environment: environment.name,
    logFile,
    env,
    onLine: (line) => lines.push(line),
  });
  if (exitCode !== 0) {
    const error = lines.find((line) => /^\s*\S*Error: /.test(line));
    throw new CommandError(error?.replace(/^\s*\S*Error: /, "") ?? lines.join("\n"));
  }
  for (const line of lines) {
    const [, warning] = /WARN \[.*?\]: (.*)/.exec(line) ?? [];
    if (warning) {
      console.warn(`warning: ${warning}`);
    }
  }
}

/** Fails with everything that stands in the way, before Terraform runs. */
export async function checkMachine(demand?: Demand): Promise<TerraformBinary> {
  const machine = await inspectMachine(demand);
  const problems = findProblems(machine, demand);
  if (problems.length > 0 || !machine.terraform) {
    throw new CommandError(
      ["nothing was changed, because:", ...problems.map((problem) => `- ${problem}`)].join("\n"),
    );
  }
  return machine.terraform;
}

/**
 * An interrupt between the engine's making a container and the provider's hearing of it leaves one that no state knows, and
 * whose name is taken. It never ran, so nothing is lost with it.
 */
async function removeUnstarted({ name }: Environment): Promise<void> {
  const filters = [
    "--filter",
    `label=groundwork.environment=${name}`,
    "--filter",
    "status=created",
  ];
  const ids = await docker("ps", "--all", "--quiet", ...filters);
  if (ids !== "") {
    await docker("rm", ...ids.split("\n"));
    console.log(
      `  removed ${ids.split("\n").length} containers that an interrupted deploy left before they had started`,
    );
  }
}

/** How many lines after an error's first say more about it. */
const ERROR_DETAIL_LINES = 6;

/** Prints the progress and collects the errors. */
function reportTo(errors: string[]): (line: string) => void {
  let last = "";
  let detail = 0;
  return (line) => {
    const progress = progressOf(line);
    if (progress && progress !== last) {
      console.log(`  ${progress}`);
      last = progress;
    }
    const [error] = /(?<=^|\s)(Error: |Error running command).*/.exec(line) ?? [];
    if (error) {
      errors.push(error);
      detail = ERROR_DETAIL_LINES;
    } else if (detail > 0 && line.trim() !== "" && !/Stacks? deploying/.test(line)) {
      errors.push(`  ${line.trim()}`);
      detail--;
    }
  };
}

async function explainFailure(
  errors: readonly string[],
  sidecars: readonly string[],
  logFile: string,
): Promise<never> {
  const explanations: string[] = [];
  for (const sidecar of sidecars) {
    const { output } = await tryDocker("inspect", "--format", "{{.State.ExitCode}}", sidecar);
    const exitCode = Number(output);
    if (exitCode > 0) {
      const log = await docker("logs", "--tail", "10", sidecar);
      explanations.push(
        `${sidecar} ended with ${exitCode}, ${describeExitCode(exitCode)}; its last lines:\n${log}`,
      );
    }
  }
  throw new CommandError(
    [...new Set(errors), ...explanations, `the whole output is in ${logFile}`].join("\n"),
  );
}

/** Checks, lets a sidecar restore what does not hold any more, such as a topic deleted by hand, and checks again. */
async function acceptanceAfterRepair(
  environment: Environment,
  sidecars: readonly string[],
): Promise<AcceptanceRow[]> {
  const containers = synthesizedResources("docker_container");
  // Here, since the synth has found it sound by now.
  const { catalog } = await import("../../catalog");
  const check = () => checkAcceptance(environment, catalog, containers);
  let rows = await check();
  const broken = rows.filter(({ failures }) => failures.length > 0);
  const reruns = broken.flatMap(({ restoredBy }) => restoredBy ?? []);
  for (const sidecar of reruns) {
    const { exitCode, created, reconciled } = await rerunSidecar(sidecar);
    console.log(
      `  ${sidecar} run again, since a guarantee did not hold: exit code ${exitCode}, ${created} created, ${reconciled} reconciled`,
    );
  }
  if (reruns.length > 0) {
    rows = await check();
  }
  return [...rows, await checkIdempotency(sidecars)];
}

function renderAcceptance(rows: readonly AcceptanceRow[]): string {
  return table([
    ["requirement", "holds", "guarantee"],
    ...rows.flatMap(({ requirement, guarantee, failures }) => [
      [requirement, failures.length === 0 ? "yes" : "NO", guarantee],
      ...failures.map((failure) => ["", "", failure]),
    ]),
  ]);
}

function renderEndpoints({
  name,
  hostPorts,
  openSearch,
  kafka,
  networks,
  without,
}: Environment): string {
  const sequence = (count: number, render: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => render(i)).join(",");
  const project = networks.project.name;
  return table([
    ["service", "from", "at"],
    ...(hostPorts
      ? [
          ["OpenSearch", "this machine", `http://localhost:${hostPorts.openSearch}`],
          [
            "Kafka",
            "this machine",
            sequence(kafka.brokers, (i) => `localhost:${hostPorts.kafka + i}`),
          ],
          ...(without?.includes("grafana")
            ? []
            : [
                [
                  "Grafana",
                  "this machine",
                  `http://localhost:${hostPorts.grafana}, user admin, password in .state/${name}/grafana-admin-password`,
                ],
              ]),
        ]
      : []),
    ...(openSearch.onProjectNetwork ? [["OpenSearch", project, "http://opensearch:9200"]] : []),
    ["Kafka", project, "kafka:9092"],
  ]);
}
