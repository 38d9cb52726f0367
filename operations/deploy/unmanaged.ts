import type { Environment } from "../../environments";
import { isSameEngine } from "../../stacks/placement";
import { dockerAt, type Engine } from "../engine/docker";
import type { Platform } from "../platform/platform";
import { fileOf } from "../synthesis/environment";
import { nameOf } from "../synthesis/resources";
import type { Stack } from "../synthesis/synthesize";
import { firstOf, listed } from "../terminal/terminal";
import type { SavedPlan } from "../terraform/terraform";

/** Something on the engine that a plan is to make, and whose name is taken: the state does not know it. */
export interface UnmanagedResource {
  readonly kind: Kind;
  readonly name: string;
  /** The engine's. */
  readonly id: string;
  /** The environment that it was made for; nothing when it is none of the platform's. */
  readonly environment?: string;
  /** Where it is declared. */
  readonly stack: Stack;
  readonly address: string;
}

type Kind = "container" | "network" | "volume";

const LABEL = '{{.Label "groundwork.environment"}}';

/** Something that an engine has. */
interface Thing {
  readonly id: string;
  readonly name: string;
  readonly environment?: string;
}

/** How the engine lists each kind: id, name and environment, separated by tabs. */
const LISTS: Readonly<Record<Kind, readonly string[]>> = {
  container: ["ps", "--all", "--no-trunc", "--format", `{{.ID}}\t{{.Names}}\t${LABEL}`],
  network: ["network", "ls", "--no-trunc", "--format", `{{.ID}}\t{{.Name}}\t${LABEL}`],
  // A volume's name is its id.
  volume: ["volume", "ls", "--format", `{{.Name}}\t{{.Name}}\t${LABEL}`],
};

/** Everything that the plans are to make and that is there. */
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
            (await thingsOn(engine, kind)).map(
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

/** Everything of a kind that an engine has. */
async function thingsOn(engine: Engine, kind: Kind): Promise<Thing[]> {
  const output = await dockerAt(engine, ...LISTS[kind]);
  return output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [id, name, environment] = line.split("\t");
      return { id, name, environment: environment || undefined };
    });
}

/** What the engines still have of a platform that was taken down, in words; nothing when that is nothing. */
export async function describeRemains(
  { environment, engines }: Platform,
  { volumes }: { readonly volumes: boolean },
): Promise<string | undefined> {
  const kinds: readonly Kind[] = [
    "container",
    // A network of several machines goes from the others a moment later.
    ...(environment.machines ? [] : (["network"] as const)),
    ...(volumes ? (["volume"] as const) : []),
  ];
  const found = await Promise.all(
    engines.flatMap((engine) =>
      kinds.map(async (kind) =>
        (await thingsOn(engine, kind)).map(({ name, environment: owner }) => ({
          kind,
          name,
          owner,
        })),
      ),
    ),
  );
  const left = found.flat().filter(({ owner }) => owner === environment.name);
  return left.length === 0
    ? undefined
    : `environment "${environment.name}" is not down: ${environment.machines ? "the engines still have" : "the engine still has"} ${list(left)} of it that this state does not know, since another clone deployed them or the state was lost: npm run adopt takes them over and loses nothing that is stored, then npm run down takes them down`;
}

/** Why a deploy cannot begin among these, and what to do. A volume is in nobody's way: one of that name is used. */
export function describeObstacles(
  { name: environment, machines }: Environment,
  unmanaged: readonly UnmanagedResource[],
  { adopt = false } = {},
): string[] {
  const there = machines ? "the engines have" : "the engine has";
  const inTheWay = unmanaged.filter(({ kind }) => kind !== "volume");
  const owners = [...new Set(inTheWay.map((resource) => resource.environment))];
  return owners
    .filter((owner) => !(adopt && owner === environment))
    .map((owner) => {
      const theirs = list(inTheWay.filter((resource) => resource.environment === owner));
      if (owner === environment) {
        return `${there} ${theirs} of environment "${owner}" that this state does not know, since another clone deployed them or the state was lost: npm run adopt takes them over and loses nothing that is stored`;
      }
      return owner === undefined
        ? `${there} ${theirs} of nobody's that this platform knows: remove that, or name another engine in DOCKER_HOST; a network of someone else's can be joined, with adopt in ${fileOf(environment)}`
        : `${there} ${theirs} of environment "${owner}", and an engine takes one environment: GROUNDWORK_ENV=${owner} npm run down stops that one, DOCKER_HOST names another engine`;
    });
}

/** `2 networks and 10 containers (infra_net, project_net, kafka-1 and 9 more)`. */
function list(unmanaged: readonly Pick<UnmanagedResource, "kind" | "name">[]): string {
  const counts = (["network", "container", "volume"] as const)
    .map((kind) => [unmanaged.filter((resource) => resource.kind === kind).length, kind] as const)
    .filter(([count]) => count > 0)
    .map(([count, kind]) => `${count} ${kind}${count === 1 ? "" : "s"}`);
  const names = firstOf(
    unmanaged.map(({ name }) => name),
    3,
  );
  return `${listed(counts)} (${names.join(", ").replace(/, and /, " and ")})`;
}
