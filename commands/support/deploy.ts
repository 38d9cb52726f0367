import type { Environment } from "../../environments";
import { type AcceptanceRow, checkAcceptance, checkIdempotency, rerunSidecar } from "./acceptance";
import { synthesizedResources } from "./cdktf";
import { docker } from "./docker";
import { checkMachine, synthesize } from "./platform";
import { demandOf } from "./preflight";
import { type RollOptions, rollClusters } from "./rolling";
import { Run } from "./run";
import { CommandError, table } from "./terminal";

/** Deploys everything, then checks in the running platform that the deploy is finished. */
export async function deployPlatform(
  environment: Environment,
  options: RollOptions = { atOnce: false },
): Promise<void> {
  console.log(`synthesizing environment "${environment.name}" and looking at the machine ...`);
  await synthesize(environment);
  const terraform = await checkMachine(demandOf(environment, synthesizedResources()));
  console.log(
    `deploying environment "${environment.name}" with ${terraform.product} ${terraform.version} (${terraform.choice})`,
  );
  if (environment.without) {
    console.log(
      `left out, since "${environment.name}" has no image of them: ${environment.without.join(", ")}`,
    );
  }
  await removeUnstarted(environment);
  const run = new Run(environment, terraform);
  await rollClusters(run, options);
  await run.deploy();
  const sidecars = run.containers
    .filter(({ body }) => body.must_run === false)
    .map(({ body }) => body.name as string);
  console.log("checking every guarantee in the running platform ...");
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
