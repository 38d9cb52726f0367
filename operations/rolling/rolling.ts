import { imageVersion } from "../../constructs/container/image-reference";
import type { ClusterName } from "../../environments";
import { describeRoll, type Roll, type RolledNode, rollsOf } from "../changes/roll";
import { removeContainers } from "../engine/docker";
import { askEveryEngine } from "../platform/engines";
import type { Run } from "../run/run";
import { swarmProblem } from "../swarm/health";
import { clusterOf, containersOf } from "../synthesis/container";
import { poll } from "../terminal/poll";
import { CommandError, InterruptedError, listed } from "../terminal/terminal";
import { declaredImage } from "../versions/declared";
import { releaseLeftovers, whileHeld } from "./held-replicas";

/** How long to wait for a healthy cluster before its first node is replaced. */
const PATIENCE_BEFORE_MS = 60_000;

/** How long to wait after a node is back: it has to catch up with what was written without it. */
const PATIENCE_BETWEEN_MS = 15 * 60_000;

const INTERVAL_MS = 2000;

/** Interval at which the reason of a wait is printed. */
const REMIND_MS = 10_000;

/** A cluster whose nodes are replaced one at a time. */
interface Rolling {
  readonly name: string;
  /** Names of all its nodes. */
  readonly declared: readonly string[];
  /** The serving nodes to replace, in this order. */
  readonly order: readonly RolledNode[];
  /** Those of them whose replicas are held, since their version changes. */
  readonly upgraded: readonly RolledNode[];
  /** Whether other nodes have the new version already: an interrupted upgrade goes on. */
  readonly isResumed: boolean;
  /** The nodes to create or replace that do not serve. */
  readonly idle: readonly RolledNode[];
}

/**
 * Replaces the nodes of running clusters one at a time, if the plans replace any: each when the cluster is healthy, one node of each
 * cluster at a time. Throws if a node does not come back. The other nodes then keep serving, and the next run continues.
 * `unmanaged` are the names of containers that are not in the state: a plan creates them, and they are replaced like the others.
 */
export async function rollClusters(run: Run, unmanaged: readonly string[] = []): Promise<void> {
  const ofClusters = run.planned.filter(({ stack }) =>
    containersOf(stack.resources).some((container) => clusterOf(container) !== undefined),
  );
  if (!ofClusters.some(({ changes }) => changes) || (await runningNodes(run)).length === 0) {
    return;
  }
  // All plans: with several machines, a changing node is alone in its stack.
  const { changes, before } = await run.report(ofClusters);
  const rolls = rollsOf(changes, before.nodes, unmanaged);
  for (const obstacle of rolls.filter((roll) => roll.obstacle !== undefined)) {
    console.log(describeRoll(obstacle));
  }
  const feasible = rolls.filter((roll) => roll.obstacle === undefined);
  if (feasible.length > 0) {
    // The nodes need their networks and volumes.
    await run.deploy("network", "storage", "backup");
  }
  const clusters = (await Promise.all(feasible.map((roll) => begin(run, roll)))).flatMap(
    (cluster) => cluster ?? [],
  );
  if (clusters.length === 0) {
    return;
  }
  const replace = (nodes: readonly RolledNode[]) => replaceNodes(run, clusters, nodes, unmanaged);
  // Without them the cluster does not become healthy.
  await replace(clusters.flatMap(({ idle }) => idle));
  let patience = clusters.some(({ isResumed }) => isResumed)
    ? PATIENCE_BETWEEN_MS
    : PATIENCE_BEFORE_MS;
  for (let step = 0; step < Math.max(...clusters.map(({ order }) => order.length)); step++) {
    const next = clusters.filter(({ order }) => step < order.length);
    const nodes = next.map(({ order }) => order[step]);
    const names = listed(nodes.map(({ name }) => name));
    const upgraded = next.filter((cluster) => cluster.upgraded.includes(cluster.order[step]));
    await waitUntilHealthy(run, next, `before replacing ${names}`, patience, upgraded);
    await run.stillHeld();
    const held = upgraded.map(({ name }) => ({ name, serving: () => servingNodes(run, name) }));
    await whileHeld(run.platform, held, () => replace(nodes));
    patience = PATIENCE_BETWEEN_MS;
  }
  await waitUntilHealthy(run, clusters, "after replacing its last node", PATIENCE_BETWEEN_MS);
}

