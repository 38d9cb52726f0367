/** What an import writes and says. */
export interface Imported {
  /** What it is, with its name: `dashboard "Kafka"`. */
  readonly what: string;
  /** The files by their path in the project. */
  readonly files: ReadonlyMap<string, string>;
  /** Files that are written only if they do not exist. */
  readonly stubs?: ReadonlyMap<string, string>;
  /** What was adapted to the platform. */
  readonly changes: readonly string[];
  /** What could not be imported, with the reason. */
  readonly lost: readonly string[];
}

/** Returns a name of lowercase letters, digits and hyphens for a file. */
export function fileName(text: string): string {
  return (
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-+|-+$/g, "") || "imported"
  );
}
