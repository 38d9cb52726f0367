import { poll } from "../terminal/poll";
import { firstOf, table } from "../terminal/terminal";

/** How long what was just deployed may take to show in what collects it, or to be copied. */
const PATIENCE_SECONDS = 60;

/** One requirement, looked at in the running platform. */
export interface AcceptanceRow {
  readonly requirement: string;
  readonly guarantee: string;
  /** What does not hold; none when the guarantee does. */
  readonly failures: readonly string[];
  /** What is good to know beside it. */
  readonly notes?: readonly string[];
}

/** How much of what does not hold, or is good to know, is told of a requirement. */
const MOST_LINES = 10;

export function renderAcceptance(rows: readonly AcceptanceRow[]): string {
  return table([
    ["requirement", "holds", "guarantee"],
    ...rows.flatMap(({ requirement, guarantee, failures, notes = [] }) => [
      [requirement, failures.length === 0 ? "yes" : "NO", guarantee],
      ...[failures, notes].flatMap((lines) =>
        firstOf(lines, MOST_LINES).map((line) => ["", "", line]),
      ),
    ]),
  ]);
}

/** Looks again until there is no failure or patience ends. */
export async function checkUntilMet(
  requirement: string,
  guarantee: string,
  look: () => Promise<string[]>,
): Promise<AcceptanceRow> {
  const failures = await poll(look, ({ length }) => length === 0, {
    intervalMs: 2000,
    patienceMs: PATIENCE_SECONDS * 1000,
  });
  return { requirement, guarantee, failures };
}
