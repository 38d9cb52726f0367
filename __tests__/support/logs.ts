import { join } from "node:path";

/** What each command of a suite printed, a file each, while it runs and afterwards. */
export const COMMAND_LOGS = join(__dirname, "..", "..", ".state", "e2e");

/** The end of what a command printed, which says why it failed. */
export function lastLines(output: string, count = 50): string {
  const lines = output.trimEnd().split("\n");
  const left = lines.length - count;
  return (left > 0 ? [`[${left} lines before]`, ...lines.slice(-count)] : lines).join("\n");
}
