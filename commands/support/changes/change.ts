/** What Terraform will do. */
export type Action = "create" | "destroy" | "replace" | "update" | "move" | "none";

/** A difference in the user's words. */
export interface Change {
  readonly stack: string;
  /** Terraform's address. */
  readonly address: string;
  /** Such as `container kafka-2`. */
  readonly subject: string;
  readonly action: Action;
  /** Such as `memory 1536 -> 2048 MiB`. */
  readonly details: readonly string[];
  /** What is lost or stops, with the remedy; none for a change that is safe. */
  readonly destructive: readonly string[];
  /** What will not go as it looks, with the remedy. */
  readonly warnings: readonly string[];
}

/** What the containers ask for together. */
export interface Totals {
  readonly containers: number;
  readonly memoryReservationMiB: number;
}

/** Everything that a preview or a plan shows of one environment. */
export interface ChangeReport {
  readonly environment: string;
  /** What the changes are seen against, such as `main`. */
  readonly against: string;
  readonly changes: readonly Change[];
  readonly before: Totals;
  readonly after: Totals;
  readonly memoryBudgetMiB: number;
}

export const EXIT_NO_CHANGE = 0;
export const EXIT_CHANGES = 2;
export const EXIT_DESTRUCTIVE = 3;

/** Exit code of a preview or plan over all environments. */
export function exitCodeOf(reports: readonly ChangeReport[]): number {
  const changes = reports.flatMap((report) => report.changes);
  if (changes.some(({ destructive }) => destructive.length > 0)) {
    return EXIT_DESTRUCTIVE;
  }
  return changes.length > 0 ? EXIT_CHANGES : EXIT_NO_CHANGE;
}
