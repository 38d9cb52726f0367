import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BackupRepository } from "../../../constructs";
import { renderRepository } from "../../../constructs/opensearch/opensearch-backup";
import { CLUSTER, FakeSnapshots } from "../../support/fake-snapshots";
import {
  ALPINE_SHELL,
  exitLine,
  INSTALLED_SHELLS,
  linesOf,
  RETRY,
  type SidecarOptions,
  type StartedSidecar,
  startSidecar,
} from "../../support/sidecar";
import { StoppedClock } from "../../support/stopped-clock";

let server: FakeSnapshots;
let url: string;
beforeEach(async () => {
  server = new FakeSnapshots();
  url = await server.start();
});
afterEach(() => server.stop());

interface Options {
  readonly repository?: BackupRepository;
  readonly env?: Readonly<Record<string, string>>;
  readonly shell?: string[];
  readonly clock?: StoppedClock;
  readonly tools?: SidecarOptions["tools"];
}

function start(
  script: "os-backup" | "take-backup",
  { repository = { kind: "path", path: "/mnt" }, env, ...options }: Options = {},
): StartedSidecar {
  return startSidecar({
    script: `opensearch/${script}.sh`,
    beside: ["rest.sh", "backups.sh", "take-backup.sh"].map((name) => `opensearch/${name}`),
    files: renderRepository(repository, "lab"),
    ...options,
    env: (directory) => ({
      OPENSEARCH_ENDPOINTS: url,
      OPENSEARCH_NODES: "3",
      BACKUP_ENVIRONMENT: "lab",
      BACKUP_REPOSITORY: "backups",
      BACKUP_EVERY_SECONDS: "3600",
      BACKUP_KEEP: "2",
      BACKUP_LOOK_SECONDS: "1",
      READY_FILE: `${directory}/ready`,
      BACKUP_PATH: "/mnt/backups",
      ...env,
    }),
  });
}

const take = (options?: Options) => start("take-backup", options).done;

/** Returns a clock by which every deadline passes while the repository is verified and a node cannot read it. */
function clockOfBroken(): StoppedClock {
  const clock = new StoppedClock();
  server.meanwhile = (request) => {
    if (server.broken && /_verify$|^PUT \/_snapshot\/backups$/.test(request)) {
      clock.pass(RETRY.deadlineSeconds);
    }
    return undefined;
  };
  return clock;
}

const names = () => server.snapshots.map(({ name }) => name);

