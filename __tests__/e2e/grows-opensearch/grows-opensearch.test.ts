import { grownLab } from "../../support/grown-opensearch";
import { docker, expectDone, type Finished, openSearch } from "../../support/lab";
import { expectAllDocuments, expectAllRecords, type Load, underLoad } from "../../support/load";

const lab = grownLab();

/** Asserts that every write was acknowledged and is there once. */
function expectNothingLost(load: Load): void {
  // A deploy that replaces no node takes less time than others, and fewer writes.
  expectAllRecords(load, 100);
  expectAllDocuments(load, openSearch, 100);
}

test("a node joins while both clusters serve, and no running node restarts", async () => {
  const before = lab.startTimes();
  let finished: Finished | undefined;
  const load = await underLoad("grown", async () => {
    finished = lab.up(4);
    await lab.filled();
  });
  expectDone(finished);
  expect(lab.startTimes()).toEqual({ ...before, "opensearch-4": expect.any(String) });
  const { nodes } = openSearch("GET", "/_nodes?filter_path=nodes.*.name,nodes.*.roles");
  expect(Object.values(nodes)).toContainEqual({
    name: "opensearch-4",
    roles: ["data", "ingest", "remote_cluster_client"],
  });
  expectNothingLost(load);
});

describe("a removal is refused before anything is touched", () => {
  const seen = () => [lab.startTimes(), lab.copies("opensearch-4"), lab.exclusions()];

  function expectRefused(reason: string): void {
    const before = seen();
    lab.setNodes(3);
    const plan = lab.copy.command("plan");
    const { exitCode, output } = lab.copy.command("up");
    lab.setNodes(4);
    expect(plan.output).toMatch(new RegExp(`^npm run up would refuse this\\n  ! ${reason}`, "m"));
    expect(exitCode).toBe(1);
    expect(output).toMatch(new RegExp(`no changes made:\n- ${reason}`));
    expect(seen()).toEqual(before);
  }

  test("if an index has more copies than nodes stay", () => {
    openSearch("PUT", "/wide?wait_for_active_shards=all", {
      settings: { number_of_shards: 1, number_of_replicas: 3 },
    });
    try {
      expectRefused(
        "index wide has number_of_replicas 3, so 4 copies of each shard, but only 3 nodes stay without opensearch-4: set its number_of_replicas to 2 or less",
      );
    } finally {
      openSearch("DELETE", "/wide");
    }
  });

  test("if the disks of the other nodes are above the watermark", () => {
    lab.setWatermark("1000tb");
    try {
      expectRefused(
        "no other node takes .* from opensearch-4: opensearch-1, opensearch-2 and opensearch-3 \\(disk_threshold: the node is above the low watermark .*\\)\\. Free or add disk space on the nodes that stay, or declare opensearch-4 again",
      );
    } finally {
      lab.setWatermark();
    }
  });
});

test("a node leaves while both clusters serve, after its shards have moved", async () => {
  const { "opensearch-4": _, ...staying } = lab.startTimes();
  lab.setNodes(3);
  expect(lab.copy.command("plan").output).toMatch(
    /opensearch: before npm run up removes it, \d+ replicas of about \d+ MiB move from opensearch-4 to the other nodes/,
  );
  let finished: Finished | undefined;
  const load = await underLoad("shrunk", () => {
    finished = lab.up(3);
  });
  expectDone(finished);
  expect(finished?.output).toMatch(/opensearch: \d+ replicas of about \d+ MiB left to move/);
  await lab.expectGone();
  lab.expectDocuments();
  expect(lab.startTimes()).toEqual(staying);
  expectNothingLost(load);
});

test("a node whose volume is lost comes back empty and gets its shards from the others", async () => {
  const { "opensearch-3": _, ...others } = lab.startTimes();
  openSearch("PUT", "/single/_settings", { "index.number_of_replicas": 1 });
  await lab.expectGreen(3);
  docker("rm", "--force", "opensearch-3");
  docker("volume", "rm", "opensearch-3-data");
  expectDone(lab.up(3));
  await lab.expectGreen(3);
  expect(lab.copies("opensearch-3").length).toBeGreaterThan(4);
  lab.expectDocuments();
  expect(lab.startTimes()).toEqual({ ...others, "opensearch-3": expect.any(String) });
  expect(lab.exclusions()).toEqual([]);
});
