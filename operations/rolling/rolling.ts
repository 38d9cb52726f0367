import { describeRoll, type Roll, type RolledNode, rollsOf } from "../changes/roll";
import { removeContainers } from "../engine/docker";
import { askEveryEngine } from "../platform/engines";
import type { Run } from "../run/run";
import { swarmProblem } from "../swarm/health";
import { clusterOf, containersOf } from "../synthesis/container";
import { poll } from "../terminal/poll";
import { CommandError, InterruptedError, listed } from "../terminal/terminal";

/** How long a cluster may take to be healthy before its first node is touched. */
const PATIENCE_BEFORE_MS = 60_000;

/** How long it may take after a node is back, which has to catch up with what was written meanwhile. */
const PATIENCE_BETWEEN_MS = 15 * 60_000;

const INTERVAL_MS = 2000;

/** How often the cause of a wait is told. */
const TELL_MS = 10_000;

/** A cluster whose nodes are replaced one after the other. */
interface Rolling {
  readonly name: string;
  /** Names of all its nodes. */
  readonly declared: readonly string[];
  /** The nodes that are replaced and serve, in that order. */
  readonly order: readonly RolledNode[];
  /** The nodes to be made that serve nobody yet or any more. */
  readonly idle: readonly RolledNode[];
}

/**
 * Where the plans replace nodes of a cluster that runs, replaces them one after the other, each when the cluster is healthy; of several
 * clusters one of each at a time. Stops with the clusters serving when one does not come back; what is left is for the next run. Unmanaged containers
 * are containers that the state does not know, by name: a plan makes them, and they are replaced all the same.
 */
export async function rollClusters(run: Run, unmanaged: readonly string[] = []): Promise<void> {
  const ofClusters = run.planned.filter(({ stack }) =>
    containersOf(stack.resources).some((container) => clusterOf(container) !== undefined),
  );
  if (!ofClusters.some(({ changes }) => changes) || (await runningNodes(run)).length === 0) {
    return;
  }
  // All of them, since on several machines one that changes is alone in its stack.
  const { changes, before } = await run.report(ofClusters);
  const rolls = rollsOf(changes, before.nodes, unmanaged);
  for (const obstacle of rolls.filter((roll) => roll.obstacle !== undefined)) {
    console.log(describeRoll(obstacle));
  }
  const feasible = rolls.filter((roll) => roll.obstacle === undefined);
  if (feasible.length > 0) {
    // What the nodes join has to be there first.
    await run.deploy("network", "storage");
  }
  const clusters = (await Promise.all(feasible.map((roll) => begin(run, roll)))).flatMap(
    (cluster) => cluster ?? [],
  );
  if (clusters.length === 0) {
    return;
  }
  const replace = (nodes: readonly RolledNode[]) => replaceNodes(run, clusters, nodes, unmanaged);
  // A cluster that lacks them is not healthy before they are there.
  await replace(clusters.flatMap(({ idle }) => idle));
  let patience = PATIENCE_BEFORE_MS;
  for (let step = 0; step < Math.max(...clusters.map(({ order }) => order.length)); step++) {
    const next = clusters.filter(({ order }) => step < order.length);
    const nodes = next.map(({ order }) => order[step]);
    const names = listed(nodes.map(({ name }) => name));
    await waitUntilHealthy(run, next, `before the turn of ${names}`, patience);
    await replace(nodes);
    patience = PATIENCE_BETWEEN_MS;
  }
  await waitUntilHealthy(run, clusters, "after its last node", PATIENCE_BETWEEN_MS);
}

/** Says what is rolled; nothing where no node of it serves. */
async function begin(run: Run, { cluster, replaced, added }: Roll): Promise<Rolling | undefined> {
  const serving = await servingNodes(run, cluster);
  if (serving.length === 0) {
    console.log(`${cluster}: no node of it serves, so all are replaced at once`);
    return undefined;
  }
  console.log(`${cluster} is rolled: ${replaced.map(({ name }) => name).join(", ")}`);
  const coordinator = await run.platform.clusters[cluster].coordinator(serving[0]);
  return {
    name: cluster,
    declared: run.containers
      .filter((container) => clusterOf(container) === cluster)
      .map(({ name }) => name),
    order: replaced
      .filter(({ name }) => serving.includes(name))
      .sort((a, b) => Number(a.name === coordinator) - Number(b.name === coordinator)),
    idle: [...added, ...replaced.filter(({ name }) => !serving.includes(name))],
  };
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
          `${lines.join("\n")}; correct what is wrong and run the same command again\n${error.message}`,
        )
      : error;
  }
}

/** What has become of a cluster of which nodes were being replaced, where one of them does not serve. */
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
    ? `${name}: ${lost.join(", ")} did not come back, so the others (${others.join(", ")}) were left as they are`
    : undefined;
}

/** Waits for all nodes, for all that they hold to be in as many places as it should, and for what gives the next one its networks. */
async function waitUntilHealthy(
  run: Run,
  clusters: readonly Rolling[],
  when: string,
  patienceMs: number,
): Promise<void> {
  let told = 0;
  const lack = await poll(
    () => lackOf(run, clusters, when),
    (lacking) => lacking === undefined,
    {
      intervalMs: INTERVAL_MS,
      patienceMs,
      onWait(lacking) {
        if (Date.now() - told >= TELL_MS) {
          told = Date.now();
          console.log(`  waits: ${lacking}`);
        }
      },
    },
  );
  if (lack !== undefined) {
    throw new CommandError(
      `${lack}; nothing more was replaced. Mend that and run the same command again, or npm run up -- --at-once to replace all nodes together, without serving meanwhile`,
    );
  }
}

/** One after the other: what is asked of Kafka takes a JVM, and the CPUs from a node that starts. */
async function lackOf(
  run: Run,
  clusters: readonly Rolling[],
  when: string,
): Promise<string | undefined> {
  for (const { name, declared } of clusters) {
    const serving = await servingNodes(run, name);
    const missing = declared.filter((node) => !serving.includes(node));
    const lack =
      missing.length > 0
        ? `${missing.join(", ")} does not serve`
        : await run.platform.clusters[name].incomplete(serving[0]);
    if (lack !== undefined) {
      return `${name} is not healthy ${when}: ${lack}`;
    }
  }
  return swarmProblem(run.platform.environment);
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
      `nothing more was replaced: ${gone.map(({ description }) => description).join("\n")}`,
    );
  }
  return answers
    .flatMap((list) => list.split("\n"))
    .filter((name) => name !== "")
    .sort();
}
