import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./root";

/** The folder with a log for each command of a suite, and for each wait with its last findings. It stays after the suite. */
export const COMMAND_LOGS = join(ROOT, ".state", "e2e");

let logs = 0;

/** Returns the path of a new log of a command or a wait. The runner of the suite counts writes to it as progress. */
export function newLog(...words: readonly string[]): string {
  mkdirSync(COMMAND_LOGS, { recursive: true });
  const name = words.join("-").replace(/[^\w.-]+/g, "-");
  return join(COMMAND_LOGS, `${String(++logs).padStart(3, "0")}-${name.slice(0, 60)}.log`);
}

/** Returns the end of a command's output, which says why it failed. */
export function lastLines(output: string, count = 50): string {
  const lines = output.trimEnd().split("\n");
  const left = lines.length - count;
  return (left > 0 ? [`[${left} lines before]`, ...lines.slice(-count)] : lines).join("\n");
}
