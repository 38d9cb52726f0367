import { httpScheme, KAFKA_BOOTSTRAP_SERVER, openSearchUrl } from "../../constructs";
import { type Environment, isSecured } from "../../environments";
import { includedNodesOf, isSameEngine, isSidecar, machineOf } from "../../stacks/placement";
import { checkAcceptance } from "../checks/acceptance";
import { renderAcceptance } from "../checks/row";
import { dockerAt, removeContainers } from "../engine/docker";
import { checkMachines } from "../machine/machine";
import { Platform } from "../platform/platform";
import { rollClusters } from "../rolling/rolling";
import { Run } from "../run/run";
import { waitForHealthySwarm } from "../swarm/health";
import { missingInputs } from "../synthesis/inputs";
import { synthesize } from "../synthesis/synthesize";
import { CommandError, counted, refuse, table } from "../terminal/terminal";
import { adoptUnmanaged } from "./adopt";
import { describeForeignCa } from "./foreign-ca";
import { describeObstacles, findUnmanaged, type UnmanagedResource } from "./unmanaged";

export interface DeployOptions {
  /** Whether all nodes are replaced at once, which interrupts the clusters. @default false - one at a time */
  readonly atOnce?: boolean;
  /**
   * Whether unmanaged resources of this environment are taken over: networks and volumes as they are, containers by replacing them,
   * nodes of a cluster one at a time. @default false - unmanaged resources stop the deploy
   */
  readonly adopt?: boolean;
}

/** Deploys everything, then checks every guarantee in the running platform. Throws if one does not hold. */
export async function deployPlatform(
  environment: Environment,
  { atOnce = false, adopt = false }: DeployOptions = {},
): Promise<void> {
  console.log(`synthesizing environment "${environment.name}" and checking the machine ...`);
  const stacks = await synthesize(environment);
  refuse(
    missingInputs(
      environment,
      stacks.flatMap(({ variables }) => variables),
    ),
  );
  const terraform = await checkMachines(environment, (engine) =>
    stacks
      .filter((stack) => isSameEngine(stack.engine, engine))
      .flatMap(({ resources }) => resources),
  );
  console.log(
    `deploying environment "${environment.name}" with ${terraform.product} ${terraform.version} (${terraform.choice})`,
  );
  if (environment.excludedServices) {
    console.log(
      `excluded services of environment "${environment.name}": ${environment.excludedServices.join(", ")}`,
    );
  }
  if (environment.excludedMachines) {
    console.log(
      `excluded machines, and all containers on them: ${environment.excludedMachines.join(", ")}`,
    );
  }
  await waitForHealthySwarm(environment);
  const platform = new Platform(environment);
  await removeUnstarted(platform);
  const run = new Run(platform, stacks, terraform);
  try {
    await run.plan();
    await run.keepVolumes();
    const unmanaged = await removeFinished(environment, await findUnmanaged(run.planned));
    refuse([
      ...describeObstacles(environment, unmanaged, { adopt }),
      ...(await describeForeignCa(platform)),
    ]);
    if (adopt) {
      await adoptUnmanaged(
        run,
        unmanaged.filter((resource) => resource.environment === environment.name),
      );
    } else if (!atOnce) {
      await rollClusters(run);
    }
    await run.deploy();
  } finally {
    run.forgetPlans();
  }
  console.log("checking every guarantee in the running platform ...");
  const rows = await checkAcceptance(platform, run.containers);
  console.log(`\n${renderAcceptance(rows)}`);
  const failed = rows.filter(({ failures }) => failures.length > 0);
  if (failed.length > 0) {
    throw new CommandError(
      `requirements not met: ${failed.length} of ${rows.length} (${failed.map(({ requirement }) => requirement).join(", ")}). The lines below each NO say why`,
    );
  }
  console.log(`\n${renderEndpoints(environment)}`);
}

/**
 * Removes containers that were created and never started. An interrupt at that moment leaves one that is not in the state and
 * takes the name. It never ran, so nothing is lost.
 */
async function removeUnstarted({ environment, engines }: Platform): Promise<void> {
  const filters = [
    "--filter",
    `label=groundwork.environment=${environment.name}`,
    "--filter",
    "status=created",
  ];
  for (const engine of engines) {
    const ids = await dockerAt(engine, "ps", "--all", "--quiet", ...filters);
    if (ids !== "") {
      await dockerAt(engine, "rm", ...ids.split("\n"));
      console.log(
        `  removed ${counted(ids.split("\n").length, "container")} that an interrupted deploy created but did not start`,
      );
    }
  }
}

/** Removes finished init sidecars from a machine that was gone while they ran elsewhere. They are unmanaged and keep no data. */
async function removeFinished(
  environment: Environment,
  unmanaged: readonly UnmanagedResource[],
): Promise<UnmanagedResource[]> {
  const isFinished = ({ kind, name, environment: owner }: UnmanagedResource) =>
    kind === "container" && owner === environment.name && isSidecar(name);
  const finished = environment.machines ? unmanaged.filter(isFinished) : [];
  for (const { stack, id } of finished) {
    await removeContainers(stack.engine, [id]);
  }
  return unmanaged.filter((resource) => !finished.includes(resource));
}

function renderEndpoints(environment: Environment): string {
  const { openSearch, networks } = environment;
  const project = networks.project.name;
  return table([
    ["service", "from", "address"],
    ...publishedEndpoints(environment),
    ...(openSearch.onProjectNetwork
      ? [["OpenSearch", project, openSearchUrl(isSecured(environment))]]
      : []),
    ["Kafka", project, KAFKA_BOOTSTRAP_SERVER],
  ]);
}

/** Returns the endpoints on the loopback address of each machine. */
function publishedEndpoints(environment: Environment): string[][] {
  const { name, hostPorts, excludedServices } = environment;
  if (!hostPorts) {
    return [];
  }
  const from = (container: string) => {
    const machine = machineOf(environment, container);
    return machine ? `machine ${machine.name}` : "this machine";
  };
  const scheme = httpScheme(isSecured(environment));
  const published = (cluster: "kafka" | "opensearch", firstPort: number) =>
    includedNodesOf(environment, cluster).map((node) => ({
      from: from(node),
      at: `localhost:${firstPort + Number(node.split("-")[1]) - 1}`,
    }));
  const [node] = published("opensearch", hostPorts.openSearch);
  const brokers = published("kafka", hostPorts.kafka);
  return [
    ["OpenSearch", node.from, `${scheme}://${node.at}`],
    ...[...new Set(brokers.map((broker) => broker.from))].map((machine) => [
      "Kafka",
      machine,
      brokers
        .filter((broker) => broker.from === machine)
        .map(({ at }) => at)
        .join(","),
    ]),
    ...(excludedServices?.includes("grafana")
      ? []
      : [
          [
            "Grafana",
            from("grafana"),
            `${scheme}://localhost:${hostPorts.grafana}, user admin, password in .state/${name}/grafana-admin-password`,
          ],
        ]),
  ];
}
