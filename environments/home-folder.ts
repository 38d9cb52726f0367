import { homedir } from "node:os";

/** Returns this user's home folder. Undefined for a user id without one, as a container may have. */
export function homeFolder(): string | undefined {
  try {
    return homedir();
  } catch {
    return undefined;
  }
}
