import { BACKUP_VOLUME } from "../../constructs/opensearch/backup";
import { nodeOfCertificates } from "../../constructs/security/node-certificates";
import type { Environment } from "../../environments";
import { isSameEngine, isSidecar } from "../../stacks/placement";
import { dockerAt, type Engine } from "../engine/docker";
import type { Platform } from "../platform/platform";
import { fileOf } from "../synthesis/environment";
import { nameOf } from "../synthesis/resources";
import type { Stack } from "../synthesis/synthesize";
import { counted, firstOf, listed } from "../terminal/terminal";
import type { SavedPlan } from "../terraform/terraform";

/** An existing resource with the name of one that a plan creates: it is not in the Terraform state. */
export interface UnmanagedResource {
  readonly kind: Kind;
  readonly name: string;
  /** Id on the engine. */
  readonly id: string;
  /** The environment that it was created for. @default - not created by Groundwork */
  readonly environment?: string;
  /** The stack that declares it. */
  readonly stack: Stack;
  readonly address: string;
}

type Kind = "container" | "network" | "volume";

const LABEL = '{{.Label "groundwork.environment"}}';

/** A container, network or volume on an engine. */
interface Existing {
  readonly id: string;
  readonly name: string;
  readonly environment?: string;
}

/** The docker command that lists each kind: id, name and environment, separated by tabs. */
const LISTS: Readonly<Record<Kind, readonly string[]>> = {
  container: ["ps", "--all", "--no-trunc", "--format", `{{.ID}}\t{{.Names}}\t${LABEL}`],
  network: ["network", "ls", "--no-trunc", "--format", `{{.ID}}\t{{.Name}}\t${LABEL}`],
  // A volume's name is its id.
  volume: ["volume", "ls", "--format", `{{.Name}}\t{{.Name}}\t${LABEL}`],
};

/** Returns the existing resources that the plans would create. */
export async function findUnmanaged(plans: readonly SavedPlan[]): Promise<UnmanagedResource[]> {
  const kinds = Object.keys(LISTS) as Kind[];
  const wanted = plans.flatMap(({ stack, actions }) =>
    [...actions]
      .filter(([, action]) => action === "create")
      .flatMap(([address]) => {
        const kind = kinds.find((name) => address.startsWith(`docker_${name}.`));
        return kind ? [{ kind, stack, address, name: nameOf(stack.resources, address) }] : [];
      }),
  );
  const keyOf = (engine: Engine, kind: string, name: string) => `${engine?.host} ${kind} ${name}`;
  const lists = await Promise.all(
    [...new Map(wanted.map(({ stack: { engine } }) => [engine?.host, engine])).values()].flatMap(
      (engine) =>
        kinds
          .filter((kind) =>
            wanted.some((one) => one.kind === kind && isSameEngine(one.stack.engine, engine)),
          )
          .map(async (kind) =>
            (await existingOn(engine, kind)).map(
              ({ name, ...found }) => [keyOf(engine, kind, name), found] as const,
            ),
          ),
    ),
  );
  const there = new Map(lists.flat());
  return wanted.flatMap((resource) => {
    const found = there.get(keyOf(resource.stack.engine, resource.kind, resource.name));
    return found ? [{ ...resource, ...found }] : [];
  });
}

/** Lists all resources of a kind on an engine. */
async function existingOn(engine: Engine, kind: Kind): Promise<Existing[]> {
  const output = await dockerAt(engine, ...LISTS[kind]);
  return output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [id, name, environment] = line.split("\t");
      return { id, name, environment: environment || undefined };
    });
}

/**
 * Returns the jobs that can be removed, since they keep no data and the deploy runs them again: sidecars of a machine that was gone while
 * they ran elsewhere, and a job that was running when a deploy was killed. None if other resources are in the way too: another clone may
 * have deployed all of them.
 */
export function abandonedJobs(
  { name: environment, machines }: Environment,
  unmanaged: readonly UnmanagedResource[],
): UnmanagedResource[] {
  const isJob = ({ kind, name, environment: owner }: UnmanagedResource) =>
    kind === "container" &&
    owner === environment &&
    (isSidecar(name) || nodeOfCertificates(name) !== undefined);
  const isAlone = unmanaged.every((resource) => resource.kind === "volume" || isJob(resource));
  return machines || isAlone ? unmanaged.filter(isJob) : [];
}

