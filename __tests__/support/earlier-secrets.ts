import { readdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { join, relative } from "node:path";

/** The files that an earlier version kept in other places or under other names, in the order of renaming. */
export const RENAMES = [
  ["authority", "ca"],
  ["ca/authority.pem", "ca/ca.pem"],
  ["ca/trusted.pem", "ca/bundle.pem"],
  ["identities", "key-pairs"],
] as const;

/** Renames the files of a secrets folder to the names of an earlier version. */
export function nameAsBefore(folder: string): void {
  for (const [earlier, now] of [...RENAMES].reverse()) {
    renameSync(join(folder, now), join(folder, earlier));
  }
}

/** Returns the content of every file, by its path below the folder. */
export function contentsOf(folder: string): Map<string, string> {
  return new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((file) => [relative(folder, file), readFileSync(file, "utf8")]),
  );
}

/** Returns the paths in the folder that other users have permissions for. */
export function readableByOthers(folder: string): string[] {
  return ["", ...(readdirSync(folder, { recursive: true }) as string[])].filter(
    (path) => (statSync(join(folder, path)).mode & 0o077) !== 0,
  );
}
