import { setTimeout } from "node:timers/promises";
import { clusterOf } from "./changes/change";
import { planReport } from "./changes/plan";
import { describeRoll, type Roll, type RolledNode } from "./changes/roll";
import { CLUSTERS } from "./clusters";
import { docker } from "./docker";
import type { Run } from "./run";
import { CommandError, InterruptedError } from "./terminal";

export interface RollOptions {
  /** Leaves all to Terraform, which replaces every node at once. */
  readonly atOnce: boolean;
}

/** How long a cluster may take to be whole before its first node is touched. */
const PATIENCE_BEFORE_MS = 60_000;

/** How long it may take after a node is back, which has to catch up with what was written meanwhile. */
const PATIENCE_BETWEEN_MS = 15 * 60_000;

const INTERVAL_MS = 2000;

/** How often the cause of a wait is told. */
const TELL_MS = 10_000;

/**
 * Where the plan replaces nodes of a cluster, replaces them one after the other, each when the cluster is whole. Stops with the cluster
 * serving when one does not come back; what is left is for the next run.
 */
export async function rollClusters(run: Run, { atOnce }: RollOptions): Promise<void> {
  const nodes = run.containers.filter(({ body }) => clusterOf(body) !== undefined);
  const running = await runningNodes(run);
  if (atOnce || running.length === 0) {
    return;
  }
  const stacks = [...new Set(nodes.map(({ stack }) => stack))];
  const { rolls } = await planReport(run.environment, run.terraform, stacks);
  for (const obstacle of rolls.filter((roll) => roll.obstacle !== undefined)) {
    console.log(describeRoll(obstacle));
  }
  const feasible = rolls.filter((roll) => roll.obstacle === undefined);
  if (feasible.length > 0) {
    // What the nodes join has to be there first.
    await run.deploy("network", "storage");
  }
  for (const roll of feasible) {
    await rollCluster(
      run,
      roll,
      nodes
        .filter(({ body }) => clusterOf(body) === roll.cluster)
        .map(({ body }) => body.name as string),
    );
  }
}

async function rollCluster(run: Run, roll: Roll, declared: readonly string[]): Promise<void> {
  const cluster = { run, roll, declared };
  const serving = await servingNodes(cluster);
  if (serving.length === 0) {
    console.log(`${roll.cluster}: no node of it serves, so all are replaced at once`);
    return;
  }
  console.log(`${roll.cluster} is rolled: ${roll.replaced.map(({ name }) => name).join(", ")}`);
  // They serve nobody yet or any more; a cluster that lacks them is not whole before they are there.
  await replace(cluster, [
    ...roll.added,
    ...roll.replaced.filter(({ name }) => !serving.includes(name)),
  ]);
  const coordinator = await CLUSTERS[roll.cluster].coordinator(serving[0], run.environment);
  const order = roll.replaced
    .filter(({ name }) => serving.includes(name))
    .sort((a, b) => Number(a.name === coordinator) - Number(b.name === coordinator));
  let patience = PATIENCE_BEFORE_MS;
  for (const node of order) {
    await waitUntilWhole(cluster, `before ${node.name} is replaced`, patience);
    await replace(cluster, [node]);
    patience = PATIENCE_BETWEEN_MS;
  }
  await waitUntilWhole(cluster, "after its last node", PATIENCE_BETWEEN_MS);
}

/** A cluster that is being rolled. */
interface Rolling {
  readonly run: Run;
  readonly roll: Roll;
  /** Names of all its nodes. */
  readonly declared: readonly string[];
}

async function replace({ run, roll, declared }: Rolling, nodes: readonly RolledNode[]) {
  if (nodes.length === 0) {
    return;
  }
  try {
    await run.apply(
      roll.stack,
      nodes.map(({ address }) => address),
    );
  } catch (error) {
    const names = nodes.map(({ name }) => name);
    const others = declared.filter((name) => !names.includes(name));
    throw error instanceof CommandError && !(error instanceof InterruptedError)
      ? new CommandError(
          `${roll.cluster}: ${names.join(", ")} did not come back, so the others (${others.join(", ")}) were left as they are; correct what is wrong and run the same command again\n${error.message}`,
        )
      : error;
  }
}

/** Waits for all nodes, and for all that they hold to be in as many places as it should. */
async function waitUntilWhole(cluster: Rolling, when: string, patienceMs: number): Promise<void> {
  const { run, roll, declared } = cluster;
  const deadline = Date.now() + patienceMs;
  let told = 0;
  for (;;) {
    const serving = await servingNodes(cluster);
    const missing = declared.filter((name) => !serving.includes(name));
    const lack =
      missing.length > 0
        ? `${missing.join(", ")} does not serve`
        : await CLUSTERS[roll.cluster].incomplete(serving[0], run.environment);
    if (lack === undefined) {
      return;
    }
    if (Date.now() > deadline) {
      throw new CommandError(
        `${roll.cluster} is not whole ${when}: ${lack}; nothing more was replaced. Mend that and run the same command again, or npm run up -- --at-once to replace all nodes together, without serving meanwhile`,
      );
    }
    if (Date.now() - told >= TELL_MS) {
      told = Date.now();
      console.log(`  ${roll.cluster}: waits until it is whole ${when}: ${lack}`);
    }
    await setTimeout(INTERVAL_MS);
  }
}

async function servingNodes({ run, roll }: Rolling): Promise<string[]> {
  const running = await runningNodes(run, roll.cluster);
  const { serves } = CLUSTERS[roll.cluster];
  const answers = await Promise.all(running.map((node) => serves(node, run.environment)));
  return running.filter((_, i) => answers[i]);
}

async function runningNodes({ environment }: Run, cluster?: string): Promise<string[]> {
  const filters = [
    `label=groundwork.environment=${environment.name}`,
    cluster ? `label=groundwork.cluster=${cluster}` : "label=groundwork.cluster",
    "status=running",
  ].flatMap((filter) => ["--filter", filter]);
  const names = await docker("ps", ...filters, "--format", "{{.Names}}");
  return names.split("\n").filter((name) => name !== "");
}
