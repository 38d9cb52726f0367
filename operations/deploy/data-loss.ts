import { TOPICS_FILE } from "../../constructs/kafka/declared-topics";
import { BACKUP_VOLUME } from "../../constructs/opensearch/backup";
import { isResourceFile } from "../../constructs/opensearch/declared-resource";
import { nodeOfCertificates } from "../../constructs/security/node-certificates";
import type { ClusterName } from "../../environments";
import type { Change } from "../changes/change";
import { keepsData } from "../changes/kept-data";
import { unlessSilent } from "../platform/silent";
import type { Run } from "../run/run";
import { clusterOf, containersOf } from "../synthesis/container";
import { confirm } from "../terminal/confirm";
import { poll } from "../terminal/poll";
import { CommandError, listed, refuse } from "../terminal/terminal";
import { servingOf } from "../versions/serving";
import { LIVE_DATA_LOSS } from "./live-data-loss";
import type { UnmanagedResource } from "./unmanaged";

const ALLOW = "npm run up -- --allow-data-loss";

const UNCHANGED = "no changes made";
const STARTED = "the nodes run, and nothing was changed in the clusters";

/** How long to wait until a cluster answers whose nodes are healthy. */
const PATIENCE_MS = 60_000;
const INTERVAL_MS = 2000;

/** The topics or retention policies that have no former declaration in the plans. */
export interface NewlyDeclaredIn {
  readonly cluster: ClusterName;
  readonly names: readonly string[];
}

interface DataLoss {
  /** The stored data that the deploy deletes. */
  readonly losses: readonly string[];
  /** What could not be compared with its cluster, which does not serve. */
  readonly unknown: readonly NewlyDeclaredIn[];
}

/** Compares the declarations with the former ones in the plans, and those without a former one with the clusters. */
async function findDataLoss(run: Run): Promise<DataLoss> {
  const plans = run.planned.filter(
    ({ changes, stack }) =>
      changes &&
      containersOf(stack.resources).some(
        (container) =>
          keepsData(container) ||
          (container.upload ?? []).some(({ file }) => file === TOPICS_FILE || isResourceFile(file)),
      ),
  );
  const { changes } = await run.report(plans);
  const losses = changes.flatMap(({ dataLoss = [] }) => dataLoss);
  const unknown: NewlyDeclaredIn[] = [];
  for (const newly of newlyDeclaredIn(changes)) {
    const live = await liveDataLoss(run, newly);
    losses.push(...(live ?? []));
    unknown.push(...(live === undefined ? [newly] : []));
  }
  return { losses, unknown };
}

function newlyDeclaredIn(changes: readonly Change[]): NewlyDeclaredIn[] {
  const all = changes.flatMap(({ newlyDeclared = [] }) => newlyDeclared);
  const namesOf = (kind: string) => all.flatMap((one) => (one.kind === kind ? one.name : []));
  return [
    { cluster: "kafka" as const, names: namesOf("topic") },
    { cluster: "opensearch" as const, names: namesOf("retention-policy") },
  ].filter(({ names }) => names.length > 0);
}

/** Returns undefined if the cluster does not answer, and adds the reason to the failures. */
async function liveDataLoss(
  { platform }: Run,
  { cluster, names }: NewlyDeclaredIn,
  failures: string[] = [],
): Promise<string[] | undefined> {
  if ((await servingOf(platform, cluster)).length === 0) {
    failures.push("no node serves");
    return undefined;
  }
  return unlessSilent<string[] | undefined>(
    LIVE_DATA_LOSS[cluster](platform, names),
    undefined,
    failures,
  );
}

/**
 * Asks before a deploy that deletes stored records. Throws if the user says no, or cannot be asked. Returns what it could not compare, since
 * a cluster does not serve yet: `confirmOnceStarted` does.
 */
export async function confirmDataLoss(run: Run): Promise<readonly NewlyDeclaredIn[]> {
  const { losses, unknown } = await findDataLoss(run);
  await ask(run, losses, UNCHANGED);
  return unknown;
}

/**
 * Starts the nodes of clusters that do not serve and have data, and asks if their init sidecars would delete some of it. Does nothing in a
 * new cluster. Throws if the user says no or cannot be asked, or if a cluster does not answer.
 */
