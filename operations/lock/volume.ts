import { randomUUID } from "node:crypto";
import type { Environment } from "../../environments";
import { askEngine, type Engine } from "../engine/docker";
import { ageMs, hasEnded, type Owner } from "./owner";

/** The label of a lock's volume with the environment's name. */
const LABEL = "groundwork.lock";

const PROPERTIES = [
  ...(["command", "user", "host", "hostId", "processes", "pid", "started", "since"] as const),
];

/** How long it takes at most to lock all engines, or to remove a lock. */
export const TAKING_MS = 5 * 60_000;

/** A lock on the engines that have it. Each is a volume, since an engine creates those atomically. */
export interface Lock {
  readonly id: string;
  /** The environment's name. */
  readonly environment: string;
  /** How many engines the environment has where the owner runs: clones may differ. Undefined in locks of earlier versions. */
  readonly engines?: number;
  readonly owner: Owner;
}

/** Returns the name of the volume that locks an environment. */
export function volumeOf({ name }: Pick<Environment, "name">): string {
  return `groundwork-lock-${name}`;
}

/**
 * Creates a lock on an engine unless it has one with this name, and returns the one that it then has, or why it has none. Creating a volume
 * that exists changes nothing, so the labels are those of the first.
 */
export async function createLock(
  engine: Engine,
  name: string,
  { id, environment, engines, owner }: Lock,
): Promise<Lock | string> {
  const labels = {
    [LABEL]: environment,
    [`${LABEL}.id`]: id,
    [`${LABEL}.engines`]: engines ?? "",
    ...Object.fromEntries(PROPERTIES.map((property) => [`${LABEL}.${property}`, owner[property]])),
  };
  const { exitCode, output } = await askEngine(
    engine,
    ...["volume", "create"],
    ...Object.entries(labels).flatMap(([label, value]) => ["--label", `${label}=${value}`]),
    name,
  );
  if (exitCode !== 0) {
    return output;
  }
  return (await readLock(engine, name)) ?? `volume ${name} was removed again`;
}

/** Returns the lock with a name that an engine has; undefined if it has none or does not answer. */
export async function lockOn(engine: Engine, name: string): Promise<Lock | undefined> {
  const lock = await readLock(engine, name);
  return typeof lock === "string" ? undefined : lock;
}

/** Returns the lock with a name that an engine has; undefined if it has none, or why it does not answer. */
export async function readLock(engine: Engine, name: string): Promise<Lock | string | undefined> {
  const { exitCode, output } = await askEngine(
    engine,
    ...["volume", "inspect", "--format", "{{json .Labels}}", name],
  );
  if (exitCode !== 0) {
    return /no such volume|volume \S+ not found/i.test(output) ? undefined : output;
  }
  const labels: Readonly<Record<string, string>> = JSON.parse(output) ?? {};
  const of = (property: string) => labels[`${LABEL}.${property}`] ?? "";
  return {
    id: of("id"),
    environment: labels[LABEL] ?? "",
    engines: Number(of("engines")) || undefined,
    owner: Object.fromEntries(
      PROPERTIES.map((property) => [property, of(property)]),
    ) as unknown as Owner,
  };
}

/**
 * Removes a lock from an engine. Returns the lock of another process that removes it or has it by now, or why the engine still has it.
 *
 * Two processes may have found one lock, and an engine removes volumes by name, so the second could remove the lock that the first has taken
 * since. Only the process that creates the volume with the lock's id in its name removes the lock: no id comes back.
 */
export async function removeLock(
  engine: Engine,
  name: string,
  lock: Lock,
  remover: Owner,
): Promise<Lock | string | undefined> {
  const claim = `${name}-${lock.id}`;
  const mine = {
    ...{ id: randomUUID(), environment: lock.environment },
    owner: { ...remover, since: new Date().toISOString() },
  };
  const holder = await createLock(engine, claim, mine);
  if (typeof holder === "string") {
    return holder;
  }
  if (holder.id !== mine.id) {
    const isLeft = hasEnded(holder.owner, { takenHere: false }) || ageMs(holder.owner) > TAKING_MS;
    return isLeft
      ? ((await removeLock(engine, claim, holder, remover)) ??
          removeLock(engine, name, lock, remover))
      : holder;
  }
  const now = await lockOn(engine, name);
  const isThere = now?.id === lock.id;
  const removals = [
    ...(isThere ? [await askEngine(engine, "volume", "rm", name)] : []),
    await askEngine(engine, "volume", "rm", claim),
  ];
  const failed = removals.find(({ exitCode }) => exitCode !== 0);
  return failed ? failed.output : isThere ? undefined : now;
}
