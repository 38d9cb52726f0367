import { renderBackups } from "../../../operations/backup/render";
import { describeReplaced, planOf, planRestore, restore } from "../../../operations/backup/restore";
import {
  type Existing,
  OpenSearchBackups,
  type StoredBackup,
} from "../../../operations/platform/open-search-backups";
import type { Json } from "../../support/platform";

const BACKUP: StoredBackup = {
  name: "backup-1",
  state: "SUCCESS",
  isOwn: true,
  startedAt: "2026-01-31T10:15:00.000Z",
  indices: [".ds-logs-000001", ".ds-logs-000002", ".plugins-config", "customers", "orders"],
  dataStreams: ["logs"],
};

const nothing: Existing = { indices: new Map(), dataStreams: [], aliases: [] };

const existing: Existing = {
  indices: new Map([
    [".ds-logs-000001", true],
    ["orders", true],
    ["customers", false],
  ]),
  dataStreams: ["logs"],
  aliases: [],
};

describe("a plan", () => {
  test("has everything that is not hidden, with the indices behind data streams", () => {
    expect(planOf(BACKUP, nothing, {})).toMatchObject({
      names: ["customers", "logs", "orders"],
      indices: ["customers", "orders", ".ds-logs-000001", ".ds-logs-000002"],
      closed: [],
      deleted: [],
      replaced: [],
    });
  });

  test("has hidden indices that are named, and all that a pattern matches", () => {
    const index = [".plugins-config", "o*"];
    expect(planOf(BACKUP, nothing, { index }).names).toEqual([".plugins-config", "orders"]);
  });

  test("knows how OpenSearch names the indices behind a data stream with a prefix", () => {
    expect(planOf(BACKUP, existing, { prefix: "restored-" })).toMatchObject({
      indices: [
        ...["restored-customers", "restored-orders"],
        ...[".ds-restored-logs-000001", ".ds-restored-logs-000002"],
      ],
      replaced: [],
    });
  });

  test("never has an index of the security plugin, which another program's snapshot may have", () => {
    const security = [".opendistro_security", ".opendistro_security_2"];
    const foreign = { ...BACKUP, isOwn: false, indices: [...security, "orders"], dataStreams: [] };
    for (const prefix of [undefined, "restored-"]) {
      expect(planOf(foreign, nothing, { index: ["*"], prefix }).names).toEqual(["orders"]);
    }
    for (const index of [".opendistro_security", ".opendistro_sec*"]) {
      expect(() => planOf(foreign, nothing, { index: ["orders", index] })).toThrow(
        `--index "${index}" is an index of the security plugin, which is never restored: npm run up provisions users and permissions from the declaration`,
      );
    }
  });

  test("is refused for every existing index and data stream that is not named, also a closed one", () => {
    expect(() => planOf(BACKUP, existing, {})).toThrow(
      [
        "no changes made:",
        "- customers exists and is closed: replace its data with --overwrite customers, or restore beside it with --prefix restored-",
        "- logs exists: replace its data with --overwrite logs, or restore beside it with --prefix restored-",
        "- orders exists: replace its data with --overwrite orders, or restore beside it with --prefix restored-",
      ].join("\n"),
    );
  });

  test("with a prefix that was used before asks for another one", () => {
    const before = { ...existing, indices: new Map([["restored-orders", true]]) };
    expect(() => planOf(BACKUP, before, { index: ["orders"], prefix: "restored-" })).toThrow(
      "- restored-orders exists: replace its data with --overwrite restored-orders, or restore beside it with another --prefix",
    );
  });

  test("closes an open index and deletes a data stream that are named", () => {
    const plan = planOf(BACKUP, existing, { overwrite: ["customers", "logs", "orders"] });
    expect(plan).toMatchObject({ closed: ["orders"], deleted: ["logs"] });
    expect(describeReplaced(plan)).toBe("- index customers\n- data stream logs\n- index orders");
    expect(describeReplaced(planOf(BACKUP, nothing, {}))).toBeUndefined();
  });

  test.each([
    [
      { overwrite: ["*"] },
      '--overwrite has the pattern "*": name each index, since its data is replaced',
    ],
    [
      { index: ["orders"], overwrite: ["orders", "customers"] },
      "--overwrite names customers, which this restore does not touch: remove it from --overwrite",
    ],
    [
      { prefix: "r-", overwrite: ["gone"] },
      "--overwrite names gone, which does not exist: remove it from --overwrite",
    ],
    [
      { index: ["order"] },
      '--index: the backup does not have "order": did you mean "orders"? allowed: .plugins-config, customers, logs, orders',
    ],
    [
      { index: ["x*"] },
      '--index "x*" matches nothing in the backup, which has .plugins-config, customers, logs, orders',
    ],
    [
      { prefix: "Old/" },
      '--prefix is "Old/": use lowercase letters, digits, ".", "_" and "-", starting with a letter or digit',
    ],
  ])("is refused with %j, and says why", (options, message) => {
    expect(() => planOf(BACKUP, existing, options)).toThrow(message);
  });

  test("is refused for a backup without indices", () => {
    const empty = { ...BACKUP, indices: [], dataStreams: [] };
    expect(() => planOf(empty, nothing, {})).toThrow(
      "backup backup-1 has no indices to restore: npm run restore lists all backups, also those of an earlier cluster",
    );
  });
});

