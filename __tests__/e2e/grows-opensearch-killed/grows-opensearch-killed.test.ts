import { setTimeout } from "node:timers/promises";
import { eventually } from "../../support/eventually";
import { grownLab } from "../../support/grown-opensearch";
import { docker, expectDone, openSearch } from "../../support/lab";

const lab = grownLab();

const MOVING = /moving data from opensearch-4/;

/** Waits until the container of the leaving node has stopped: the cluster has not forgotten it yet. */
const untilStopped = () =>
  eventually(() => {
    const running = docker("ps", "--quiet", "--filter", "name=opensearch-4");
    return running === "" ? [] : [running];
  });

/** Sets how fast a node sends shards. */
function setRate(rate: string | null): void {
  const persistent = { "indices.recovery.max_bytes_per_sec": rate };
  openSearch("PUT", "/_cluster/settings", { persistent });
}

beforeAll(async () => {
  expectDone(lab.up(4));
  await lab.filled();
});

test("an interrupted removal that is undone is taken back", async () => {
  const { "opensearch-4": started } = lab.startTimes();
  const untilExcluded = () => eventually(() => (lab.exclusions().length > 0 ? [] : ["none"]));
  expect(await lab.killedUp(3, MOVING, untilExcluded)).toBe(true);
  const undone = lab.up(4);
  expectDone(undone);
  expect(undone.output).toContain(
    "opensearch: the exclusion of opensearch-4 is taken back, which an interrupted run had left",
  );
  expect(lab.exclusions()).toEqual([]);
  expect(lab.startTimes()["opensearch-4"]).toBe(started);
  await lab.filled();
  lab.expectDocuments();
});

test("a removal that is undone after its node has stopped is taken back", async () => {
  expect(await lab.killedUp(3, MOVING, untilStopped)).toBe(true);
  expectDone(lab.up(4));
  expect(lab.exclusions()).toEqual([]);
  await lab.filled();
  lab.expectDocuments();
});

test("an exclusion of an operator stays", () => {
  const persistent = { "cluster.routing.allocation.exclude._name": "opensearch-2" };
  openSearch("PUT", "/_cluster/settings", { persistent });
  expectDone(lab.up(4));
  expect(lab.exclusions()).toEqual([Object.entries(persistent)[0]]);
});

test("a removal that is killed at any point is finished by the next deploy", async () => {
  // So slow that it lasts longer than the first deploys.
  setRate("20kb");
  const killed: boolean[] = [];
  for (const milliseconds of [0, 200, 500, 1000, 2000, 3000]) {
    killed.push(await lab.killedUp(3, MOVING, () => setTimeout(milliseconds)));
    expect(lab.copies("opensearch-4")).not.toEqual([]);
    lab.expectDocuments();
  }
  setRate(null);
  for (const [text, isTime] of [
    [MOVING, untilStopped],
    [/left opensearch/, () => undefined],
    [/opensearch-4\w*: destroying/, () => undefined],
  ] as const) {
    killed.push(await lab.killedUp(3, text, isTime));
    lab.expectDocuments();
  }
  expect(killed).toEqual(killed.map(() => true));
  expectDone(lab.up(3));
  expect(lab.exclusions()).toEqual([["cluster.routing.allocation.exclude._name", "opensearch-2"]]);
  openSearch("PUT", "/_cluster/settings", {
    persistent: { "cluster.routing.allocation.exclude._name": null },
  });
  await lab.expectGone();
  lab.expectDocuments();
});
