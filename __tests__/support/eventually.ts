import { writeFileSync } from "node:fs";
import { poll } from "../../operations/terminal/poll";
import { newLog } from "./logs";

/** How long a test waits for any state. */
const PATIENCE_SECONDS = 300;

/** Waits until `look` finds nothing missing or wrong, and fails with its last findings. An error in `look` counts as a finding. */
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
      // Each look counts as progress, so that the runner does not stop the suite before this fails with its findings.
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