const GOOD = "GET /_snapshot/backups/backup-1";
const VERIFY = { method: "POST", path: "/_snapshot/backups/_verify" };
const RESTORE = "/_snapshot/backups/backup-1/_restore";

/** Answers requests by method and path, and records them. */
function openSearch(answers: Readonly<Record<string, Json | Json[]>>) {
  const sent: { method: string; path: string; body?: Json }[] = [];
  const withGood: Readonly<Record<string, Json>> = {
    [GOOD]: { snapshots: [{ state: "SUCCESS" }] },
    ...answers,
  };
  const send = async ({ method = "GET", path, body }: Json) => {
    const key = `${method} ${path.split("?")[0]}`;
    sent.push({ method, path: path.split("?")[0], body });
    const answer = withGood[key] ?? { acknowledged: true };
    const next = answer.queue?.shift() ?? answer;
    return next.error
      ? {
          exitCode: 22,
          output: `curl: (22) The requested URL returned error: 400\n${JSON.stringify(next)}`,
        }
      : { exitCode: 0, output: JSON.stringify(next) };
  };
  const backups = new OpenSearchBackups(
    (_, request) => send(request),
    "opensearch-1",
    async () => ({ exitCode: 0, output: "" }),
  );
  return { sent, backups };
}

const OWN = { indices: ["a"], metadata: { taken_by: "groundwork" } };
const BY_HAND = {
  ...{ snapshot: "by-hand", state: "SUCCESS", start_time_in_millis: 4_000_000, indices: ["a"] },
};
const SNAPSHOTS = [
  BY_HAND,
  { snapshot: "backup-2", state: "PARTIAL", start_time_in_millis: 3_000_000, ...OWN },
  { snapshot: "backup-1", state: "SUCCESS", start_time_in_millis: 2_000_000, ...OWN },
  { snapshot: "backup-0", state: "SUCCESS", start_time_in_millis: 1_000_000, ...OWN },
];