export async function confirmOnceStarted(
  run: Run,
  unknown: readonly NewlyDeclaredIn[],
  unmanaged: readonly UnmanagedResource[] = [],
): Promise<void> {
  if (unknown.length === 0) {
    return;
  }
  // A roll or an import may have outdated plans.
  await run.replan();
  const old = unknown.filter(({ cluster }) => !isNew(run, cluster, unmanaged));
  await startNodes(
    run,
    old.map(({ cluster }) => cluster),
  );
  const losses: string[] = [];
  for (const newly of old) {
    losses.push(...(await dataLossOnceServing(run, newly)));
  }
  await ask(run, losses, STARTED);
}

/** Whether the plans create the data volumes of all nodes. An engine uses an unmanaged volume as it is. */
function isNew(
  { planned, containers }: Run,
  cluster: ClusterName,
  unmanaged: readonly UnmanagedResource[],
): boolean {
  const existing = unmanaged.flatMap(({ kind, name }) => (kind === "volume" ? name : []));
  const created = planned.flatMap(({ stack, actions }) =>
    stack.resources
      .filter(
        ({ type, id }) => type === "docker_volume" && actions.get(`${type}.${id}`) === "create",
      )
      .map(({ body }) => body.name),
  );
  return containers
    .filter((container) => clusterOf(container) === cluster)
    .flatMap(({ volumes = [] }) => volumes.flatMap(({ volume_name }) => volume_name ?? []))
    .filter((name) => name !== BACKUP_VOLUME && nodeOfCertificates(name) === undefined)
    .every((name) => created.includes(name) && !existing.includes(name));
}

/** Creates or replaces the nodes of clusters as planned, and nothing else of their stacks. */
async function startNodes(run: Run, clusters: readonly ClusterName[]): Promise<void> {
  if (clusters.length === 0) {
    return;
  }
  const { changes } = await run.report(run.planned.filter(({ changes }) => changes));
  const nodesOf = (cluster: ClusterName) =>
    changes.filter(
      ({ node, action }) =>
        node?.cluster === cluster && ["create", "replace", "update"].includes(action),
    );
  const starting = clusters.filter((cluster) => nodesOf(cluster).length > 0);
  if (starting.length === 0) {
    return;
  }
  console.log(
    `starting the nodes of ${listed(starting)} first, to compare their data with what is declared`,
  );
  // The nodes need their networks and volumes.
  await run.deploy("network", "storage", "backup");
  // One cluster at a time, since the Docker engine may have fewer CPUs than they have nodes.
  for (const cluster of starting) {
    await run.apply(
      run.stacks.flatMap((stack) => {
        const addresses = nodesOf(cluster)
          .filter((change) => change.stack === stack.name)
          .map(({ address }) => address);
        return addresses.length > 0 ? [{ stack, addresses }] : [];
      }),
    );
  }
  await run.replan();
}

async function dataLossOnceServing(run: Run, newly: NewlyDeclaredIn): Promise<string[]> {
  const failures: string[] = [];
  const losses = await poll(
    () => liveDataLoss(run, newly, failures),
    (found) => found !== undefined,
    { intervalMs: INTERVAL_MS, patienceMs: PATIENCE_MS },
  );
  if (losses === undefined) {
    const { cluster, names } = newly;
    throw new CommandError(
      `${cluster} does not answer, so it is not known whether this deploy deletes stored records of ${listed(names)}: ${failures.at(-1)}. The init sidecars were not started. Fix this and run the same command again, or run ${ALLOW}`,
    );
  }
  return losses;
}

async function ask({ platform }: Run, losses: readonly string[], state: string): Promise<void> {
  if (losses.length === 0) {
    return;
  }
  const listing = losses.map((loss) => `- ${loss}`).join("\n");
  const { name } = platform.environment;
  await confirm(
    name,
    `This deploy deletes stored records of environment "${name}":\n${listing}\nThey cannot be restored`,
    `${state}: this deploy deletes stored records, and standard input is not a terminal to ask: undo the change, or run ${ALLOW}\n${listing}`,
    state,
  );
}

/** Throws if a deploy would delete stored records. */
export async function refuseDataLoss(run: Run): Promise<void> {
  const { losses } = await findDataLoss(run);
  refuse(losses.map((loss) => `${loss}; deploy this change with ${ALLOW} first, or undo it`));
}
