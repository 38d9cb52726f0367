import { lab } from "../../../lab/environments";
import { describeLine, requireBackups, takeBackup } from "../../../operations/backup/take";
import { Platform } from "../../../operations/platform/platform";

const withBackups = new Platform({ ...lab, backup: { repository: { kind: "volume" } } });

/** Has os-backup log these lines and exit with a code. */
function logging(exitCode: number, ...lines: readonly object[]) {
  return jest.spyOn(withBackups.openSearch.backups, "take").mockImplementation(async (onLine) => {
    for (const line of lines) {
      onLine(JSON.stringify(line));
    }
    return { exitCode, output: "no such container: os-backup" };
  });
}

afterEach(() => jest.restoreAllMocks());

const take = (print: (line: string) => void = () => undefined) =>
  takeBackup(withBackups, { takeOver: false, print });

test("an environment without backups says how to declare them", () => {
  expect(() => requireBackups(new Platform(lab))).toThrow(
    'environment "lab" declares no backups: add backup: { repository: { kind: "volume" } } to lab/environments.ts, and run npm run up (docs/how-to/backup.md)',
  );
});

test("a backup shows its progress and what it removes", async () => {
  logging(
    0,
    { event: "start" },
    { event: "started", backup: "backup-1" },
    { event: "progress", backup: "backup-1", shards_done: 1, shards: 3, bytes: 2048 },
    { event: "retry", reason: "no answer" },
    { event: "created", resource: "backup-1" },
    { event: "removed", backup: "backup-0" },
    { event: "exit", exit_code: 0, reason: "done" },
  );
  const printed: string[] = [];
  await take((line) => printed.push(line));
  expect(printed).toEqual([
    "  backup backup-1 started",
    "  1 of 3 shards written, 2 KiB of new data",
    "  waiting: no answer",
    "  backup backup-1 is complete and verified",
    "  backup backup-0 removed: only the newest are kept",
  ]);
  expect(describeLine("not JSON")).toBeUndefined();
});

test("a backup that is not good fails with the reason", async () => {
  logging(
    65,
    { event: "start" },
    {
      event: "exit",
      exit_code: 65,
      reason: "backup backup-1 is PARTIAL, with 1 of 3 shards failed",
    },
  );
  await expect(take()).rejects.toThrow(
    /^no good backup: backup backup-1 is PARTIAL, with 1 of 3 shards failed$/,
  );
});

test("a good backup after which old ones remain fails, and is called good", async () => {
  const reason = "remove backup backup-0: timed out after 60s";
  logging(69, { event: "start" }, { event: "exit", exit_code: 69, created: 1, reason });
  await expect(take()).rejects.toThrow(`the backup is good, but old ones remain: ${reason}`);
});

test("a sidecar that does not run is a failure, with the remedy", async () => {
  logging(1);
  await expect(take()).rejects.toThrow(
    "os-backup does not run: no such container: os-backup. Run npm run up",
  );
});