/**
 * Throws if a running cluster cannot take a change: to replace its nodes one at a time (`replacesNodes`), every node has to serve and every
 * replica has to be complete; otherwise one node has to answer. Accepts a platform without a running node: a deploy starts it.
 */
export async function checkClusters(
  run: Run,
  { replacesNodes }: { readonly replacesNodes: boolean },
): Promise<void> {
  if ((await runningNodes(run)).length === 0) {
    return;
  }
  const clusters = Object.keys(run.platform.clusters).map((name) => ({
    name,
    declared: declaredNodes(run, name),
  }));
  const lackNow = async () => {
    if (replacesNodes) {
      return lackOf(run, clusters, "now");
    }
    for (const { name, declared } of clusters) {
      if ((await servingNodes(run, name)).length === 0) {
        return `${name} does not answer: not serving: ${declared.join(", ")}`;
      }
    }
    return undefined;
  };
  const lack = await poll(lackNow, (lacking) => lacking === undefined, {
    intervalMs: INTERVAL_MS,
    patienceMs: PATIENCE_BEFORE_MS,
  });
  if (lack !== undefined) {
    throw new CommandError(
      `${lack}. Nothing was changed. Fix this, for example with npm run up, and run the same command again. If a machine is lost, exclude it with --exclude-machine${replacesNodes ? "; with --at-once, all nodes are replaced at once, which interrupts the clusters" : ""}`,
    );
  }
}

/** Releases the replicas that an interrupted upgrade left held. */
export function releaseReplicas(run: Run): Promise<void> {
  return releaseLeftovers(run.platform, (cluster) => servingNodes(run, cluster));
}

/** Announces the rolling replacement of a cluster. Returns undefined if no node of it serves. */
async function begin(run: Run, { cluster, replaced, added }: Roll): Promise<Rolling | undefined> {
  const serving = await servingNodes(run, cluster);
  if (serving.length === 0) {
    console.log(`${cluster}: no node is serving, so all nodes are replaced at once`);
    return undefined;
  }
  console.log(`rolling replacement of ${cluster}: ${replaced.map(({ name }) => name).join(", ")}`);
  const coordinator = await run.platform.clusters[cluster].coordinator(serving[0]);
  const upgraded = await upgradedIn(run, cluster, serving);
  const isUpgraded = ({ name }: RolledNode) => upgraded.includes(name);
  const order = replaced
    .filter(({ name }) => serving.includes(name))
    .sort((a, b) => Number(a.name === coordinator) - Number(b.name === coordinator))
    // A node of the new version may have the only copy of a shard until the others have that version.
    .sort((a, b) => Number(isUpgraded(b)) - Number(isUpgraded(a)));
  return {
    name: cluster,
    declared: declaredNodes(run, cluster),
    order,
    upgraded: order.filter(isUpgraded),
    isResumed: upgraded.length > 0 && upgraded.length < serving.length,
    idle: [...added, ...replaced.filter(({ name }) => !serving.includes(name))],
  };
}

/** Returns the serving nodes whose version changes, in a cluster that holds its replicas meanwhile. */
async function upgradedIn(
  { platform }: Run,
  cluster: string,
  serving: readonly string[],
): Promise<readonly string[]> {
  const running = platform.clusters[cluster];
  if (!running.replicas) {
    return [];
  }
  const declared = imageVersion(declaredImage(platform.environment, cluster as ClusterName));
  const versions = await running.versions(serving);
  return serving.filter((name) => declared === undefined || versions.get(name) !== declared);
}

async function replaceNodes(
  run: Run,
  clusters: readonly Rolling[],
  nodes: readonly RolledNode[],
  unmanaged: readonly string[],
): Promise<void> {
  if (nodes.length === 0) {
    return;
  }
  for (const { name } of nodes.filter((node) => unmanaged.includes(node.name))) {
    await run.stillHeld();
    await removeContainers(run.platform.engineOf(name), [name]);
  }
  try {
    await run.apply(
      run.stacks.flatMap((stack) => {
        const addresses = nodes
          .filter((node) => node.stack === stack.name)
          .map(({ address }) => address);
        return addresses.length > 0 ? [{ stack, addresses }] : [];
      }),
    );
  } catch (error) {
    if (!(error instanceof CommandError) || error instanceof InterruptedError) {
      throw error;
    }
    const left = await Promise.all(clusters.map((cluster) => describeLeft(run, cluster, nodes)));
    const lines = left.flatMap((line) => line ?? []);
    throw lines.length > 0
      ? new CommandError(
          `${lines.join("\n")}\nFix the cause and run the same command again to continue:\n${error.message}`,
        )
      : error;
  }
}

