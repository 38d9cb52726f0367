import type { StoredBackup } from "../platform/open-search-backups";
import { counted, table } from "../terminal/terminal";

/** The meaning of each state of a snapshot. */
const STATES: Readonly<Record<string, string>> = {
  SUCCESS: "good",
  PARTIAL: "not good: some shards are missing",
  FAILED: "not good: it failed",
  IN_PROGRESS: "running",
};

/** Renders the backups, the newest first. */
export function renderBackups(backups: readonly StoredBackup[]): string {
  return backups.length === 0
    ? "there are no backups: npm run backup takes one"
    : table([
        ["backup", "started", "content", "state"],
        ...[...backups]
          .reverse()
          .map(({ name, isOwn, startedAt, indices, dataStreams, state }) => [
            name,
            startedAt.replace("T", " ").replace(/\.\d+Z$/, " UTC"),
            [
              counted(indices.length, "index", "indices"),
              ...(dataStreams.length > 0 ? [counted(dataStreams.length, "data stream")] : []),
            ].join(", "),
            `${STATES[state] ?? state}${isOwn ? "" : " (of another program)"}`,
          ]),
      ]);
}
