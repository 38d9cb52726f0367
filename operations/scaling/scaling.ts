import { defaultVoters, numberOfNode } from "../../constructs/container/node-name";
import { type ClusterName, nodesOf } from "../../environments";
import type { Action, Change } from "../changes/change";
import { describeFixedControllers, formerControllersIn } from "../changes/roll";
import { dockerAt, type Engine } from "../engine/docker";
import type { Moves, OnMove } from "../platform/cluster";
import type { Platform } from "../platform/platform";
import type { Run } from "../run/run";
import { clusterOf } from "../synthesis/container";
import { fileOf } from "../synthesis/environment";
import { CommandError, counted, listed } from "../terminal/terminal";
import { servingOf } from "../versions/serving";
import { describeDroppedVolumes } from "./dropped-volumes";
import { describeEmptyControllers } from "./empty-controllers";
import { describeRefusedMoves } from "./moved-nodes";
import { describeUnknownNodes } from "./unknown-nodes";

/** Interval at which the progress of a move is printed. */
const REMIND_MS = 10_000;

/** A cluster of which nodes leave or join. */
interface Scaled {
  readonly cluster: ClusterName;
  readonly leaving: readonly string[];
  readonly joining: readonly string[];
}

/** What a planned deploy moves between nodes. */
export interface Scaling {
  /** Why the deploy is not possible, each with the remedy. */
  readonly refusals: readonly string[];
  readonly moves: readonly string[];
}

/** Describes what leaving and joining nodes move in the running clusters, and what forbids that. Changes nothing. */
export async function describeScaling(run: Run): Promise<Scaling> {
  const planned = await plannedChanges(run);
  const lost = [
    ...(await describeRefusedMoves(run, planned)),
    ...(await describeDroppedVolumes(run, planned)),
    ...(await describeUnknownNodes(run, planned)),
  ];
  if (lost.length > 0) {
    return { refusals: lost, moves: [] };
  }
  const changes = planned.filter(isOfNode);
  const controllers = [
    ...refusedControllers(run, changes),
    ...(await describeEmptyControllers(run, changes)),
  ];
  if (controllers.length > 0) {
    return { refusals: controllers, moves: [] };
  }
  const found = await Promise.all(scaledIn(run, changes).map((scaled) => describe(run, scaled)));
  return {
    refusals: found.flatMap(({ refusals }) => refusals),
    moves: found.flatMap(({ moves }) => moves),
  };
}

async function describe(
  { platform }: Run,
  { cluster, leaving, joining }: Scaled,
): Promise<Scaling> {
  const [node] = await servingOf(platform, cluster);
  if (node === undefined) {
    return {
      refusals:
        leaving.length === 0
          ? []
          : [
              `${listed(leaving)} cannot hand over data, since no other node of ${cluster} answers: declare as many nodes as before, run npm run up, and remove them then`,
            ],
      moves: [],
    };
  }
  const { members } = platform.clusters[cluster];
  if (leaving.length > 0) {
    const { refusals, ...moves } = await members.describeDeparture(node, leaving);
    const removed = leaving.length === 1 ? "removes it" : "removes them";
    return refusals.length > 0
      ? { refusals, moves: [] }
      : {
          refusals,
          moves: [
            `${cluster}: before npm run up ${removed}, ${sizeOf(moves)} move from ${listed(leaving)} to the other nodes`,
          ],
        };
  }
  const { refusals, ...moves } = await members.describeArrival(node, joining);
  return {
    refusals,
    moves:
      moves.replicas > 0
        ? [`${cluster}: ${sizeOf(moves)} move to ${listed(joining)} once npm run up has added it`]
        : [],
  };
}

/**
 * Removes the nodes of clusters that lose a voter, before the others are replaced: a replaced node is not told of a voter that is not
 * declared, and would not find the cluster.
 */
export function removeVoters(run: Run): Promise<void> {
  return remove(run, losesVoter);
}

/**
 * Removes the nodes of the other clusters, after nodes were replaced: that may take longer than the alert for a missing node waits, and
 * the deploy that follows tells the alerts that fewer are expected.
 */
export async function removeNodes(run: Run): Promise<void> {
  // A roll outdates the plans of its stacks, which may remove nodes, too.
  await run.replan();
  await remove(run, (scaled) => !losesVoter(scaled));
}

