import { setTimeout } from "node:timers/promises";

/** How long a test waits for a state, whatever it is. */
const PATIENCE_SECONDS = 300;

/** Waits until nothing is left of what `look` finds missing or wrong, and fails with what that was last. What cannot be asked yet is not so yet. */
export async function eventually(
  look: () => readonly unknown[] | Promise<readonly unknown[]>,
): Promise<void> {
  const deadline = Date.now() + PATIENCE_SECONDS * 1000;
  for (;;) {
    const left = await looked(look);
    if (left.length === 0) {
      return;
    }
    if (Date.now() > deadline) {
      throw new Error(`after ${PATIENCE_SECONDS} s still: ${JSON.stringify(left)}`);
    }
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
