import type { Engine } from "../engine/docker";
import { poll } from "../terminal/poll";
import { CommandError } from "../terminal/terminal";
import { describeOwner } from "./owner";
import { type Lock, readLock, volumeOf } from "./volume";

/** Throws if the lock of the environment is no longer that of the command. */
export type StillHeld = () => Promise<void>;

/** How long an engine may be too busy to answer. */
const PATIENCE_MS = 60_000;
const INTERVAL_MS = 2000;

export function isMajority(count: number, all: number): boolean {
  return count > all / 2;
}

/**
 * Throws unless more than half of the environment's engines have the lock, as many as it took to get it. A command that slept, as a laptop
 * does, may have lost it to another one with `--force-unlock`; `docker volume prune` of Docker before 23 removes it, too.
 */
export async function checkStillHeld(
  { id, environment, engines: all }: Lock & { readonly engines: number },
  locked: readonly Engine[],
): Promise<void> {
  const { isHeld, other, silent, holding } = await poll(
    async () => {
      const found = await Promise.all(
        locked.map((engine) => readLock(engine, volumeOf({ name: environment }))),
      );
      const locks = found.filter((one) => typeof one === "object");
      const holding = locks.filter((lock) => lock.id === id).length;
      return {
        isHeld: isMajority(holding, all),
        holding,
        other: locks.find((lock) => lock.id !== id),
        silent: found.filter((one) => typeof one === "string"),
      };
    },
    (seen) => seen.isHeld || seen.other !== undefined || seen.silent.length === 0,
    { intervalMs: INTERVAL_MS, patienceMs: PATIENCE_MS },
  );
  if (isHeld) {
    return;
  }
  const lost = `environment "${environment}" is no longer locked by this command`;
  const end = "No further step was started";
  if (other) {
    throw new CommandError(
      `${lost}: ${describeOwner(other.owner)} has the lock now. ${end}: wait until that ends, then run the same command again, which continues`,
    );
  }
  if (silent.length === 0) {
    throw new CommandError(
      `${lost}, and nobody has the lock: volume ${volumeOf({ name: environment })} was removed, as by docker volume prune or by a command with --force-unlock that has ended. ${end}: run the same command again, which continues`,
    );
  }
  throw new CommandError(
    `whether environment "${environment}" is still locked by this command is not known: ${holding} of its ${all} Docker engines answer that, and more than half have to. ${end}: run the same command again once they answer, which continues\n${silent.join("\n")}`,
  );
}