describe("the backup to restore", () => {
  const { backups } = openSearch({
    "GET /_snapshot/backups/_all": { snapshots: SNAPSHOTS },
    "GET /_cat/indices": [],
    "GET /_data_stream": {},
    "GET /_alias": {},
  });

  test("is the newest good one of os-backup if it is the latest: another program's may lack indices", async () => {
    const { backup } = await planRestore(backups, "latest", {});
    expect(backup.name).toBe("backup-1");
    const others = openSearch({ "GET /_snapshot/backups/_all": { snapshots: [BY_HAND] } }).backups;
    await expect(planRestore(others, "latest", {})).rejects.toThrow(
      "no changes made: os-backup took no good backup yet: name one of another program: by-hand",
    );
  });

  test("is refused if it is not good, or does not exist", async () => {
    await expect(planRestore(backups, "backup-2", {})).rejects.toThrow(
      "no changes made: backup backup-2 is PARTIAL, so it lacks data: restore another one, such as backup-1",
    );
    await expect(planRestore(backups, "backup-9", {})).rejects.toThrow(
      'no changes made: there is no backup "backup-9": did you mean "backup-1"? allowed: latest, by-hand, backup-1, backup-0',
    );
  });

  test("is not listed without a repository, which os-backup registers", async () => {
    const { backups: without } = openSearch({
      "GET /_snapshot/backups/_all": {
        error: { type: "repository_missing_exception", reason: "[backups] missing" },
      },
    });
    await expect(without.list()).rejects.toThrow(
      "the repository of the backups is not registered: docker logs os-backup says why, and npm run up starts os-backup, which registers it",
    );
  });

  test("is listed with its state, the newest first", async () => {
    expect(renderBackups(await backups.list())).toBe(
      [
        "backup    started                  content  state",
        "by-hand   1970-01-01 01:06:40 UTC  1 index  good (of another program)",
        "backup-2  1970-01-01 00:50:00 UTC  1 index  not good: some shards are missing",
        "backup-1  1970-01-01 00:33:20 UTC  1 index  good",
        "backup-0  1970-01-01 00:16:40 UTC  1 index  good",
      ].join("\n"),
    );
    expect(renderBackups([])).toBe("there are no backups: npm run backup takes one");
  });
});

const plan = planOf(BACKUP, existing, {
  index: ["orders", "logs"],
  overwrite: ["orders", "logs"],
});

const active = (...names: string[]) => ({
  indices: Object.fromEntries(
    names.map((name) => [name, { shards: { 0: { primary_active: true } } }]),
  ),
});

