import { writeFileSync } from "node:fs";
import { poll } from "../../operations/terminal/poll";
import { newLog } from "./logs";

/** How long a test waits for a state, whatever it is. */
const PATIENCE_SECONDS = 300;

/** Waits until nothing is left of what `look` finds missing or wrong, and fails with what that was last. What cannot be asked yet is not so yet. */
export async function eventually(
  look: () => readonly unknown[] | Promise<readonly unknown[]>,
): Promise<void> {
  let log: string | undefined;
  const left = await poll(
    () => looked(look),
    ({ length }) => length === 0,
    {
      intervalMs: 1000,
      patienceMs: PATIENCE_SECONDS * 1000,
      // Each look is progress, so that the suite is not ended before this fails with what is missing.
      onWait(missing) {
        log ??= newLog("eventually");
        writeFileSync(log, `still: ${JSON.stringify(missing)}\n`);
      },
    },
  );
  if (left.length > 0) {
    throw new Error(`after ${PATIENCE_SECONDS} s still: ${JSON.stringify(left)}`);
  }
}

async function looked(look: Parameters<typeof eventually>[0]): Promise<readonly unknown[]> {
  try {
    return await look();
  } catch (error) {
    return [String(error)];
  }
}
