import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { validate } from "../constructs/container/validation";

// Secrets of earlier versions are in another folder and have other names. They are moved, since a new CA would be refused by what runs.

/** Earlier names below a folder of secrets, and those of now. A folder comes before what is in it. */
const RENAMES = [
  ["authority", "ca"],
  ["ca/authority.pem", "ca/ca.pem"],
  ["ca/trusted.pem", "ca/bundle.pem"],
  ["identities", "key-pairs"],
] as const;

/**
 * Moves a folder of secrets as it is, and goes on where an earlier call was interrupted. Returns whether there was something to move.
 * Throws if both folders have secrets.
 *
 * @param root Folder that both paths are below.
 */
export function moveSecrets(root: string, from: string, to: string): boolean {
  const [source, target] = [join(root, from), join(root, to)];
  const found = existsSync(source);
  if (found && existsSync(target)) {
    // A copy that was complete when the removal of what it is of was interrupted.
    validate(
      isCopied(source, target),
      () =>
        `${from} and ${to} both have secrets: keep those that the platform was deployed with and remove the others, with rm -r ${from} or rm -r ${to}`,
    );
    rmSync(source, { recursive: true });
  } else if (found) {
    moveFolder(source, target);
  }
  return found;
}

/** Gives what is in a folder of secrets the names of now. Returns whether something had an earlier one. */
export function renameSecretFiles(folder: string): boolean {
  let renamed = false;
  for (const [earlier, now] of RENAMES) {
    const [from, to] = [join(folder, earlier), join(folder, now)];
    if (existsSync(from)) {
      validate(
        !existsSync(to),
        () =>
          `${from} and ${to} both have secrets, the first under the name of an earlier version: keep those in use and remove the others, with rm -r ${from} or rm -r ${to}`,
      );
      renameSync(from, to);
      renamed = true;
    }
  }
  return renamed;
}

/** The commands that give what is in a folder of secrets the names of now; nothing if nothing has an earlier one. */
export function renameCommands(folder: string): string | undefined {
  const isThere = (name: string) => existsSync(join(folder, name));
  const found = (name: string) => isThere(name) || isThere(name.replace(/^ca\//, "authority/"));
  const renames = RENAMES.filter(([earlier, now]) => found(earlier) && !found(now));
  return renames.length > 0
    ? [`cd "${folder}"`, ...renames.map((names) => `mv ${names.join(" ")}`)].join(" && ")
    : undefined;
}

/** Another file system takes a copy, which has its name when it is complete. */
function moveFolder(source: string, target: string): void {
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  try {
    renameSync(source, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") {
      throw error;
    }
    const copy = `${target}.new`;
    rmSync(copy, { recursive: true, force: true });
    mkdirSync(copy, { mode: 0o700 });
    // A password that seems newer than its hash would have another one made.
    cpSync(source, copy, { recursive: true, preserveTimestamps: true });
    renameSync(copy, target);
    rmSync(source, { recursive: true });
  }
}

/** Whether all that a folder has is in another one too, under the same names. */
function isCopied(folder: string, copy: string): boolean {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .every((file) => {
      const other = join(copy, file.slice(folder.length));
      return existsSync(other) && readFileSync(other).equals(readFileSync(file));
    });
}