describe("a backup", () => {
  test.each([
    ...INSTALLED_SHELLS.slice(0, 1).map(([, shell]) => shell),
    ...ALPINE_SHELL.map(([, shell]) => shell),
  ])(
    "is good once every shard is in the repository, which every node can read (%s)",
    async (...shell) => {
      const run = await take({ shell: shell.filter((word) => typeof word === "string") });
      expect(exitLine(run)).toMatchObject({ exit_code: 0, reason: "done", created: 1 });
      const [{ name, state, metadata }] = server.snapshots;
      expect(name).toMatch(/^backup-\d{4}-\d\d-\d\d-\d{6}$/);
      expect(state).toBe("SUCCESS");
      expect(metadata).toEqual({ taken_by: "groundwork", environment: "lab", cluster: CLUSTER });
      expect(
        linesOf(run, "progress").map(({ shards_done, shards, bytes }) => [
          shards_done,
          shards,
          bytes,
        ]),
      ).toEqual([
        [1, 3, 2048],
        [3, 3, 2048],
      ]);
      expect(server.changes).toEqual([
        `PUT /_snapshot/backups/${name}`,
        "POST /_snapshot/backups/_verify",
      ]);
    },
  );

  test("is a failure if OpenSearch calls it PARTIAL, although its status says SUCCESS, and replaces no good one", async () => {
    server.add("good-1");
    server.add("good-2");
    server.ends = "PARTIAL";
    const run = await take();
    expect(exitLine(run)).toMatchObject({
      exit_code: 65,
      reason: expect.stringMatching(
        /^backup \S+ is PARTIAL, with 1 of 3 shards failed: primary shard is not allocated$/,
      ),
    });
    expect(names()).toEqual(["good-1", "good-2", expect.any(String)]);
  });

  test("is a failure if a node cannot read the repository afterwards", async () => {
    server.broken = {
      type: "repository_verification_exception",
      reason: "[backups] not accessible",
    };
    const run = await take({ clock: clockOfBroken() });
    expect(exitLine(run)).toMatchObject({
      exit_code: 69,
      reason: expect.stringContaining("[backups] not accessible"),
    });
  });

  test("that OpenSearch could not write says where it may not write, and what to do", async () => {
    server.ends = "GONE";
    server.broken = {
      type: "access_denied_exception",
      reason: "/usr/share/opensearch/backups/lab",
    };
    const run = await take({ clock: clockOfBroken() });
    expect(exitLine(run)).toMatchObject({
      exit_code: 69,
      reason: expect.stringMatching(
        /^repository backups: timed out .*OpenSearch may not write to \/mnt\/backups: mount/,
      ),
    });
  });

  test("that somebody deleted while it ran is a failure with its name", async () => {
    Object.assign(server, { ends: "GONE", looks: 1 });
    expect(exitLine(await take())).toMatchObject({
      exit_code: 65,
      reason: expect.stringMatching(
        /^backup backup-[\d-]+ is not in the repository: somebody deleted it, or OpenSearch could not write it \(docker logs opensearch-1\)$/,
      ),
    });
  });

  test("that OpenSearch refuses is named", async () => {
    server.meanwhile = (request) =>
      request.startsWith("PUT /_snapshot/backups/backup-")
        ? [400, { error: { type: "invalid_snapshot_name_exception", reason: "not this name" } }]
        : undefined;
    expect(exitLine(await take())).toMatchObject({
      exit_code: 65,
      reason: expect.stringMatching(/^backup backup-[\d-]+: OpenSearch refuses: not this name/),
    });
  });

  test("removes good ones beyond those to keep, and bad ones before it, and no snapshot of another program", async () => {
    server.snapshots.push({ name: "by-hand", state: "SUCCESS", startMs: 1 });
    for (const name of ["good-1", "good-2", "good-3"]) {
      server.add(name);
    }
    server.add("bad", "PARTIAL");
    const run = await take();
    expect(exitLine(run).exit_code).toBe(0);
    expect(names()).toEqual(["by-hand", "good-3", expect.stringMatching(/^backup-/)]);
    expect(linesOf(run, "removed").map(({ backup }) => backup)).toEqual([
      "bad",
      "good-2",
      "good-1",
    ]);
  });

  test("removes none of another cluster, whose data may be lost, and counts only its own", async () => {
    for (const [name, state] of [
      ["lost-1", "SUCCESS"],
      ["lost-2", "PARTIAL"],
      ["lost-3", "SUCCESS"],
    ]) {
      server.add(name, state, "lost-cluster");
    }
    const env = { BACKUP_KEEP: "1", BACKUP_TAKE_OVER: "yes" };
    expect(linesOf(await take({ env }), "removed")).toEqual([]);
    expect(names()).toEqual(["lost-1", "lost-2", "lost-3", expect.stringMatching(/^backup-/)]);
    server.snapshots = server.snapshots.slice(0, 3);
    server.add("own");
    expect(linesOf(await take({ env }), "removed").map(({ backup }) => backup)).toEqual(["own"]);
  });

  test("waits for the removal of an old one for longer than for an answer", async () => {
    for (const name of ["good-1", "good-2"]) {
      server.add(name);
    }
    const clock = new StoppedClock();
    const unavailable = { error: { type: "restore_in_progress", reason: "a restore runs" } };
    let removals = 0;
    server.meanwhile = (request) => {
      if (!request.startsWith("DELETE") || ++removals > 1) {
        return undefined;
      }
      clock.pass(3000);
      return [503, unavailable];
    };
    const calls = mkdtempSync(join(tmpdir(), "calls-"));
    const curl = execFileSync("sh", ["-c", "command -v curl"], { encoding: "utf8" }).trim();
    const run = await take({
      clock,
      tools: { curl: `#!/bin/sh\necho "$*" >>'${calls}/calls'\nexec '${curl}' "$@"\n` },
    });
    const made = readFileSync(join(calls, "calls"), "utf8").trim().split("\n");
    rmSync(calls, { recursive: true });
    expect(exitLine(run)).toMatchObject({ exit_code: 0, attempts: 2 });
    expect(linesOf(run, "removed").map(({ backup }) => backup)).toEqual(["good-1"]);
    const limits = made.map(
      (call) => /--max-time (\d+) --request (\w+)/.exec(call)?.slice(1) ?? [],
    );
    expect(new Set(limits.map(([seconds, method]) => `${method} ${seconds}`))).toEqual(
      new Set(["GET 20", "PUT 20", "POST 20", "GET 300", "DELETE 300"]),
    );
  });

  test("is refused while another one runs", async () => {
    server.add("running", "IN_PROGRESS");
    const run = await take();
    expect(exitLine(run)).toMatchObject({
      exit_code: 69,
      reason: "backup running is still running: wait until it ends",
    });
    expect(server.changes).toEqual([]);
  });

  test("is refused if the newest one is of another cluster, unless it takes over", async () => {
    server.add("theirs", "SUCCESS", "that-cluster");
    const refused = await take();
    expect(exitLine(refused)).toMatchObject({
      exit_code: 73,
      reason:
        "the newest backup theirs is of another cluster (that-cluster; this one is this-cluster), and one cluster at a time may write to a repository: if that cluster is gone, restore what you need and run npm run backup -- --take-over; if it still runs, give this environment another repository",
    });
    expect(server.changes).toEqual([]);
    const taken = await take({ env: { BACKUP_TAKE_OVER: "yes" } });
    expect(exitLine(taken).exit_code).toBe(0);
    expect(exitLine(await take()).exit_code).toBe(0);
  });
});

