import { type ClusterName, votersOf } from "../../environments";
import { isSameEngine } from "../../stacks/placement";
import type { Action, Change } from "../changes/change";
import type { Engine } from "../engine/docker";
import { type Replicated, readReplicas } from "../platform/replicated";
import type { Run } from "../run/run";
import { clusterOf } from "../synthesis/container";
import { fileOf } from "../synthesis/environment";
import { firstOf, listed } from "../terminal/terminal";
import { servingOf } from "../versions/serving";
import { existsVolume } from "../volumes/exists";

/** How many partitions or shards are named. */
const NAMED = 3;

/** A node that the plans start with an empty volume. */
interface EmptyNode {
  readonly cluster: ClusterName;
  readonly name: string;
  readonly to: string;
}

/** One that the plans remove from another machine. */
interface MovedNode extends EmptyNode {
  /** The machine's name, or `this machine` of an environment without machines. */
  readonly from: string;
}

/**
 * Describes why nodes cannot move to other machines, where they start without their data: more than one of a cluster, one with the only
 * complete replica of something, one without which the other voters are no majority, or one whose machine is not declared any more.
 */
export async function describeRefusedMoves(
  run: Run,
  changes: readonly Change[],
): Promise<string[]> {
  const { moved, added } = await emptyNodes(run, changes);
  const clusters = [...new Set(moved.map(({ cluster }) => cluster))];
  const crowds = clusters
    .map((cluster) => moved.filter((node) => node.cluster === cluster))
    .filter(({ length }) => length > 1);
  if (crowds.length > 0) {
    return crowds.map((crowd) => describeCrowd(run, crowd));
  }
  if (moved.length + added.length === 0) {
    return [];
  }
  // Not the moved nodes: the platform looks for them on their new machines.
  const [kafka, opensearch] = await Promise.all([
    servingOf(run.platform, "kafka"),
    servingOf(run.platform, "opensearch"),
  ]);
  const serving = { kafka, opensearch };
  if (moved.length === 0 && kafka.length + opensearch.length === 0) {
    return [];
  }
  const kept = await readReplicas(run.platform, { kafka: kafka[0], opensearch: opensearch[0] });
  const data = typeof kept === "string" ? [] : [...kept.partitions, ...kept.shards];
  const holders = [...new Set(data.flatMap(({ nodes }) => nodes))];
  return [
    ...moved.flatMap((node) => {
      const [loss] = [
        ...describeLostVotes(run, node, serving[node.cluster]),
        ...(typeof kept === "string"
          ? [`whether other nodes have all of it is not known: ${kept}`]
          : describeOnlyReplicas(data, node)),
      ];
      return loss === undefined
        ? []
        : [
            `${node.name} (${node.from} -> ${node.to}) would start on another machine without its data, and ${loss}: ${remedyFor(run, [node])}`,
          ];
    }),
    ...added
      .filter(({ name }) => holders.includes(name))
      .map(
        ({ name, to }) =>
          `${name} still runs on a machine that is not declared any more, and a second one would start on ${to} without its data: declare the machine again, move its nodes with placement, one node of a cluster in a deploy, and remove it then`,
      ),
  ];
}

function describeOnlyReplicas(data: readonly Replicated[], { name }: MovedNode): string[] {
  const only = data.filter(isOnlyOn(name)).map((replicated) => replicated.name);
  return only.length > 0
    ? [`has the only complete replica of ${firstOf(only, NAMED).join(", ")}`]
    : [];
}

/** Voters keep what belongs to no replica, such as topics and users. */
function describeLostVotes(
  { platform }: Run,
  { cluster, name }: MovedNode,
  serving: readonly string[],
): string[] {
  const voters = votersOf(platform.environment, cluster);
  if (!voters.includes(name)) {
    return [];
  }
  const others = voters.filter((voter) => voter !== name);
  const silent = others.filter((voter) => !serving.includes(voter));
  return others.length < 2
    ? [`${cluster} has no other voter${others.map((other) => ` than ${other}`).join("")}`]
    : silent.length > 0
      ? [
          `of the other voters of ${cluster}, ${listed(silent)} ${silent.length === 1 ? "does" : "do"} not answer`,
        ]
      : [];
}

const isOnlyOn =
  (name: string) =>
  ({ nodes }: Replicated) =>
    nodes.length === 1 && nodes[0] === name;

function describeCrowd(run: Run, crowd: readonly MovedNode[]): string {
  const [{ cluster }, ...others] = crowd;
  const names = crowd.map(({ name, from, to }) => `${name} (${from} -> ${to})`);
  return `${listed(names)} would start on other machines without their data, and only one node of ${cluster} may do so in a deploy: ${remedyFor(run, others)}`;
}

/** Says how the nodes stay where they are, or keep their data. */
function remedyFor({ platform }: Run, nodes: readonly MovedNode[]): string {
  const { name, machines = [] } = platform.environment;
  const placed = nodes
    .filter(({ from }) => machines.some((machine) => machine.name === from))
    .map(({ name: node, from }) => `"${node}": "${from}"`);
  return [
    ...(placed.length > 0
      ? [
          `set placement: { ${placed.join(", ")} } of environment "${name}" in ${fileOf(name)}, which keeps ${nodes.length === 1 ? "it there" : "them there"}`,
        ]
      : []),
    "copy the volumes to their new machines after npm run down, as docs/how-to/machines.md describes",
  ].join(", or ");
}

async function emptyNodes(
  run: Run,
  changes: readonly Change[],
): Promise<{ readonly moved: readonly MovedNode[]; readonly added: readonly EmptyNode[] }> {
  const { machines } = run.platform.environment;
  const machineAt = (engine: Engine) =>
    machines?.find((machine) => machine.engine === engine?.host)?.name ?? "this machine";
  const isOf = (change: Change, name: string) =>
    change.subject === `volume ${name}-data` || change.node?.name === name;
  const stackThat = (action: Action, name: string) => {
    const found = changes.find((change) => change.action === action && isOf(change, name));
    return run.stacks.find((stack) => stack.name === found?.stack);
  };
  const nodes = run.containers.flatMap((container) => {
    const cluster = clusterOf(container) as ClusterName | undefined;
    return cluster ? [{ cluster, name: container.name }] : [];
  });
  const isCreated = ({ name }: { readonly name: string }) =>
    stackThat("create", name) !== undefined;
  const running = new Set(nodes.filter((node) => !isCreated(node)).map(({ cluster }) => cluster));
  const moved: MovedNode[] = [];
  const added: EmptyNode[] = [];
  for (const { cluster, name } of nodes.filter(isCreated)) {
    const [from, to] = [stackThat("destroy", name), stackThat("create", name)];
    const node = { cluster, name, to: machineAt(to?.engine) };
    const hasVolume = () => existsVolume(`${name}-data`, to?.engine);
    // While the node runs, a volume elsewhere is one that it had before.
    const runs = changes.some(
      (change) => change.action === "destroy" && change.node?.name === name,
    );
    if (from) {
      if (!isSameEngine(from.engine, to?.engine) && (runs || !(await hasVolume()))) {
        moved.push({ ...node, from: machineAt(from.engine) });
      }
    } else if (machines && running.has(cluster) && !(await hasVolume())) {
      added.push(node);
    }
  }
  return { moved, added };
}