/** Moves all data from nodes that the plans remove, stops them and lets their clusters forget them. Terraform then removes the containers. */
async function remove(run: Run, isMeant: (scaled: Scaled) => boolean): Promise<void> {
  const changes = (await plannedChanges(run)).filter(isOfNode);
  for (const { cluster, leaving } of scaledIn(run, changes).filter(isMeant)) {
    if (leaving.length === 0) {
      continue;
    }
    const { members } = run.platform.clusters[cluster];
    const node = await firstServing(run.platform, cluster);
    await run.stillHeld();
    console.log(`moving data from ${listed(leaving)} to the other nodes of ${cluster}`);
    await members.drain(node, leaving, progressOf(cluster));
    for (const name of leaving) {
      await run.stillHeld();
      await dockerAt(engineOfLeaving(run, changes, name), "stop", name);
    }
    await members.forget(node, leaving);
    console.log(
      `  ${listed(leaving)} ${leaving.length === 1 ? "has" : "have"} left ${cluster}, without data`,
    );
  }
}

/** Whether one of the first nodes leaves, which are those that vote. */
function losesVoter({ leaving }: Scaled): boolean {
  return leaving.some((name) => numberOfNode(name) <= defaultVoters(Number.POSITIVE_INFINITY));
}

/** Gives nodes without data their share of it, in every cluster that serves. */
export async function fillNodes({ platform }: Run): Promise<void> {
  for (const [cluster, { members }] of clustersOf(platform)) {
    const [node] = await servingOf(platform, cluster);
    if (node !== undefined) {
      await members.fill(node, progressOf(cluster));
    }
  }
}

/** Takes back what an interrupted run has set for nodes that are declared again, in every cluster that serves. */
export async function keepNodes({ platform }: Run): Promise<void> {
  for (const [cluster, { members }] of clustersOf(platform)) {
    const [node] = await servingOf(platform, cluster);
    const undone = node ? await members.keep(node, nodesOf(platform.environment, cluster)) : [];
    for (const line of undone) {
      console.log(`  ${cluster}: ${line}, which an interrupted run had left`);
    }
  }
}

function clustersOf(platform: Platform) {
  return Object.entries(platform.clusters) as [ClusterName, Platform["clusters"][string]][];
}

async function firstServing(platform: Platform, cluster: ClusterName): Promise<string> {
  const [node] = await servingOf(platform, cluster);
  if (node === undefined) {
    throw new CommandError(`${cluster}: no node answers. Run the same command again to continue`);
  }
  return node;
}

/** Returns the changes in the plans that are not applied yet. */
async function plannedChanges(run: Run): Promise<readonly Change[]> {
  const { changes } = await run.report(run.planned.filter(({ changes }) => changes));
  return changes;
}

const isOfNode = ({ node }: Change) => node !== undefined;

function scaledIn({ platform, containers }: Run, changes: readonly Change[]): Scaled[] {
  // A node that moves to another machine is removed there and created here.
  const declared = containers.filter(clusterOf).map(({ name }) => name);
  return clustersOf(platform).flatMap(([cluster]) => {
    const nodesThat = (action: Action) =>
      changes.flatMap(({ node, action: planned }) =>
        node?.cluster === cluster && planned === action ? node.name : [],
      );
    const leaving = nodesThat("destroy").filter((name) => !declared.includes(name));
    const joining = nodesThat("create");
    return leaving.length + joining.length > 0 ? [{ cluster, leaving, joining }] : [];
  });
}

/** Returns the engine that runs a node which the plans remove: the environment does not place it any more. */
function engineOfLeaving({ stacks }: Run, changes: readonly Change[], name: string): Engine {
  const change = changes.find(({ node }) => node?.name === name);
  return stacks.find((stack) => stack.name === change?.stack)?.engine;
}

function refusedControllers({ platform }: Run, changes: readonly Change[]): string[] {
  const { name } = platform.environment;
  const former = formerControllersIn(changes.flatMap(({ node }) => node ?? []));
  return former === undefined
    ? []
    : [describeFixedControllers(former, `environment "${name}" in ${fileOf(name)}`)];
}

/** Prints what is left to move, now and then. */
function progressOf(cluster: string): OnMove {
  let reminded = 0;
  return (left) => {
    if (left.replicas > 0 && Date.now() - reminded >= REMIND_MS) {
      reminded = Date.now();
      console.log(`  ${cluster}: ${sizeOf(left)} left to move`);
    }
  };
}

function sizeOf({ replicas, bytes }: Moves): string {
  return `${counted(replicas, "replica")} of about ${Math.ceil(bytes / 1024 ** 2)} MiB`;
}
