import { readdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { join, relative } from "node:path";

/** What a version before had in another place and under other names, in the order in which it is renamed. */
export const RENAMES = [
  ["authority", "ca"],
  ["ca/authority.pem", "ca/ca.pem"],
  ["ca/trusted.pem", "ca/bundle.pem"],
  ["identities", "key-pairs"],
] as const;

/** Gives a folder of secrets the names that a version before gave them. */
export function nameAsBefore(folder: string): void {
  for (const [earlier, now] of [...RENAMES].reverse()) {
    renameSync(join(folder, now), join(folder, earlier));
  }
}

/** The content of every file, by its path below the folder. */
export function contentsOf(folder: string): Map<string, string> {
  return new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((file) => [relative(folder, file), readFileSync(file, "utf8")]),
  );
}

/** What others than this user may do with the folder and all that is in it: none of it, if that is empty. */
export function readableByOthers(folder: string): string[] {
  return ["", ...(readdirSync(folder, { recursive: true }) as string[])].filter(
    (path) => (statSync(join(folder, path)).mode & 0o077) !== 0,
  );
}
