import type { Environment } from "../../environments";
import { isSameEngine } from "../../stacks/placement";
import { type Change, refusalsOf } from "../changes/change";
import { dockerAt, removeContainers } from "../engine/docker";
import { checkMachines } from "../machine/machine";
import { Platform } from "../platform/platform";
import { checkClusters } from "../rolling/rolling";
import { Run, type RunOptions } from "../run/run";
import { describeScaling, type Scaling } from "../scaling/scaling";
import { waitForHealthySwarm } from "../swarm/health";
import { clusterOf, containersOf } from "../synthesis/container";
import { missingInputs } from "../synthesis/inputs";
import { synthesize } from "../synthesis/synthesize";
import { counted, listed, refuse } from "../terminal/terminal";
import { describeVersionRefusals } from "../versions/refusals";
import { refuseDataLoss } from "./data-loss";
import { describeForeignCa } from "./foreign-ca";
import { describeStaleCopy, describeStaleSecrets } from "./stale-secrets";
import {
  abandonedJobs,
  areLeftOver,
  describeObstacles,
  findUnmanaged,
  type UnmanagedResource,
} from "./unmanaged";

/** A planned deploy without obstacles. */
export interface PreparedDeploy {
  readonly platform: Platform;
  /** The caller removes its plans in the end, with `forgetPlans`. */
  readonly run: Run;
  /** Whether the deploy takes over unmanaged resources of the environment. */
  readonly adopts: boolean;
  readonly unmanaged: readonly UnmanagedResource[];
}

/** Plans a deploy, which may replace every node of both clusters. Throws every obstacle before it changes a resource. */
export async function prepareDeploy(
  environment: Environment,
  { adopt, ...options }: { readonly adopt: boolean } & Omit<RunOptions, "readOnly">,
): Promise<PreparedDeploy> {
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
    `planning environment "${environment.name}" with ${terraform.product} ${terraform.version} (${terraform.choice})`,
  );
  if (environment.excludedServices) {
    console.log(
      `excluded services of environment "${environment.name}": ${environment.excludedServices.join(", ")}`,
    );
  }
  if (environment.openSearch.indexManagement === false) {
    console.log(
      `retention policies are left out, since openSearch.indexManagement of environment "${environment.name}" is false: its OpenSearch has no index management plugin`,
    );
  }
  if (environment.excludedMachines) {
    console.log(
      `excluded machines, and all containers on them: ${environment.excludedMachines.join(", ")}`,
    );
  }
  await waitForHealthySwarm(environment);
  const platform = new Platform(environment);
  // First, since a container that is removed may be the only one that tells which secrets are deployed.
  refuse(await describeOtherSecrets(platform));
  await removeUnstarted(platform);
  const run = new Run(platform, stacks, terraform, options);
  try {
    await run.plan();
    const found = await findUnmanaged(run.planned);
    const finished = abandonedJobs(environment, found);
    const unmanaged = found.filter((resource) => !finished.includes(resource));
    const { changes, before } = await run.report();
    const areLeft = areLeftOver(environment, unmanaged, before.containers);
    refuse([
      ...describeObstacles(environment, unmanaged, { adopt: adopt || areLeft }),
      ...(await describeConsequences(run, changes)).refusals,
    ]);
    for (const { stack, id } of finished) {
      await removeContainers(stack.engine, [id]);
    }
    if (areLeft) {
      const names = unmanaged.map(({ kind, name }) => `${kind} ${name}`);
      console.log(`  taking over what an interrupted deploy left: ${listed(names)}`);
    }
    return { platform, run, adopts: adopt || areLeft, unmanaged };
  } catch (error) {
    run.forgetPlans();
    throw error;
  }
}

/**
 * Plans a deploy for work that changes nothing, without a lock, and removes the plans in the end. Throws if an input is missing, or if the
 * secrets are not those of the platform's CA.
 */
export async function withPlan<T>(
  environment: Environment,
  work: (run: Run) => Promise<T>,
): Promise<T> {
  const stacks = await synthesize(environment);
  refuse(
    missingInputs(
      environment,
      stacks.flatMap(({ variables }) => variables),
    ),
  );
  const terraform = await checkMachines(environment);
  const platform = new Platform(environment);
  refuse(await describeForeignCa(platform));
  const run = new Run(platform, stacks, terraform, { readOnly: true });
  try {
    await run.plan();
    return await work(run);
  } finally {
    run.forgetPlans();
  }
}

/** Describes why the secrets are not those of the running platform. Those of a foreign CA have no generation in common with it. */
async function describeOtherSecrets(platform: Platform): Promise<string[]> {
  const foreign = await describeForeignCa(platform);
  return foreign.length > 0 ? foreign : describeStaleCopy(platform);
}

/** Describes why planned changes are refused, and what they move between nodes. The secrets have to be of the running platform's CA. */
export async function describeConsequences(run: Run, changes: readonly Change[]): Promise<Scaling> {
  const scaling = await describeScaling(run);
  return {
    refusals: [
      ...refusalsOf(changes),
      ...(await describeStaleSecrets(run)),
      ...(await describeVersionRefusals(run.platform, changedClusters(run))),
      ...scaling.refusals,
    ],
    moves: scaling.moves,
  };
}

/** Returns the clusters whose stacks change anything. @internal */
export function changedClusters({ planned }: Run): string[] {
  const containers = planned
    .filter(({ changes }) => changes)
    .flatMap(({ stack }) => containersOf(stack.resources));
  return [...new Set(containers.flatMap((container) => clusterOf(container) ?? []))];
}

/**
 * Throws what `npm run up` would refuse now, and if the running clusters cannot take the change: to replace all nodes, each has to be
 * healthy (`replacesNodes`), otherwise each has to answer. Changes no secret, container or volume in use.
 */
export async function checkDeploy(
  environment: Environment,
  { replacesNodes }: { readonly replacesNodes: boolean },
): Promise<void> {
  const { run } = await prepareDeploy(environment, { adopt: false });
  try {
    await refuseDataLoss(run);
  } finally {
    run.forgetPlans();
  }
  await checkClusters(run, { replacesNodes });
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