/** Describes the cluster after a failed replacement. Returns undefined if all replaced nodes serve. */
async function describeLeft(
  run: Run,
  { name, declared }: Rolling,
  nodes: readonly RolledNode[],
): Promise<string | undefined> {
  const replaced = nodes.map((node) => node.name).filter((node) => declared.includes(node));
  const serving = await servingNodes(run, name).catch((): string[] => []);
  const lost = replaced.filter((node) => !serving.includes(node));
  const others = declared.filter((node) => !lost.includes(node));
  return lost.length > 0
    ? `${name}: ${lost.join(", ")} did not come back; the other nodes (${others.join(", ")}) were left unchanged`
    : undefined;
}

/** Waits until all nodes serve, all replicas are complete, and the Swarm, if any, can give the next node its networks. */
async function waitUntilHealthy(
  run: Run,
  clusters: readonly Rolling[],
  when: string,
  patienceMs: number,
  upgraded: readonly Rolling[] = [],
): Promise<void> {
  let reminded = 0;
  const lack = await poll(
    () => lackOf(run, clusters, when, upgraded),
    (lacking) => lacking === undefined,
    {
      intervalMs: INTERVAL_MS,
      patienceMs,
      onWait(lacking) {
        if (Date.now() - reminded >= REMIND_MS) {
          reminded = Date.now();
          console.log(`  waiting: ${lacking}`);
        }
      },
    },
  );
  if (lack !== undefined) {
    throw new CommandError(
      `${lack}. No further nodes were replaced. Fix this and run the same command again, or run npm run up -- --at-once, which replaces all nodes at once and interrupts the cluster`,
    );
  }
}

/** Checks the clusters in sequence: a question to Kafka starts a JVM, which takes CPU from a starting node. */
async function lackOf(
  run: Run,
  clusters: readonly Pick<Rolling, "name" | "declared">[],
  when: string,
  upgraded: readonly Pick<Rolling, "name">[] = [],
): Promise<string | undefined> {
  for (const { name, declared } of clusters) {
    const isUpgrading = upgraded.some((cluster) => cluster.name === name);
    const serving = await servingNodes(run, name);
    const missing = declared.filter((node) => !serving.includes(node));
    const lack =
      missing.length > 0
        ? `not serving: ${missing.join(", ")}`
        : await run.platform.clusters[name].incomplete(serving[0], isUpgrading);
    if (lack !== undefined) {
      return `${name} is not healthy ${when}: ${lack}`;
    }
  }
  return swarmProblem(run.platform.environment);
}

function declaredNodes(run: Run, cluster: string): string[] {
  return run.containers
    .filter((container) => clusterOf(container) === cluster)
    .map(({ name }) => name);
}

async function servingNodes(run: Run, cluster: string): Promise<string[]> {
  const running = await runningNodes(run, cluster);
  const answers = await Promise.all(
    running.map((node) => run.platform.clusters[cluster].serves(node)),
  );
  return running.filter((_, i) => answers[i]);
}

async function runningNodes({ platform }: Run, cluster?: string): Promise<string[]> {
  const filters = [
    `label=groundwork.environment=${platform.environment.name}`,
    cluster ? `label=groundwork.cluster=${cluster}` : "label=groundwork.cluster",
    "status=running",
  ].flatMap((filter) => ["--filter", filter]);
  const { answers, gone } = await askEveryEngine(
    platform,
    ...["ps", ...filters, "--format", "{{.Names}}"],
  );
  if (gone.length > 0) {
    throw new CommandError(
      `no further nodes were replaced: ${gone.map(({ description }) => description).join("\n")}`,
    );
  }
  return answers
    .flatMap((list) => list.split("\n"))
    .filter((name) => name !== "")
    .sort();
}