/** Runs os-backup until it has logged that many lines of an event. */
async function runUntil(event: string, count: number, options?: Options) {
  const sidecar = start("os-backup", options);
  await sidecar.seen(event, count);
  sidecar.process.kill("SIGTERM");
  return sidecar.done;
}

describe("the schedule", () => {
  test("registers and verifies the repository, and takes the first backup at once", async () => {
    const run = await runUntil("state", 2);
    expect(run.exitCode).toBe(143);
    expect(server.repository).toEqual({
      type: "fs",
      settings: { location: "/usr/share/opensearch/backups/lab", groundwork_storage: "/mnt" },
    });
    const [name] = names();
    const verified = "POST /_snapshot/backups/_verify";
    expect(server.changes).toEqual([
      ...["PUT /_snapshot/backups", verified, verified],
      ...[`PUT /_snapshot/backups/${name}`, verified, verified],
    ]);
    expect(linesOf(run, "state").map(({ good, newest }) => [good, newest])).toEqual([
      [0, undefined],
      [1, name],
    ]);
    const [, { newest_timestamp_seconds: newest }] = linesOf(run, "state");
    expect(newest).toBe(Math.floor(server.snapshots[0].startMs / 1000));
  });

  test("takes none while the newest good one is young, and says which that is", async () => {
    server.add("young");
    server.snapshots[0] = { ...server.snapshots[0], startMs: Date.now() };
    const run = await runUntil("state", 3);
    expect(names()).toEqual(["young"]);
    expect(linesOf(run, "state").at(-1)).toMatchObject({ good: 1, newest: "young" });
  });

  test("knows no good backup of a new cluster, and says that another one's is in the repository", async () => {
    server.add("theirs", "SUCCESS", "that-cluster");
    server.snapshots[0] = { ...server.snapshots[0], startMs: Date.now() };
    const run = await runUntil("exit", 1);
    expect(linesOf(run, "state")[0]).toMatchObject({ level: "warn", good: 0 });
    expect(linesOf(run, "exit")[0].reason).toMatch(
      /^the newest backup theirs is of another cluster/,
    );
    expect(names()).toEqual(["theirs"]);
  });

  test("leaves a repository that is registered as declared, and registers a changed one", async () => {
    server.add("young");
    server.snapshots[0] = { ...server.snapshots[0], startMs: Date.now() };
    server.repository = {
      type: "fs",
      settings: { location: "/usr/share/opensearch/backups/lab", groundwork_storage: "/mnt" },
    };
    await runUntil("ready", 1);
    expect([...new Set(server.changes)]).toEqual(["POST /_snapshot/backups/_verify"]);
    server.repository.settings.location = "/elsewhere";
    await runUntil("ready", 1);
    expect(server.changes).toContain("PUT /_snapshot/backups");
  });

  test("takes backups in each storage that is declared, also in a former one", async () => {
    const storages: Record<string, FakeSnapshots["snapshots"]> = {};
    for (const path of ["/mnt", "/elsewhere", "/mnt"]) {
      server.snapshots = storages[path] ?? [];
      server.isStorageChanged = server.repository !== undefined;
      const repository = { kind: "path", path } as const;
      await runUntil("created", 1, { repository, env: { BACKUP_EVERY_SECONDS: "1" } });
      expect(server.repository?.settings.groundwork_storage).toBe(path);
      storages[path] = server.snapshots;
    }
    expect(names().length).toBeGreaterThanOrEqual(2);
    server.isStorageChanged = true;
    await runUntil("state", 1, { repository: { kind: "volume" } });
    expect(server.repository?.settings.groundwork_storage).toBe("volume");
  });

  test.each([
    ["that was registered as declared", { groundwork_storage: "/mnt" }],
    ["that an earlier version registered", {}],
  ])(
    "takes no backup in another storage than the declared one, such as a missing mount, in a repository %s",
    async (_, storage) => {
      const location = "/usr/share/opensearch/backups/lab";
      server.repository = { type: "fs", settings: { location, ...storage } };
      server.isStorageChanged = true;
      const clock = new StoppedClock();
      server.meanwhile = (request) => {
        if (/_all/.test(request)) {
          clock.pass(RETRY.deadlineSeconds);
        }
        return undefined;
      };
      const event = "groundwork_storage" in storage ? "failed" : "exit";
      const run = await runUntil(event, 1, { clock });
      expect(linesOf(run, event)[0].reason).toMatch(
        /: The storage of repository backups, \/mnt\/backups, is not as OpenSearch left it: if it is not mounted, mount it again; if another cluster writes to it, stop that; if you replaced it on purpose, keep it\. Then register it again as in docs\/how-to\/backup\.md#if-the-storage-is-not-as-expected\. GET .*do not match its expected state/,
      );
      expect(server.changes.filter((one) => /^(PUT|DELETE)/.test(one))).toEqual([]);
      expect(names()).toEqual([]);
    },
  );

  test("registers a repository of an earlier version once, which does not name its storage", async () => {
    server.add("young");
    server.snapshots[0] = { ...server.snapshots[0], startMs: Date.now() };
    server.repository = { type: "fs", settings: { location: "/usr/share/opensearch/backups/lab" } };
    await runUntil("state", 2);
    expect(server.changes.filter((one) => /^PUT/.test(one))).toEqual(["PUT /_snapshot/backups"]);
    expect(server.repository?.settings.groundwork_storage).toBe("/mnt");
    expect(names()).toEqual(["young"]);
  });

  test("registers the repository again if somebody removed or changed it", async () => {
    server.add("young");
    server.snapshots[0] = { ...server.snapshots[0], startMs: Date.now() };
    const sidecar = start("os-backup");
    const declared = {
      type: "fs",
      settings: { location: "/usr/share/opensearch/backups/lab", groundwork_storage: "/mnt" },
    };
    await sidecar.seen("state", 1);
    server.repository = undefined;
    await sidecar.seen("state", 3);
    expect(server.repository).toEqual(declared);
    server.repository = { ...declared, settings: { ...declared.settings, readonly: "true" } };
    await sidecar.seen("state", 5);
    sidecar.process.kill("SIGTERM");
    await sidecar.done;
    expect(server.repository).toEqual(declared);
  });

  test("knows no good backup and takes none while a node cannot read the repository, and says so", async () => {
    server.add("old");
    const sidecar = start("os-backup", { clock: clockOfBroken() });
    await sidecar.seen("state", 2);
    const [state, taken] = [names().length, server.changes.length];
    server.broken = {
      type: "repository_verification_exception",
      reason: "[backups] not accessible",
    };
    await sidecar.seen("failed", 2);
    sidecar.process.kill("SIGTERM");
    const run = await sidecar.done;
    expect(linesOf(run, "failed")[0].reason).toMatch(
      /\[backups\] not accessible.*The same storage must be mounted on the machine of every node$/,
    );
    expect(names()).toHaveLength(state);
    expect([...new Set(server.changes.slice(taken))]).toEqual(["POST /_snapshot/backups/_verify"]);
  });

  test("is terminated while it waits for a node that cannot read the repository", async () => {
    const sidecar = start("os-backup");
    await sidecar.seen("state", 2);
    server.broken = {
      type: "repository_verification_exception",
      reason: "[backups] not accessible",
    };
    await sidecar.seen("retry");
    sidecar.process.kill("SIGTERM");
    const run = await sidecar.done;
    expect(linesOf(run, "exit").at(-1)).toMatchObject({ exit_code: 143, reason: "terminated" });
    expect(linesOf(run, "failed")).toEqual([]);
  });

  test("waits for the end of a backup that its own end interrupts", async () => {
    server.looks = Number.POSITIVE_INFINITY;
    // The supervisor of a backup ends late: its folder is below that of os-backup's own.
    const date = `#!/bin/sh
case $GROUNDWORK_RUN_DIR in */os-backup.*/os-backup.*) sleep 0.5 ;; esac
exec /bin/date "$@"
`;
    const sidecar = start("os-backup", { tools: { date } });
    await sidecar.seen("progress");
    sidecar.process.kill("SIGTERM");
    const run = await sidecar.done;
    expect(linesOf(run, "exit").map(({ exit_code, reason }) => [exit_code, reason])).toEqual([
      [143, "terminated"],
      [143, "terminated"],
    ]);
    expect(run.exitCode).toBe(143);
  });

  test("tries again after a failure, later each time", async () => {
    server.ends = "PARTIAL";
    const run = await runUntil("started", 3);
    const starts = linesOf(run, "started").map(({ ts }) => Date.parse(ts));
    expect(starts[2] - starts[0]).toBeGreaterThanOrEqual(2000);
    expect(linesOf(run, "state").every(({ good }) => good === 0)).toBe(true);
  });

  test.each([
    [
      {
        type: "access_denied_exception",
        reason: "/usr/share/opensearch/backups/lab",
      },
      /OpenSearch may not write to \/mnt\/backups: mount the storage there and give it to user 1000 on the machine of every node \(chown 1000:1000\)\. PUT .*HTTP 500: \/usr\/share\/opensearch\/backups\/lab$/,
    ],
    [
      {
        type: "repository_verification_exception",
        reason: "[backups] path is not accessible on node",
      },
      /The same storage must be mounted on the machine of every node$/,
    ],
  ])(
    "does not start with a repository that a node cannot use, and says what to do",
    async (error, remedy) => {
      server.broken = error;
      const run = await start("os-backup", { clock: clockOfBroken() }).done;
      expect(exitLine(run)).toMatchObject({ exit_code: 69, reason: expect.stringMatching(remedy) });
      expect(linesOf(run, "ready")).toEqual([]);
    },
  );

  test("does not start with a bucket that a node cannot use, and says what to do", async () => {
    server.plugins = ["repository-s3"];
    server.broken = {
      type: "repository_verification_exception",
      reason: "[backups] path [lab] is not accessible on cluster-manager node",
    };
    const repository = { kind: "s3", bucket: "copies" } as const;
    const run = await start("os-backup", { repository, clock: clockOfBroken() }).done;
    expect(exitLine(run)).toMatchObject({
      exit_code: 69,
      reason: expect.stringMatching(
        /: Every node must reach the bucket with the credentials in its keystore or of its machine\. PUT .*cluster-manager node$/,
      ),
    });
  });

  test("does not start with a bucket if the nodes lack the plugin", async () => {
    const repository = { kind: "s3", bucket: "copies" } as const;
    const run = await start("os-backup", { repository }).done;
    expect(exitLine(run)).toMatchObject({
      exit_code: 78,
      reason:
        "the repository needs the plugin repository-s3, which the image of opensearch-1 opensearch-2 lacks: build an image with it and set openSearch.image (docs/how-to/backup.md), or declare a repository of kind volume or path",
    });
    server.plugins = ["analysis-icu", "repository-s3"];
    await runUntil("ready", 1, { repository });
    expect(server.repository).toEqual({
      type: "s3",
      settings: { bucket: "copies", base_path: "lab" },
    });
  });
});
