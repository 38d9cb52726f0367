import { randomUUID } from "node:crypto";
import type { Environment } from "../../environments";
import { enginesOf, machinesOf } from "../../stacks/placement";
import { askEngine, type Engine } from "../engine/docker";
import { checkMachines } from "../machine/machine";
import { confirm } from "../terminal/confirm";
import { CommandError } from "../terminal/terminal";
import { ageMs, describeOwner, hasEnded, type Owner, thisProcess } from "./owner";
import { checkStillHeld, isMajority, type StillHeld } from "./still-held";
import { rememberLock, wasTakenHere } from "./taken-here";
import { createLock, type Lock, lockOn, removeLock, TAKING_MS, volumeOf } from "./volume";

export interface LockOptions {
  /** The command that takes the lock, such as `up`. */
  readonly command: string;
  /** Whether a lock is taken from its owner, after a confirmation. @default false */
  readonly forceUnlock?: boolean;
}

/**
 * Runs work that changes an environment while no other process does. Its engines hold the lock, since two deploys share them even when
 * their Terraform states differ. Throws if another process has it. The lock of a process of this host that ended is taken over. The work asks
 * `stillHeld` before each of its steps.
 */
export async function withLock<T>(
  environment: Environment,
  { command, forceUnlock = false }: LockOptions,
  work: (stillHeld: StillHeld) => Promise<T>,
): Promise<T> {
  const owner = thisProcess(`npm run ${command}`);
  const lock = {
    ...{ id: randomUUID(), environment: environment.name, owner },
    engines: machinesOf(environment).length,
  };
  const volume = volumeOf(environment);
  const engines = await enginesThatAnswer(environment);
  await makeWay(environment, engines, { owner, forceUnlock });
  const asked: Engine[] = [];
  try {
    // In the same order everywhere, so that of two deploys that start at once only one gets further than the first engine.
    for (const engine of engines) {
      asked.push(engine);
      const holder = await createLock(engine, volume, lock);
      if (typeof holder === "string") {
        throw new CommandError(`the Docker engine does not create the lock: ${holder}`);
      }
      if (holder.id !== lock.id) {
        throw new CommandError(describeHeld(environment, holder));
      }
    }
    rememberLock(lock);
    return await work(() => checkStillHeld(lock, engines));
  } finally {
    for (const engine of asked) {
      const left = await removeLock(engine, volume, lock, owner);
      if (typeof left === "string") {
        console.warn(
          `warning: the lock of environment "${environment.name}" may stay on ${engine?.host ?? "the Docker engine"}, which does not answer: ${left}. The next command on this host removes it`,
        );
      }
    }
  }
}

/** Removes the locks that nobody holds any more, and with `forceUnlock` also those that somebody might hold. Throws if one is held. */
async function makeWay(
  environment: Environment,
  engines: readonly Engine[],
  { owner, forceUnlock }: { readonly owner: Owner; readonly forceUnlock: boolean },
): Promise<void> {
  for (const { lock, on, state } of await locksOn(environment, engines)) {
    if (state === "held") {
      if (!forceUnlock) {
        throw new CommandError(describeHeld(environment, lock));
      }
      await confirm(
        environment.name,
        `${describeOwner(lock.owner)} holds the lock of environment "${environment.name}". If it still runs, two deploys change the same clusters at once`,
        `--force-unlock needs a confirmation, but standard input is not a terminal: run it on one, or remove volume ${volumeOf(environment)} of each engine once that process has ended`,
      );
    }
    if (state === "ended") {
      console.log(`  ${describeOwner(lock.owner)} ended without unlocking: its lock is removed`);
    }
    for (const engine of on) {
      // While somebody answered, another process may have taken the lock.
      const holder = await removeLock(engine, volumeOf(environment), lock, owner);
      if (typeof holder === "object") {
        throw new CommandError(describeHeld(environment, holder));
      }
    }
  }
}

/** Returns the process that holds the lock of an environment, or undefined if there is none on the engines that answer. */
export async function findHolder(environment: Environment): Promise<Owner | undefined> {
  const { answering } = await askEngines(environment);
  const locks = await locksOn(environment, answering);
  const held = locks.find(({ state }) => state === "held");
  return held?.lock.owner;
}

/** A lock, the engines that have it, and whether its process may run: `left` if a lost machine kept it, `ended` if the process ended here. */
interface FoundLock {
  readonly lock: Lock;
  readonly on: readonly Engine[];
  readonly state: "held" | "left" | "ended";
}

async function locksOn(environment: Environment, engines: readonly Engine[]): Promise<FoundLock[]> {
  const found = await Promise.all(
    engines.map(async (engine) => ({ engine, lock: await lockOn(engine, volumeOf(environment)) })),
  );
  const locks = new Map(found.flatMap(({ lock }) => (lock ? [[lock.id, lock] as const] : [])));
  return [...locks.values()].map((lock) => {
    const on = found.flatMap((one) => (one.lock?.id === lock.id ? [one.engine] : []));
    const isLeft =
      ageMs(lock.owner) > TAKING_MS && !mayHold(environment, lock, [engines.length, on.length]);
    return {
      lock,
      on,
      state: hasEnded(lock.owner, { takenHere: wasTakenHere(lock) })
        ? "ended"
        : isLeft
          ? "left"
          : "held",
    };
  });
}

/**
 * Returns the engines that answer. Throws unless they are more than half of all machines: any two deploys then have an engine in common,
 * whichever machines are gone. If the only engine does not answer, throws what the check of the machine says of it.
 */
async function enginesThatAnswer(environment: Environment): Promise<Engine[]> {
  const { engines, answering, silent } = await askEngines(environment);
  if (!environment.machines && answering.length === 0) {
    await checkMachines(environment);
    // It answers by now, such as an engine behind an sshd that was busy.
    return engines;
  }
  if (environment.machines && !isMajority(answering.length, environment.machines.length)) {
    throw new CommandError(
      `environment "${environment.name}" cannot be locked: ${answering.length} of its ${environment.machines.length} Docker engines answer, and more than half have to, so that no other command can lock it at the same time. Nothing was changed\n${silent.join("\n")}`,
    );
  }
  return answering;
}

/** Asks the engines of all machines that are not excluded. Says why the silent ones do not answer. */
async function askEngines(environment: Environment) {
  const engines = enginesOf(environment);
  const answers = await Promise.all(
    engines.map((engine) => askEngine(engine, "version", "--format", "{{.Server.Version}}")),
  );
  return {
    engines,
    answering: engines.filter((_, i) => answers[i].exitCode === 0),
    silent: engines.flatMap((engine, i) =>
      answers[i].exitCode === 0 ? [] : [`${engine?.host}: ${answers[i].output}`],
    ),
  };
}

/**
 * Whether the owner of a lock may have more than half of its engines, as a deploy has that runs. At its end it cannot unlock a machine that is
 * gone. An engine that does not answer, or that this clone does not know, may have the lock, too.
 */
function mayHold(
  environment: Environment,
  lock: Lock,
  [answering, locked]: readonly [answering: number, locked: number],
): boolean {
  const here = machinesOf(environment).length;
  const there = lock.engines ?? here;
  return isMajority(locked + Math.max(here, there) - answering, there);
}

function describeHeld({ name }: Environment, { owner }: Lock): string {
  return `environment "${name}" is locked by ${describeOwner(owner)}. Nothing was changed: wait until it ends. If it does not run any more, run the same command with --force-unlock`;
}