describe("a restore", () => {
  test("closes, restores without global state, deletes a data stream last, and ends when every primary shard serves", async () => {
    const { sent, backups } = openSearch({
      "GET /_cluster/state/customs": { restore: { snapshots: [{}] } },
      "GET /_cluster/health": active(...plan.indices),
      "GET /_cat/recovery": [
        { index: "orders", type: "snapshot", bytes_recovered: "2048" },
        { index: "others", type: "snapshot", bytes_recovered: "9999" },
      ],
    });
    const printed: string[] = [];
    await restore(backups, plan, (line) => printed.push(line));
    expect(printed).toEqual(["  3 of 3 indices restored, 2 KiB read"]);
    const body = { include_global_state: false, partial: false, include_aliases: true };
    expect(sent.filter(({ method }) => method !== "GET")).toEqual([
      VERIFY,
      { method: "POST", path: "/orders/_close" },
      { method: "POST", path: RESTORE, body: { ...body, indices: "orders" } },
      VERIFY,
      { method: "DELETE", path: "/_data_stream/logs" },
      { method: "POST", path: RESTORE, body: { ...body, indices: "logs" } },
    ]);
  });

  test.each<[string, Readonly<Record<string, Json>>, string]>([
    [
      "the backup is gone, which the schedule may have removed",
      { [GOOD]: { error: { reason: "[backups:backup-1] is missing" } } },
      "OpenSearch does not read backup backup-1: [backups:backup-1] is missing",
    ],
    [
      "the backup is not good",
      { [GOOD]: { snapshots: [{ state: "PARTIAL" }] } },
      "backup backup-1 is PARTIAL: restore another one",
    ],
    [
      "a node cannot read the repository",
      { "POST /_snapshot/backups/_verify": { error: { reason: "[backups] not accessible" } } },
      "OpenSearch does not read the repository on every node: [backups] not accessible",
    ],
  ])("closes and deletes nothing if %s", async (_, answers, message) => {
    const { sent, backups } = openSearch(answers);
    await expect(restore(backups, plan, () => undefined)).rejects.toThrow(message);
    expect(sent.map(({ path }) => path)).not.toContain("/orders/_close");
    expect(sent.map(({ method }) => method)).not.toContain("DELETE");
  });

  test("deletes no data stream if OpenSearch refuses to restore an index", async () => {
    const { sent, backups } = openSearch({ [`POST ${RESTORE}`]: { error: { reason: "no" } } });
    await expect(restore(backups, plan, () => undefined)).rejects.toThrow();
    expect(sent.map(({ method }) => method)).not.toContain("DELETE");
  });

  test("opens what it closed if it cannot close all, and names what it cannot open", async () => {
    const { sent, backups } = openSearch({
      "POST /orders/_close": {
        error: { reason: "Cannot close indices that are being snapshotted" },
      },
      "POST /customers/_open": { error: { reason: "no answer" } },
    });
    const both = { ...plan, closed: ["customers", "orders"] };
    await expect(restore(backups, both, () => undefined)).rejects.toThrow(
      [
        "OpenSearch does not close index orders: Cannot close indices that are being snapshotted",
        "OpenSearch does not open index customers: no answer",
      ].join("\n"),
    );
    const opened = sent.filter(({ path }) => path.endsWith("/_open"));
    expect(opened.map(({ path }) => path)).toEqual(["/customers/_open", "/orders/_open"]);
  });

  test("touches only what is named, also by a name that would stand for another one in a URL", async () => {
    const { sent, backups } = openSearch({
      "GET /_cluster/state/customs": {},
      "GET /_cluster/health": active("%2a", "a%2cb"),
      "GET /_cat/recovery": [],
    });
    const names = ["%2a", "a%2cb"];
    const odd = { ...plan, names, indices: names, closed: ["a%2cb"], deleted: ["%2a"] };
    await restore(backups, odd, () => undefined);
    expect(sent.map(({ path }) => path)).toEqual(
      expect.arrayContaining(["/a%252cb/_close", "/_data_stream/%252a"]),
    );
  });

  const onlyLogs = planOf(BACKUP, existing, { index: ["logs"], overwrite: ["logs"] });
  const refused = { error: { reason: "an open index with same name already exists" } };

  test("deletes a data stream again that an application created in between", async () => {
    const { sent, backups } = openSearch({
      [`POST ${RESTORE}`]: { queue: [refused, { accepted: true }] },
      "GET /_data_stream": { data_streams: [{ name: "logs" }] },
      "GET /_cat/indices": [],
      "GET /_cluster/state/customs": {},
      "GET /_cluster/health": active(...onlyLogs.indices),
      "GET /_cat/recovery": [],
    });
    await restore(backups, onlyLogs, () => undefined);
    expect(sent.filter(({ method }) => method === "DELETE")).toHaveLength(2);
  });

  test.each([
    [
      "is back every time",
      { "GET /_data_stream": { data_streams: [{ name: "logs" }] }, "GET /_cat/indices": [] },
      "An application created it again: stop those that write to it, then run npm run restore -- backup-1 --index logs --overwrite logs",
      3,
    ],
    [
      "is refused",
      { "GET /_data_stream": {}, "GET /_cat/indices": [] },
      "The backup has it: fix the cause, then run npm run restore -- backup-1 --index logs",
      1,
    ],
  ])("says how to go on if a deleted data stream %s", async (_, answers, remedy, deletions) => {
    const { sent, backups } = openSearch({ [`POST ${RESTORE}`]: refused, ...answers });
    await expect(restore(backups, onlyLogs, () => undefined)).rejects.toThrow(
      `data stream logs was deleted and is not restored: OpenSearch does not restore backup backup-1: an open index with same name already exists. ${remedy}`,
    );
    expect(sent.filter(({ method }) => method === "DELETE")).toHaveLength(deletions);
  });

  test("opens what it closed if OpenSearch refuses, and says why", async () => {
    const reason = "cannot restore index [orders] with [1] shards from a snapshot with [2] shards";
    const { sent, backups } = openSearch({
      "POST /_snapshot/backups/backup-1/_restore": {
        error: { reason: "outer", caused_by: { reason } },
      },
    });
    await expect(restore(backups, plan, () => undefined)).rejects.toThrow(
      `OpenSearch does not restore backup backup-1: ${reason}`,
    );
    expect(sent.filter(({ method }) => method === "POST").at(-1)).toMatchObject({
      path: "/orders/_open",
    });
  });

  test("names the indices that could not be restored", async () => {
    const { backups } = openSearch({
      "GET /_cluster/state/customs": {},
      "GET /_cluster/health": active("orders"),
      "GET /_cat/recovery": [],
    });
    await expect(restore(backups, plan, () => undefined)).rejects.toThrow(
      [
        "2 indices of backup backup-1 could not be restored:",
        "- .ds-logs-000001",
        "- .ds-logs-000002",
        "The log of the nodes says why (docker logs opensearch-1). Delete them, or restore again with --overwrite",
      ].join("\n"),
    );
  });

  const silent = { error: { reason: "no node answers" } };

  test("goes on while OpenSearch does not answer for a moment", async () => {
    const { backups } = openSearch({
      "GET /_cluster/state/customs": { queue: [silent, {}] },
      "GET /_cluster/health": active(...plan.indices),
      "GET /_cat/recovery": [],
    });
    const printed: string[] = [];
    await restore(backups, plan, (line) => printed.push(line));
    expect(printed).toEqual([
      "  0 of 3 indices restored, 0 KiB read",
      "  3 of 3 indices restored, 0 KiB read",
    ]);
  });

  test("ends if OpenSearch does not answer for 5 minutes, and says that it may go on", async () => {
    const { backups } = openSearch({ "GET /_cluster/state/customs": silent });
    let nowMs = 0;
    const clock = jest.spyOn(Date, "now").mockImplementation(() => {
      nowMs += 100_000;
      return nowMs;
    });
    try {
      await expect(restore(backups, plan, () => undefined)).rejects.toThrow(
        "OpenSearch does not tell whether it restores: no node answers. The restore was started, and OpenSearch may still run it: see GET /_cat/recovery?active_only=true before you restore again",
      );
    } finally {
      clock.mockRestore();
    }
  });

  test("with a prefix renames indices and leaves aliases out", async () => {
    const renamed = planOf(BACKUP, existing, { index: ["orders"], prefix: "restored-" });
    const { sent, backups } = openSearch({
      "GET /_cluster/state/customs": {},
      "GET /_cluster/health": active("restored-orders"),
      "GET /_cat/recovery": [],
    });
    await restore(backups, renamed, () => undefined);
    expect(sent[0].body).toMatchObject({
      include_aliases: false,
      rename_pattern: "^(.+)$",
      rename_replacement: "restored-$1",
    });
  });

  describe("of indices that would join an alias", () => {
    const aliased = (alias: string, index: string, isWriteIndex = false) => ({
      ...{ alias, index, isWriteIndex },
    });
    const withAliases = planOf(
      BACKUP,
      {
        ...nothing,
        indices: new Map([
          ["orders", false],
          ["orders-2", true],
          ["sales.eu", true],
        ]),
        aliases: [
          aliased("current", "orders"),
          aliased("all", "orders"),
          aliased("all", "orders-2"),
          aliased("sales", "orders-2"),
          aliased("eu.sales", "sales.eu"),
          aliased("eu.sales", "orders-2"),
          // Rolled over.
          aliased("rolled", "orders"),
          aliased("rolled", "orders-2", true),
          aliased("written", "orders", true),
          aliased("written", "orders-2"),
        ],
      },
      { index: ["orders", "customers"], overwrite: ["orders"] },
    );
    const answers = {
      "GET /_cluster/state/customs": {},
      "GET /_cluster/health": active("customers", "orders"),
      "GET /_cat/recovery": [],
    };

    test("leaves out aliases that only other indices have or whose write index is another one, and says how to add them", async () => {
      expect(withAliases.keptAliases).toEqual(["sales", "eu.sales", "rolled"]);
      const { sent, backups } = openSearch({
        ...answers,
        "GET /_alias/groundwork-left-out-*": {
          customers: { aliases: { "groundwork-left-out-sales": { is_write_index: true } } },
        },
      });
      const printed: string[] = [];
      await restore(backups, withAliases, (line) => printed.push(line));
      const removal = {
        ...{ method: "POST", path: "/_aliases" },
        body: {
          actions: [{ remove: { index: "customers", alias: "groundwork-left-out-sales" } }],
        },
      };
      expect(sent.filter(({ method }) => method === "POST")).toEqual([
        // Of a restore that was interrupted.
        removal,
        {
          ...{ method: "POST", path: RESTORE },
          body: expect.objectContaining({
            include_aliases: true,
            rename_alias_pattern: "^(\\Qsales\\E|\\Qeu.sales\\E|\\Qrolled\\E)$",
            rename_alias_replacement: "groundwork-left-out-$1",
          }),
        },
        removal,
      ]);
      expect(printed).toContain(
        '  alias sales is left out of customers, since other indices have it: to add it, send POST /_aliases with {"actions":[{"add":{"index":"customers","alias":"sales"}}]}',
      );
    });

    test("says nothing if the backup has none of them", async () => {
      const { sent, backups } = openSearch({ ...answers, "GET /_alias/groundwork-left-out-*": {} });
      const printed: string[] = [];
      await restore(backups, withAliases, (line) => printed.push(line));
      expect(sent.map(({ path }) => path)).not.toContain("/_aliases");
      expect(printed).toEqual(["  2 of 2 indices restored, 0 KiB read"]);
    });

    test("leaves none behind if only a part of the restore was accepted, and says why it failed", async () => {
      const { sent, backups } = openSearch({
        ...answers,
        "POST /_snapshot/backups/backup-1/_restore": { error: { reason: "busy" } },
        "GET /_alias/groundwork-left-out-*": {
          customers: { aliases: { "groundwork-left-out-sales": {} } },
        },
      });
      await expect(restore(backups, withAliases, () => undefined)).rejects.toThrow(
        "OpenSearch does not restore backup backup-1: busy",
      );
      expect(sent.filter(({ method }) => method === "POST").map(({ path }) => path)).toEqual([
        ...["/_aliases", RESTORE, "/_aliases"],
      ]);
    });

    test("names the aliases that remain if OpenSearch does not remove them", async () => {
      const { backups } = openSearch({
        "GET /_alias/groundwork-left-out-*": {
          customers: { aliases: { "groundwork-left-out-sales": {} } },
        },
        "POST /_aliases": { error: { reason: "no" } },
      });
      await expect(restore(backups, withAliases, () => undefined)).rejects.toThrow(
        "OpenSearch does not remove the aliases groundwork-left-out-*, which the restore leaves out: no",
      );
    });
  });

  test("knows the aliases of what exists", async () => {
    const { backups } = openSearch({
      "GET /_cat/indices": [],
      "GET /_data_stream": {},
      "GET /_alias": {
        a: { aliases: { one: {}, two: {} } },
        b: { aliases: { two: { is_write_index: true } } },
        c: { aliases: {} },
      },
    });
    expect((await backups.existing()).aliases).toEqual([
      { index: "a", alias: "one", isWriteIndex: false },
      { index: "a", alias: "two", isWriteIndex: false },
      { index: "b", alias: "two", isWriteIndex: true },
    ]);
  });
});
