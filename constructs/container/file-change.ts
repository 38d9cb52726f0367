/** What a changed file means, in the user's words. */
export interface FileChange {
  readonly details: string[];
  readonly destructive: string[];
  readonly warnings: string[];
}

/** What is told and nothing more. */
export function facts(...details: string[]): FileChange {
  return { details, destructive: [], warnings: [] };
}

/** What several changes mean together. */
export function together(changes: readonly FileChange[]): FileChange {
  return {
    details: changes.flatMap(({ details }) => details),
    destructive: changes.flatMap(({ destructive }) => destructive),
    warnings: changes.flatMap(({ warnings }) => warnings),
  };
}
