import { setTimeout } from "node:timers/promises";

export interface Patience<Seen> {
  readonly intervalMs: number;
  readonly patienceMs: number;
  /** Is told what was seen each time that it was not as wanted, before the wait. */
  readonly onWait?: (seen: Seen) => void;
}

/** Looks until what it sees is as wanted, or patience ends. Returns what it saw last. */
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
