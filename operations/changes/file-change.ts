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
