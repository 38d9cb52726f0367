import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../operations/synthesis/project";
import { CommandError } from "../../operations/terminal/terminal";

/** Copies the project to a folder in which files can be changed. Shares `node_modules` and `.state`. Returns the folder. */
export function copyOfProject(copy = mkdtempSync(join(tmpdir(), "groundwork-copy-"))): string {
  const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], {
    cwd: PROJECT_ROOT,
  });
  const archive = execFileSync("tar", ["--create", "--files-from", "-"], {
    cwd: PROJECT_ROOT,
    input: files,
    maxBuffer: 256 * 1024 * 1024,
  });
  execFileSync("tar", ["--extract"], { cwd: copy, input: archive });
  // A clone that never deployed has no state folder, and nothing can be written through a dangling link.
  mkdirSync(join(PROJECT_ROOT, ".state"), { recursive: true });
  for (const shared of ["node_modules", ".state"]) {
    symlinkSync(join(PROJECT_ROOT, shared), join(copy, shared));
  }
  return copy;
}

/** Replaces text in a file of a copy. Throws if the file does not contain it. */
export function editCopy(copy: string, file: string, from: string, to: string): void {
  const path = join(copy, file);
  const text = readFileSync(path, "utf8");
  if (!text.includes(from)) {
    throw new CommandError(`cannot edit ${file}: it does not contain ${JSON.stringify(from)}`);
  }
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
}
