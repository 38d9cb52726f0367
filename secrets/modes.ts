import { accessSync, chmodSync, constants, existsSync, readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { ValidationError, validate } from "../constructs/container/validation";

/** Permissions of the group and of other users. */
const GROUP_AND_OTHERS = 0o077;
/** The group may read a file of another owner: otherwise this user could not, as with fsGroup of Kubernetes. */
const GROUP_WRITES_OR_OTHERS = 0o027;

/**
 * Closes every file in a folder of generated secrets to other users, and prints which ones were open. Other users need the CA bundle, which
 * is no secret. Throws if a file belongs to another user.
 *
 * @param isPublic Whether a file, relative to the folder, is no secret.
 */
export function closeSecrets(folder: string, isPublic: (file: string) => boolean): void {
  if (!existsSync(folder)) {
    return;
  }
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  closeFiles(
    folder,
    files.filter((file) => !isPublic(file)),
  );
}

/** Closes these files to other users, and prints which ones were open. Throws if a file belongs to another user. */
export function closeFiles(folder: string, files: readonly string[]): void {
  const open = openFiles(folder, files, () => GROUP_AND_OTHERS);
  for (const { file } of open) {
    try {
      chmodSync(join(folder, file), 0o600);
    } catch (error) {
      throw new ValidationError(
        `other users on this machine can read ${join(folder, file)}, and its mode cannot be changed (${(error as Error).message}): run sudo chown "$USER" "${join(folder, file)}"`,
      );
    }
  }
  if (open.length > 0) {
    console.error(
      `closed ${named(open)} in ${folder}, which other users on this machine could read: rotate what they may have read`,
    );
  }
}

/**
 * Throws if other users can read one of these files, as ssh does for keys. The group may read a file of another owner, as PostgreSQL allows
 * it for the key of a server.
 */
export function refuseOpenFiles(folder: string, files: readonly string[]): void {
  const user = process.getuid?.();
  const open = openFiles(folder, files, (owner) =>
    owner === user ? GROUP_AND_OTHERS : GROUP_WRITES_OR_OTHERS,
  );
  validate(
    open.length === 0,
    () =>
      `other users on this machine can read ${named(open)} in ${folder}: ${remedyFor(folder, open[0], user)}`,
  );
}

interface OpenFile {
  readonly file: string;
  readonly mode: number;
  readonly owner: number;
}

/** Returns the existing files with one of the forbidden permissions, which depend on their owner. Follows links. */
function openFiles(
  folder: string,
  files: readonly string[],
  forbidden: (owner: number) => number,
): OpenFile[] {
  return files.flatMap((file) => {
    const found = statSync(join(folder, file), { throwIfNoEntry: false });
    // A folder in a file's place is refused when it is read.
    return found?.isFile() && (found.mode & forbidden(found.uid)) !== 0
      ? [{ file, mode: found.mode & 0o777, owner: found.uid }]
      : [];
  });
}

function named(open: readonly OpenFile[]): string {
  const [{ file, mode }] = open;
  const more = open.length > 1 ? ` and ${open.length - 1} more` : "";
  return `${file} (mode ${mode.toString(8)})${more}`;
}

function remedyFor(folder: string, { file, owner }: OpenFile, user: number | undefined): string {
  if (isReadOnly(join(folder, file))) {
    return "it is mounted read-only, so set the mode where it is mounted: defaultMode: 0400 in Kubernetes, or 0440 with fsGroup, and mode: 0400 in a Compose file";
  }
  return owner === user ? `run chmod -R go= "${folder}"` : `run sudo chmod -R g-w,o= "${folder}"`;
}

function isReadOnly(file: string): boolean {
  try {
    accessSync(file, constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EROFS";
  }
}
