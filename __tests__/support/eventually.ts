import { writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { newLog } from "./logs";

/** How long a test waits for a state, whatever it is. */
const PATIENCE_SECONDS = 300;

/** Waits until nothing is left of what `look` finds missing or wrong, and fails with what that was last. What cannot be asked yet is not so yet. */
export async function eventually(
  look: () => readonly unknown[] | Promise<readonly unknown[]>,
): Promise<void> {
  const started = Date.now();
  let log: string | undefined;
  for (;;) {
    const left = await looked(look);
    if (left.length === 0) {
      return;
    }
    const seconds = Math.round((Date.now() - started) / 1000);
    const missing = `after ${seconds} s still: ${JSON.stringify(left)}`;
    if (seconds > PATIENCE_SECONDS) {
      throw new Error(missing);
    }
    // Each look is progress, so that the suite is not ended before this fails with what is missing.
    log ??= newLog("eventually");
    writeFileSync(log, `${missing}\n`);
    await setTimeout(1000);
  }
}

async function looked(look: Parameters<typeof eventually>[0]): Promise<readonly unknown[]> {
  try {
    return await look();
  } catch (error) {
    return [String(error)];
  }
}
