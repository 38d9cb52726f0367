import { createHash } from "node:crypto";
import { eventually } from "../../support/eventually";
import {
  docker,
  expectDone,
  type Finished,
  freshLab,
  OF_THE_LAB,
  openSearch,
} from "../../support/lab";
import type { Json } from "../../support/platform";
import { projectCopy } from "../../support/project-copy";

const copy = projectCopy();

const INDICES = ["customers", "orders"];
const STREAM = "application-logs";

/** Returns the hash of all documents of an index or data stream, with their ids. */
function hashOf(index: string): string {
  openSearch("POST", `/${index}/_refresh`);
  const { hits } = openSearch("GET", `/${index}/_search?size=10000&sort=_id`);
  const documents = hits.hits.map(({ _id, _source }: Json) => ({ _id, _source }));
  expect(hits.total.value).toBe(documents.length);
  return createHash("sha256").update(JSON.stringify(documents)).digest("hex");
}

const hashes = () => Object.fromEntries([...INDICES, STREAM].map((name) => [name, hashOf(name)]));

const bulk = (index: string, lines: readonly Json[]) => {
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  expect(openSearch("POST", `/${index}/_bulk?refresh=true`, text).errors).toBe(false);
};

const volumes = () => docker("volume", "ls", "--quiet", ...OF_THE_LAB).split("\n");

const snapshots = (): Json[] => openSearch("GET", "/_snapshot/backups/_all").snapshots;

const templates = () => openSearch("GET", "/_index_template").index_templates;

let declared: Finished;

beforeAll(async () => {
  await freshLab();
  expectDone(copy.command("up"));
  copy.edit(
    "lab/environments.ts",
    'name: "lab",',
    'name: "lab",\n  backup: { every: "15m", keep: 2, repository: { kind: "volume" } },',
  );
  declared = copy.command("up");
});

test("backups are declared in a running platform, whose nodes are replaced one at a time", () => {
  expectDone(declared);
  expect(declared.output).toContain("rolling replacement of opensearch");
  expect(declared.output).not.toContain("rolling replacement of kafka");
});

test("the first backup of the schedule follows the deploy, and is good", async () => {
  await eventually(() => {
    const states = snapshots().map(({ state }) => state);
    return states.join() === "SUCCESS" ? [] : ["the backups are", ...states];
  });
});

