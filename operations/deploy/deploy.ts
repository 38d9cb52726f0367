import {
  httpScheme,
  KAFKA_BOOTSTRAP_SERVER,
  KAFKA_CERTIFICATE_BOOTSTRAP_SERVER,
  openSearchUrl,
} from "../../constructs";
import { numberOfNode } from "../../constructs/container/node-name";
import { type Environment, isSecured } from "../../environments";
import { hasCertificateListener } from "../../stacks/messaging-stack";
import { includedNodesOf, machineOf } from "../../stacks/placement";
import { checkAcceptance } from "../checks/acceptance";
import { renderAcceptance } from "../checks/row";
import { findLeftOver } from "../inventory/inventory";
import { renderLeftOver } from "../inventory/item";
import type { StillHeld } from "../lock/still-held";
import { unlessSilent } from "../platform/silent";
import { releaseReplicas, rollClusters } from "../rolling/rolling";
import { fillNodes, keepNodes, removeNodes, removeVoters } from "../scaling/scaling";
import { declaredCatalog } from "../synthesis/environment";
import { CommandError, table } from "../terminal/terminal";
import { createsOnly } from "../terraform/terraform";
import { adoptUnmanaged } from "./adopt";
import { confirmDataLoss, confirmOnceStarted } from "./data-loss";
import { prepareDeploy } from "./prepare";
import { retireSecrets } from "./retire";

export interface DeployOptions {
  /** Whether all nodes are replaced at once, which interrupts the clusters. @default false - one at a time */
  readonly atOnce?: boolean;
  /**
   * Whether unmanaged resources of this environment are taken over: networks and volumes as they are, containers by replacing them,
   * nodes of a cluster one at a time. @default false - unmanaged resources stop the deploy
   */
  readonly adopt?: boolean;
  /** Whether nodes are replaced that do not change, which ends every connection to them. @default false */
  readonly replaceNodes?: boolean;
  /** Whether declared changes may delete stored records, such as a shorter retention. @default false - asks on a terminal, or refuses */
  readonly allowDataLoss?: boolean;
  /** Throws if another command may change the environment, too. @default - nothing is locked */
  readonly stillHeld?: StillHeld;
}

/** Deploys everything, then checks every guarantee in the running platform. Throws if one does not hold. */
export async function deployPlatform(
  environment: Environment,
  {
    atOnce = false,
    adopt = false,
    replaceNodes,
    allowDataLoss = false,
    stillHeld,
  }: DeployOptions = {},
): Promise<void> {
  const { platform, run, adopts, unmanaged } = await prepareDeploy(environment, {
    ...{ adopt, replaceNodes, stillHeld },
  });
  try {
    const uncompared = allowDataLoss ? [] : await confirmDataLoss(run);
    // An interrupted deploy leaves nothing in a platform without volumes.
    const isFirst = !adopts && unmanaged.length === 0 && run.planned.every(createsOnly);
    // Somebody may have thought about that for hours.
    await run.stillHeld();
    await run.keepVolumes();
    await releaseReplicas(run);
    await keepNodes(run);
    await removeVoters(run);
    if (adopts) {
      await adoptUnmanaged(
        run,
        unmanaged.filter((resource) => resource.environment === environment.name),
      );
    } else if (!atOnce) {
      await rollClusters(run);
    }
    await confirmOnceStarted(run, uncompared, unmanaged);
    await run.stillHeld();
    await removeNodes(run);
    await run.deploy();
    if (!isFirst) {
      await run.stillHeld();
      // Again, for a cluster or node that did not serve before.
      await releaseReplicas(run);
      await keepNodes(run);
      await fillNodes(run);
    }
  } finally {
    run.forgetPlans();
  }
  retireSecrets(environment);
  console.log("checking every guarantee in the running platform ...");
  const unknown: string[] = [];
  const [rows, leftOver] = await Promise.all([
    checkAcceptance(platform, run.containers),
    unlessSilent(findLeftOver(platform, declaredCatalog()), [], unknown),
  ]);
  console.log(`\n${renderAcceptance(rows)}`);
  if (leftOver.length > 0) {
    console.log(`\n${renderLeftOver(leftOver)}`);
  }
  for (const failure of unknown) {
    console.warn(`warning: what is left over is not known: ${failure}`);
  }
  const failed = rows.filter(({ failures }) => failures.length > 0);
  if (failed.length > 0) {
    throw new CommandError(
      `requirements not met: ${failed.length} of ${rows.length} (${failed.map(({ requirement }) => requirement).join(", ")}). The lines below each NO say why`,
    );
  }
  console.log(`\n${renderEndpoints(environment)}`);
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
    ...(hasCertificateListener(environment, declaredCatalog().applications)
      ? [["Kafka, with a certificate", project, KAFKA_CERTIFICATE_BOOTSTRAP_SERVER]]
      : []),
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
      at: `localhost:${firstPort + numberOfNode(node) - 1}`,
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
