import type { BrokerDisk } from "./broker-disk";
import type { Change, Totals } from "./change";
import type { Roll } from "./roll";

/** The content of a preview or plan of one environment. */
export interface ChangeReport {
  readonly environment: string;
  /** What the environment is compared with, such as `main`. */
  readonly against: string;
  readonly changes: readonly Change[];
  readonly rolls: readonly Roll[];
  readonly before: Totals;
  readonly after: Totals;
  readonly memoryBudgetMiB: number;
  /** Unset if the environment does not declare the disk of its brokers. */
  readonly brokerDisk?: BrokerDisk;
  readonly consequences: Consequences;
}

/** What a deploy means for the running clusters. A preview asks none, so it only estimates the moves. */
export interface Consequences {
  /** Why npm run up would refuse the deploy, each with the remedy. */
  readonly refusals: readonly string[];
  /** What moves between nodes. */
  readonly moves: readonly string[];
  /** What can be done once everything is deployed. */
  readonly afterwards: readonly string[];
}

export const NO_CONSEQUENCES: Consequences = { refusals: [], moves: [], afterwards: [] };

/** Nothing changes. @internal */
export const EXIT_NO_CHANGE = 0;
/** Something changes. @internal */
export const EXIT_CHANGES = 2;
/** Something is lost or interrupted. @internal */
export const EXIT_DESTRUCTIVE = 3;

/** Returns the exit code of a preview or plan over all environments. */
export function exitCodeOf(reports: readonly ChangeReport[]): number {
  const changes = reports.flatMap((report) => report.changes);
  if (changes.some(({ destructive }) => destructive.length > 0)) {
    return EXIT_DESTRUCTIVE;
  }
  return changes.length > 0 ? EXIT_CHANGES : EXIT_NO_CHANGE;
}