describe("after documents were written", () => {
  let written: Record<string, string>;
  let taken: Finished;
  let templatesBefore: Json;

  beforeAll(() => {
    for (const index of INDICES) {
      const documents = Array.from({ length: 500 }, (_, i) => ({
        number: i,
        text: `${index} ${i}`,
      }));
      bulk(
        index,
        documents.flatMap((body) => [{ index: { _id: String(body.number) } }, body]),
      );
    }
    bulk(STREAM, [{ create: {} }, { message: "started", level: "INFO" }]);
    openSearch("POST", "/_aliases", { actions: [{ add: { index: "orders", alias: "sales" } }] });
    written = hashes();
    templatesBefore = templates();
    taken = copy.command("backup");
  });

  test("npm run backup shows its progress, and every shard is in the repository", () => {
    expectDone(taken);
    expect(taken.output).toMatch(
      /backup (backup-[\d-]+) started\n[\s\S]*3 of 3 shards written, \d+ KiB of new data\n {2}backup \1 is complete and verified/,
    );
    const { indices, data_streams, include_global_state, shards } = snapshots().at(-1) as Json;
    expect([indices.sort(), data_streams, include_global_state, shards]).toEqual([
      [`.ds-${STREAM}-000001`, ...INDICES],
      [STREAM],
      false,
      { total: 3, failed: 0, successful: 3 },
    ]);
  });

  test("only the newest good backups are kept, and listed", () => {
    const [oldest] = snapshots().map(({ snapshot }) => snapshot);
    expectDone(copy.command("backup"));
    const names = snapshots().map(({ snapshot }) => snapshot);
    expect(names).toHaveLength(2);
    expect(names).not.toContain(oldest);
    const { output } = copy.command("restore");
    expect([...output.matchAll(/^backup-[\d-]+/gm)].map(([name]) => name)).toEqual(names.reverse());
  });

  test("a restore refuses to touch an open index that is not named", () => {
    const { exitCode, output } = copy.command("restore", "latest");
    expect(exitCode).toBe(1);
    expect(output).toContain(
      "no changes made:\n- application-logs exists: replace its data with --overwrite application-logs, or restore beside it with --prefix restored-",
    );
    expect(hashes()).toEqual(written);
  });

  test("a restore replaces an index that is named, and asks before", () => {
    openSearch("DELETE", "/orders/_doc/1?refresh=true");
    const args = ["restore", "latest", "--index", "orders", "--overwrite", "orders"] as const;
    const asked = copy.command(...args);
    expect(asked.output).toContain(
      "no changes made: --overwrite replaces data and needs a confirmation, but standard input is not a terminal: add --yes. It would replace:\n- index orders",
    );
    expectDone(copy.command(...args, "--yes"));
    expect(hashes()).toEqual(written);
  });

  test("a restore leaves an alias alone that only another index has, and says so", () => {
    const move = (from: string, to: string) =>
      openSearch("POST", "/_aliases", {
        actions: [
          { remove: { index: from, alias: "sales" } },
          { add: { index: to, alias: "sales" } },
        ],
      });
    move("orders", "customers");
    try {
      openSearch("DELETE", "/orders");
      const restored = copy.command("restore", "latest", "--index", "orders");
      expectDone(restored);
      expect(restored.output).toContain("alias sales is left out of orders");
      expect(Object.keys(openSearch("GET", "/_alias/sales"))).toEqual(["customers"]);
      expect(openSearch("GET", "/_alias/groundwork-left-out-*")).toEqual({});
      expect(hashes()).toEqual(written);
    } finally {
      move("customers", "orders");
    }
  });

  test("a restore replaces a data stream that is named", () => {
    bulk(STREAM, [{ create: {} }, { message: "after the backup", level: "INFO" }]);
    const args = ["restore", "latest", "--index", STREAM, "--overwrite", STREAM, "--yes"] as const;
    expectDone(copy.command(...args));
    expect(hashes()).toEqual(written);
  });

  test("a restore is refused while another command has the lock of the environment", () => {
    docker(
      ...["volume", "create", "--label", "groundwork.lock=lab", "--label", "groundwork.lock.id=1"],
      ...["--label", "groundwork.lock.host=elsewhere", "groundwork-lock-lab"],
    );
    try {
      const { exitCode, output } = copy.command("restore", "latest", "--prefix", "locked-");
      expect(exitCode).toBe(1);
      expect(output).toContain('environment "lab" is locked by');
      expect(openSearch("GET", "/_cat/indices/locked-*?format=json")).toEqual([]);
    } finally {
      docker("volume", "rm", "groundwork-lock-lab");
    }
  });

  test("a restore with a prefix puts indices beside the existing ones", () => {
    expectDone(copy.command("restore", "latest", "--index", "orders", "--prefix", "restored-"));
    expect(hashOf("restored-orders")).toBe(written.orders);
    expect(Object.keys(openSearch("GET", "/_alias/sales"))).toEqual(["orders"]);
    openSearch("DELETE", "/restored-orders");
  });

  describe("once all data volumes are removed and the platform is deployed again", () => {
    let down: Finished;
    let restored: Finished;
    let refused: Finished;

    beforeAll(() => {
      down = copy.command("down", "--volumes", "--yes");
      expectDone(down);
      expect(volumes()).toEqual(["opensearch-backups"]);
      expectDone(copy.command("up"));
      expect(openSearch("GET", `/_count`).count).toBe(0);
      refused = copy.command("backup");
      restored = copy.command("restore", "latest");
    });

    test("the volume with the backups is kept, and down says so", () => {
      expect(down.output).toContain(
        "volume opensearch-backups keeps the backups: npm run restore restores one after npm run up",
      );
    });

    test("a restore brings back every document and alias, and the templates are those of the declaration", () => {
      expectDone(restored);
      expect(restored.output).toMatch(/restored 3 indices from backup backup-[\d-]+/);
      expect(hashes()).toEqual(written);
      expect(Object.keys(openSearch("GET", "/_alias/sales"))).toEqual(["orders"]);
      expect(templates()).toEqual(templatesBefore);
      bulk(STREAM, [{ create: {} }, { message: "again", level: "INFO" }]);
    });

    test("the new cluster writes to the repository of the old one only when told", () => {
      expect(refused.exitCode).toBe(1);
      expect(refused.output).toMatch(
        /no good backup: the newest backup backup-[\d-]+ is of another cluster \(.*\), and one cluster at a time may write to a repository: if that cluster is gone, restore what you need and run npm run backup -- --take-over/,
      );
      const earlier = snapshots().map(({ snapshot }) => snapshot);
      expectDone(copy.command("backup", "--take-over", "--yes"));
      expectDone(copy.command("backup"));
      expectDone(copy.command("backup"));
      const kept = snapshots().map(({ snapshot }) => snapshot);
      expect(kept).toEqual([...earlier, expect.any(String), expect.any(String)]);
    });
  });
});
