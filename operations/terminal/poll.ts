import { setTimeout } from "node:timers/promises";

export interface Patience<Seen> {
  readonly intervalMs: number;
  readonly patienceMs: number;
  /** Called before each wait, with the last result. */
  readonly onWait?: (seen: Seen) => void;
}

/** Calls `look` until `isWanted` accepts its result, or patience ends. Returns the last result. */
export async function poll<Seen>(
  look: () => Seen | Promise<Seen>,
  isWanted: (seen: Seen) => boolean,
  { intervalMs, patienceMs, onWait }: Patience<Seen>,
): Promise<Seen> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const seen = await look();
    if (isWanted(seen) || Date.now() > deadline) {
      return seen;
    }
    onWait?.(seen);
    await setTimeout(intervalMs);
  }
}
