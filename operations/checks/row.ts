import { poll } from "../terminal/poll";
import { firstOf, table } from "../terminal/terminal";

/** How long a new deploy may take until its metrics and logs arrive and its replicas are complete. */
const PATIENCE_SECONDS = 60;

/** The result of checking one requirement in the running platform. */
export interface AcceptanceRow {
  readonly requirement: string;
  readonly guarantee: string;
  /** What does not hold. Empty if the guarantee holds. */
  readonly failures: readonly string[];
  /** Other findings, which are not failures. */
  readonly notes?: readonly string[];
}

/** The most failures, and the most notes, that are shown for a requirement. */
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

/** Repeats a check until it has no failures or the time is over. */
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
