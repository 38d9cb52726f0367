import { randomUUID } from "node:crypto";
import type { Environment } from "../../environments";
import { enginesOf, machinesOf } from "../../stacks/placement";
import { askEngine, type Engine } from "../engine/docker";
import { checkMachines } from "../machine/machine";
import { confirm } from "../terminal/confirm";
import { CommandError, counted } from "../terminal/terminal";
import { hasEnded, type Owner, thisProcess } from "./owner";

/** The label of a lock's volume with the environment's name. */
const LABEL = "groundwork.lock";

/** How long it takes at most to lock all engines. */
const TAKING_MS = 5 * 60_000;

const PROPERTIES = [
  ...(["command", "user", "host", "hostId", "processes", "pid", "started", "since"] as const),
];

export interface LockOptions {
  /** The command that takes the lock, such as `up`. */
  readonly command: string;
  /** Whether a lock is taken from its owner, after a confirmation. @default false */
  readonly forceUnlock?: boolean;
}

/** A lock on the engines that have it. */
interface Lock {
  readonly id: string;
  readonly owner: Owner;
}

/**
 * Runs work that changes an environment while no other process does. Its engines hold the lock, since two deploys share them even when
 * their Terraform states differ. Throws if another process has it. The lock of a process of this host that ended is taken over.
 */
export async function withLock<T>(
  environment: Environment,
  { command, forceUnlock = false }: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  const lock = { id: randomUUID(), owner: thisProcess(`npm run ${command}`) };
  const engines = await answering(environment);
  await makeWay(environment, engines, forceUnlock);
  const taken: Engine[] = [];
  try {
    // In the same order everywhere, so that of two deploys that start at once only one gets further than the first engine.
    for (const engine of engines) {
      const holder = await take(environment, engine, lock);
      if (holder.id !== lock.id) {
        throw new CommandError(describeHeld(environment, holder));
      }
      taken.push(engine);
    }
    return await work();
  } finally {
    for (const engine of taken) {
      // With --force-unlock, another process has it.
      if ((await lockOn(environment, engine))?.id === lock.id) {
        await askEngine(engine, "volume", "rm", volumeOf(environment));
      }
    }
  }
}

/** Removes the locks that nobody holds any more, and with `forceUnlock` also those that somebody might hold. Throws if one is held. */
async function makeWay(
  environment: Environment,
  engines: readonly Engine[],
  forceUnlock: boolean,
): Promise<void> {
  const found = await Promise.all(
    engines.map(async (engine) => ({ engine, lock: await lockOn(environment, engine) })),
  );
  const locks = new Map(found.flatMap(({ lock }) => (lock ? [[lock.id, lock] as const] : [])));
  for (const lock of locks.values()) {
    const on = found.flatMap((one) => (one.lock?.id === lock.id ? [one.engine] : []));
    // A deploy locks more than half of the engines, and at its end it could not reach a machine that was gone. One that does not answer
    // now may have the lock, too.
    const silent = machinesOf(environment).length - engines.length;
    const isLeft = !isMajority(environment, on.length + silent) && ageMs(lock.owner) > TAKING_MS;
    const ended = hasEnded(lock.owner);
    if (!isLeft && !ended) {
      if (!forceUnlock) {
        throw new CommandError(describeHeld(environment, lock));
      }
      await confirm(
        environment.name,
        `${describe(lock.owner)} holds the lock of environment "${environment.name}". If it still runs, two deploys change the same clusters at once`,
        `--force-unlock needs a confirmation, but standard input is not a terminal: run it on one, or remove volume ${volumeOf(environment)} of each engine once that process has ended`,
      );
    }
    if (ended) {
      console.log(`  ${describe(lock.owner)} ended without unlocking: its lock is removed`);
    }
    for (const engine of on) {
      // While somebody answered, another process may have taken the lock.
      const now = await lockOn(environment, engine);
      if (now !== undefined && now.id !== lock.id) {
        throw new CommandError(describeHeld(environment, now));
      }
      await askEngine(engine, "volume", "rm", volumeOf(environment));
    }
  }
}

