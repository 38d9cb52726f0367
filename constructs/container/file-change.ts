/** What a change of a file means for the user. */
export interface FileChange {
  readonly details: string[];
  readonly destructive: string[];
  readonly warnings: string[];
  /** Stored records that the change deletes. They are destructive too. */
  readonly dataLoss?: string[];
  /** Why a deploy of the change is refused, each with the remedy. */
  readonly refusals?: string[];
  /** The topics and retention policies without a former declaration. The cluster may have them nevertheless, with data. */
  readonly newlyDeclared?: NewlyDeclared[];
}

/** A topic or retention policy without a former declaration. */
export interface NewlyDeclared {
  readonly kind: "topic" | "retention-policy";
  readonly name: string;
}

/** Returns a change that only has details. */
export function facts(...details: string[]): FileChange {
  return { details, destructive: [], warnings: [] };
}

/** Merges changes. */
export function together(changes: readonly FileChange[]): FileChange {
  return {
    details: changes.flatMap(({ details }) => details),
    destructive: changes.flatMap(({ destructive }) => destructive),
    warnings: changes.flatMap(({ warnings }) => warnings),
    dataLoss: changes.flatMap(({ dataLoss = [] }) => dataLoss),
    refusals: changes.flatMap(({ refusals = [] }) => refusals),
    newlyDeclared: changes.flatMap(({ newlyDeclared = [] }) => newlyDeclared),
  };
}
