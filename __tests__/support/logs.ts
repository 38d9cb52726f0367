import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./root";

/** What each command of a suite printed and what each wait missed last, a file each, while it runs and afterwards. */
export const COMMAND_LOGS = join(ROOT, ".state", "e2e");

let logs = 0;

/** The path of a log that begins: of a command, or of a wait. Whatever is written there is progress to the one who runs the suite. */
export function newLog(...words: readonly string[]): string {
  mkdirSync(COMMAND_LOGS, { recursive: true });
  const name = words.join("-").replace(/[^\w.-]+/g, "-");
  return join(COMMAND_LOGS, `${String(++logs).padStart(3, "0")}-${name.slice(0, 60)}.log`);
}

/** The end of what a command printed, which says why it failed. */
export function lastLines(output: string, count = 50): string {
  const lines = output.trimEnd().split("\n");
  const left = lines.length - count;
  return (left > 0 ? [`[${left} lines before]`, ...lines.slice(-count)] : lines).join("\n");
}
