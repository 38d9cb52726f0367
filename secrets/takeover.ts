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

// Earlier versions kept secrets in another folder under other names. They are moved: running services would reject a new CA.

/** Earlier and current names in a secrets folder. A folder comes before its content. */
const RENAMES = [
  ["authority", "ca"],
  ["ca/authority.pem", "ca/ca.pem"],
  ["ca/trusted.pem", "ca/bundle.pem"],
  ["identities", "key-pairs"],
] as const;

/**
 * Moves a secrets folder, and completes an interrupted move. Returns whether there was anything to move. Throws if both folders have
 * secrets.
 *
 * @param root Folder that both paths are relative to.
 */
export function moveSecrets(root: string, from: string, to: string): boolean {
  const [source, target] = [join(root, from), join(root, to)];
  const found = existsSync(source);
  if (found && existsSync(target)) {
    // Complete copies come from an interrupted move across file systems.
    validate(
      isCopied(source, target),
      () =>
        `${from} and ${to} both have secrets: keep the folder that the platform was deployed with and remove the other, with rm -r ${from} or rm -r ${to}`,
    );
    rmSync(source, { recursive: true });
  } else if (found) {
    moveFolder(source, target);
  }
  return found;
}

/** Renames files with earlier names in a secrets folder. Returns whether there were any. */
export function renameSecretFiles(folder: string): boolean {
  let renamed = false;
  for (const [earlier, now] of RENAMES) {
    const [from, to] = [join(folder, earlier), join(folder, now)];
    if (existsSync(from)) {
      validate(
        !existsSync(to),
        () =>
          `${from} and ${to} both have secrets, and the first is the name of an earlier version: keep the one in use and remove the other, with rm -r ${from} or rm -r ${to}`,
      );
      renameSync(from, to);
      renamed = true;
    }
  }
  return renamed;
}

/** Returns the shell commands that rename files with earlier names, or `undefined` if there are none. */
export function renameCommands(folder: string): string | undefined {
  const isThere = (name: string) => existsSync(join(folder, name));
  const found = (name: string) => isThere(name) || isThere(name.replace(/^ca\//, "authority/"));
  const renames = RENAMES.filter(([earlier, now]) => found(earlier) && !found(now));
  return renames.length > 0
    ? [`cd "${folder}"`, ...renames.map((names) => `mv ${names.join(" ")}`)].join(" && ")
    : undefined;
}

/** Moves a folder, also to another file system: the copy gets its final name once it is complete. */
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
    cpSync(source, copy, { recursive: true });
    renameSync(copy, target);
    rmSync(source, { recursive: true });
  }
}

/** Returns whether every file of a folder is also in another one, with the same content. */
function isCopied(folder: string, copy: string): boolean {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .every((file) => {
      const other = join(copy, file.slice(folder.length));
      return existsSync(other) && readFileSync(other).equals(readFileSync(file));
    });
}