/** Describes what remains on the engines of a platform that was taken down. Returns undefined if nothing does. */
export async function describeRemains(
  { environment, engines }: Platform,
  { volumes }: { readonly volumes: boolean },
): Promise<string | undefined> {
  const kinds: readonly Kind[] = [
    "container",
    // An overlay network disappears from the other machines a moment later.
    ...(environment.machines ? [] : (["network"] as const)),
    "volume",
  ];
  // Keys must not stay behind, and backups must.
  const isKept = (kind: Kind, name: string) =>
    kind === "volume" &&
    (name === BACKUP_VOLUME || (!volumes && nodeOfCertificates(name) === undefined));
  const found = await Promise.all(
    engines.flatMap((engine) =>
      kinds.map(async (kind) =>
        (await existingOn(engine, kind)).map(({ name, environment: owner }) => ({
          kind,
          name,
          owner,
        })),
      ),
    ),
  );
  const left = found
    .flat()
    .filter(({ kind, name, owner }) => owner === environment.name && !isKept(kind, name));
  return left.length === 0
    ? undefined
    : `environment "${environment.name}" is not down: ${list(left)} ${left.length === 1 ? UNKNOWN_ONE : UNKNOWN}. Then run npm run down again`;
}

/**
 * Whether a deploy that was killed left these containers: it created them and did not get to write the state, which has others. Another
 * clone's state, or a new one, has none.
 */
export function areLeftOver(
  { name: environment }: Environment,
  unmanaged: readonly UnmanagedResource[],
  containersInState: number,
): boolean {
  return (
    containersInState > 0 &&
    unmanaged.some(({ kind }) => kind === "container") &&
    unmanaged.every(({ kind, environment: owner }) => kind !== "network" && owner === environment)
  );
}

/** Describes why unmanaged resources stop a deploy, and what to do. Volumes do not: an existing volume is used. */
export function describeObstacles(
  { name: environment }: Environment,
  unmanaged: readonly UnmanagedResource[],
  { adopt = false } = {},
): string[] {
  const inTheWay = unmanaged.filter(({ kind }) => kind !== "volume");
  const owners = [...new Set(inTheWay.map((resource) => resource.environment))];
  return owners
    .filter((owner) => !(adopt && owner === environment))
    .map((owner) => {
      const theirs = inTheWay.filter((resource) => resource.environment === owner);
      const one = theirs.length === 1;
      if (owner === environment) {
        return `${list(theirs)} of environment "${owner}" ${one ? UNKNOWN_ONE : UNKNOWN}`;
      }
      if (owner !== undefined) {
        return `${list(theirs)} of environment "${owner}" already ${one ? "exists" : "exist"}, and an engine runs one environment: stop that one with GROUNDWORK_ENV=${owner} npm run down, or use another engine (DOCKER_HOST)`;
      }
      const exist = one ? "exists and was" : "exist and were";
      const join = theirs.some(({ kind }) => kind === "network")
        ? `, use another engine (DOCKER_HOST), or join the network with \`adopt: true\` in ${fileOf(environment)}`
        : " or use another engine (DOCKER_HOST)";
      return `${list(theirs)} already ${exist} not created by Groundwork: remove ${one ? "it" : "them"}${join}`;
    });
}

const UNKNOWN =
  "exist but are not in this Terraform state: another clone deployed them, or the state was lost. npm run adopt takes them over and keeps all stored data";
const UNKNOWN_ONE =
  "exists but is not in this Terraform state: another clone deployed it, or the state was lost. npm run adopt takes it over and keeps all stored data";

/** Renders `2 networks and 10 containers (infra_net, project_net, kafka-1 and 9 more)`, and a single resource as `network infra_net`. */
function list(unmanaged: readonly Pick<UnmanagedResource, "kind" | "name">[]): string {
  if (unmanaged.length === 1) {
    return `${unmanaged[0].kind} ${unmanaged[0].name}`;
  }
  const counts = (["network", "container", "volume"] as const)
    .map((kind) => [unmanaged.filter((resource) => resource.kind === kind).length, kind] as const)
    .filter(([count]) => count > 0)
    .map(([count, kind]) => counted(count, kind));
  const names = firstOf(
    unmanaged.map(({ name }) => name),
    3,
  );
  return `${listed(counts)} (${names.join(", ").replace(/, and /, " and ")})`;
}