/**
 * Returns the engines that answer. Throws unless they are more than half of all machines: any two deploys then have an engine in common,
 * whichever machines are gone. If the only engine does not answer, throws what the check of the machine says of it.
 */
async function answering(environment: Environment): Promise<Engine[]> {
  const engines = enginesOf(environment);
  const answers = await Promise.all(
    engines.map((engine) => askEngine(engine, "version", "--format", "{{.Server.Version}}")),
  );
  const found = engines.filter((_, i) => answers[i].exitCode === 0);
  if (!environment.machines && found.length === 0) {
    await checkMachines(environment);
    // It answers by now, such as an engine behind an sshd that was busy.
    return engines;
  }
  if (environment.machines && !isMajority(environment, found.length)) {
    const silent = engines.flatMap((engine, i) =>
      answers[i].exitCode === 0 ? [] : [`${engine?.host}: ${answers[i].output}`],
    );
    throw new CommandError(
      `environment "${environment.name}" cannot be locked: ${found.length} of its ${environment.machines.length} Docker engines answer, and more than half have to, so that no other command can lock it at the same time. Nothing was changed\n${silent.join("\n")}`,
    );
  }
  return found;
}

function isMajority(environment: Environment, count: number): boolean {
  return count > machinesOf(environment).length / 2;
}

/**
 * Takes the lock of an engine unless another process has it, and returns the lock that the engine then has. Creating a volume that exists
 * changes nothing, so the labels are those of the first.
 */
async function take(environment: Environment, engine: Engine, lock: Lock): Promise<Lock> {
  const labels = {
    [LABEL]: environment.name,
    [`${LABEL}.id`]: lock.id,
    ...Object.fromEntries(PROPERTIES.map((name) => [`${LABEL}.${name}`, lock.owner[name]])),
  };
  const { exitCode, output } = await askEngine(
    engine,
    ...["volume", "create"],
    ...Object.entries(labels).flatMap(([label, value]) => ["--label", `${label}=${value}`]),
    volumeOf(environment),
  );
  const held = exitCode === 0 ? await lockOn(environment, engine) : undefined;
  if (held === undefined) {
    throw new CommandError(`the Docker engine does not create the lock: ${output}`);
  }
  return held;
}

async function lockOn(environment: Environment, engine: Engine): Promise<Lock | undefined> {
  const { exitCode, output } = await askEngine(
    engine,
    ...["volume", "inspect", "--format", "{{json .Labels}}", volumeOf(environment)],
  );
  if (exitCode !== 0) {
    return undefined;
  }
  const labels: Readonly<Record<string, string>> = JSON.parse(output) ?? {};
  const of = (name: string) => labels[`${LABEL}.${name}`] ?? "";
  return {
    id: of("id"),
    owner: Object.fromEntries(PROPERTIES.map((name) => [name, of(name)])) as unknown as Owner,
  };
}

function ageMs({ since }: Pick<Owner, "since">): number {
  return Date.now() - Date.parse(since);
}

function volumeOf({ name }: Environment): string {
  return `groundwork-lock-${name}`;
}

function describeHeld({ name }: Environment, { owner }: Lock): string {
  return `environment "${name}" is locked by ${describe(owner)}. Nothing was changed: wait until it ends. If it does not run any more, run the same command with --force-unlock`;
}

/** Describes an owner: `npm run up, by ada on host build-7 (process 4711), since 2026-01-31 10:15:00 UTC, 12 minutes ago`. */
function describe({ command, user, host, pid, since }: Owner): string {
  const minutes = Math.max(0, Math.round(ageMs({ since }) / 60_000));
  const at = since.replace("T", " ").replace(/\.\d+Z$/, " UTC");
  return `${command}, by ${user} on host ${host} (process ${pid}), since ${at}, ${counted(minutes, "minute")} ago`;
}
