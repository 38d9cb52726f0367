import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makePrivate } from "../../secrets/secret-files";
import { PROJECT_ROOT } from "../synthesis/project";
import { readIfThere } from "./host";
import type { Lock } from "./volume";

type Taken = Pick<Lock, "id" | "environment">;

/**
 * Writes the id of a lock to this clone, beside its state. A virtual machine that was booted from the same image has the same name and the
 * same machine id as this one, but not this file.
 */
export function rememberLock({ id, environment }: Taken): void {
  const file = fileOf(environment);
  try {
    makePrivate(dirname(file));
    writeFileSync(file, `${id}\n`, { mode: 0o600 });
  } catch {
    // A clone that cannot be written, such as one of another user: after a reboot, the lock then counts as held.
  }
}

/** Whether this clone took a lock last. */
export function wasTakenHere({ id, environment }: Taken): boolean {
  return id !== "" && readIfThere(fileOf(environment)).trim() === id;
}

function fileOf(environment: string): string {
  return join(PROJECT_ROOT, ".state", environment, "environment-lock");
}
