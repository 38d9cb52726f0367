import { setTimeout } from "node:timers/promises";

/** How long what was just deployed may take to show in what collects it, or to be copied. */
const PATIENCE_SECONDS = 60;

/** One requirement, looked at in the running platform. */
export interface AcceptanceRow {
  readonly requirement: string;
  readonly guarantee: string;
  /** What does not hold; none when the guarantee does. */
  readonly failures: readonly string[];
}

/** Looks again until there is no failure or patience ends. */
export async function lookUntilHeld(
  requirement: string,
  guarantee: string,
  look: () => Promise<string[]>,
): Promise<AcceptanceRow> {
  const deadline = Date.now() + PATIENCE_SECONDS * 1000;
  let failures = await look();
  while (failures.length > 0 && Date.now() < deadline) {
    await setTimeout(2000);
    failures = await look();
  }
  return { requirement, guarantee, failures };
}
