import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../operations/synthesis/project";
import { CommandError } from "../../operations/terminal/terminal";

/** A copy of the project, to change, that deploys the same lab. */
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
  // A clone that has deployed nothing has no state yet, and a link to nothing cannot be written to.
  mkdirSync(join(PROJECT_ROOT, ".state"), { recursive: true });
  for (const shared of ["node_modules", ".state"]) {
    symlinkSync(join(PROJECT_ROOT, shared), join(copy, shared));
  }
  return copy;
}

/** Changes a file of a copy. Fails where that is not what the file has. */
export function editCopy(copy: string, file: string, from: string, to: string): void {
  const path = join(copy, file);
  const text = readFileSync(path, "utf8");
  if (!text.includes(from)) {
    throw new CommandError(`${file} has no ${JSON.stringify(from)} to change`);
  }
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
}
