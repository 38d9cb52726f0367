import { isSameEngine } from "../../stacks/placement";
import type { Action, Change } from "../changes/change";
import { askEngine, type Engine } from "../engine/docker";
import { type Replicated, readReplicas } from "../platform/replicated";
import type { Run } from "../run/run";
import { clusterOf } from "../synthesis/container";
import { fileOf } from "../synthesis/environment";
import { firstOf, listed } from "../terminal/terminal";
import { servingOf } from "../versions/serving";

/** How many partitions or shards are named. */
const NAMED = 3;

/** A node that the plans remove from one machine and create on another, which has no volume of it. */
interface MovedNode {
  readonly cluster: string;
  readonly name: string;
  /** The machine's name, or `this machine` of an environment without machines. */
  readonly from: string;
  readonly to: string;
}

/**
 * Describes why nodes cannot move to other machines, where they start without their data: more than one of a cluster, or one with the only
 * complete replica of something.
 */
export async function describeRefusedMoves(
  run: Run,
  changes: readonly Change[],
): Promise<string[]> {
  const moved = await emptyNodes(run, changes);
  const clusters = [...new Set(moved.map(({ cluster }) => cluster))];
  const crowds = clusters
    .map((cluster) => moved.filter((node) => node.cluster === cluster))
    .filter(({ length }) => length > 1);
  if (crowds.length > 0) {
    return crowds.map((crowd) => describeCrowd(run, crowd));
  }
  if (moved.length === 0) {
    return [];
  }
  // Not the moved nodes: the platform looks for them on their new machines.
  const [[broker], [node]] = await Promise.all([
    servingOf(run.platform, "kafka"),
    servingOf(run.platform, "opensearch"),
  ]);
  const kept = await readReplicas(run.platform, { kafka: broker, opensearch: node });
  return moved.flatMap((node) => {
    const alone = typeof kept === "string" ? [] : [...kept.partitions, ...kept.shards];
    const only = alone.filter(isOnlyOn(node.name)).map(({ name }) => name);
    const loss =
      typeof kept === "string"
        ? `whether other nodes have all of it is not known: ${kept}`
        : `has the only complete replica of ${firstOf(only, NAMED).join(", ")}`;
    return typeof kept === "string" || only.length > 0
      ? [
          `${node.name} (${node.from} -> ${node.to}) would start on another machine without its data, and ${loss}: ${remedyFor(run, [node])}`,
        ]
      : [];
  });
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
    "copy the volumes to their new machines first, as docs/how-to/machines.md describes",
  ].join(", or ");
}

async function emptyNodes(run: Run, changes: readonly Change[]): Promise<MovedNode[]> {
  const { machines = [] } = run.platform.environment;
  const machineAt = (engine: Engine) =>
    machines.find((machine) => machine.engine === engine?.host)?.name ?? "this machine";
  const nodes = await Promise.all(
    run.containers.map(async (container): Promise<MovedNode[]> => {
      const cluster = clusterOf(container);
      const volume = `${container.name}-data`;
      // The volume, since a platform that was taken down has no containers.
      const stackThat = (action: Action) => {
        const found = changes.find(
          (change) => change.action === action && change.subject === `volume ${volume}`,
        );
        return run.stacks.find(({ name }) => name === found?.stack);
      };
      const [from, to] = [stackThat("destroy"), stackThat("create")];
      return cluster === undefined ||
        from === undefined ||
        to === undefined ||
        isSameEngine(from.engine, to.engine) ||
        (await exists(volume, to.engine))
        ? []
        : [
            {
              ...{ cluster, name: container.name },
              ...{ from: machineAt(from.engine), to: machineAt(to.engine) },
            },
          ];
    }),
  );
  return nodes.flat();
}

/** Whether the engine has the volume, such as one that was copied. */
async function exists(volume: string, engine: Engine): Promise<boolean> {
  return (await askEngine(engine, "volume", "inspect", volume)).exitCode === 0;
}
