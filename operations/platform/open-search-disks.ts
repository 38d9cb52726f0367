import type { Json } from "../synthesis/tree";
import { listed } from "../terminal/terminal";
import { movesOf, type OpenSearchRequests, type ShardCopy } from "./open-search-requests";

const DISK = "cluster.routing.allocation.disk";

/** Bytes by the unit of OpenSearch's sizes. */
const UNITS: Readonly<Record<string, number>> = {
  ...{ b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, tb: 1024 ** 4, pb: 1024 ** 5 },
};

/**
 * Describes why the disks of the nodes that stay cannot take all copies together. OpenSearch's simulation adds up only the copies of one
 * request. Nodes whose disk OpenSearch does not know are taken for large enough.
 */
export async function describeFullDisks(
  requests: OpenSearchRequests,
  node: string,
  leaving: readonly ShardCopy[],
  holders: readonly string[],
): Promise<string[]> {
  // The disk of a node that a copy moves to has some of it already.
  const copies = leaving.filter(({ state }) => state === "STARTED");
  const { bytes } = movesOf(copies);
  const watermark = bytes > 0 ? await lowWatermark(requests, node) : undefined;
  if (watermark === undefined) {
    return [];
  }
  const disks = await disksOf(requests, node);
  const rooms = holders.map((name) => {
    const disk = disks.get(name);
    return disk ? Math.max(0, disk.available - keptFree(watermark, disk.total)) : Infinity;
  });
  const room = rooms.reduce((sum, one) => sum + one, 0);
  const from = [...new Set(copies.flatMap((copy) => copy.node ?? []))].sort();
  return bytes <= room
    ? []
    : [
        `the shards of ${listed(from)} take ${inMiB(bytes, Math.ceil)}, and the disks of ${listed(holders)} have ${inMiB(room, Math.floor)} left below the low watermark (${watermark}): free or add disk space on the nodes that stay, or declare ${listed(from)} again`,
      ];
}

/** Returns the low watermark; undefined if OpenSearch does not watch the disks. */
async function lowWatermark(
  requests: OpenSearchRequests,
  node: string,
): Promise<string | undefined> {
  const path = "/_cluster/settings?flat_settings=true&include_defaults=true";
  const low = `${DISK}.watermark.low`;
  const valueIn = (answer: Json, name: string): string | undefined =>
    ["transient", "persistent", "defaults"].map((level) => answer?.[level]?.[name]).find(Boolean);
  const settings = await requests.ask(
    node,
    "tell its watermarks",
    { path },
    (answer) => keptFree(valueIn(answer, low) ?? "", 1) >= 0,
  );
  return valueIn(settings, `${DISK}.threshold_enabled`) === "false"
    ? undefined
    : valueIn(settings, low);
}

/** Returns the bytes of a disk that a watermark keeps free: `85%` and `0.85` of it are used, or `10gb` stay free. NaN for anything else. */
function keptFree(watermark: string, total: number): number {
  const [, number, unit] = /^([\d.]+)([a-z%]*)$/.exec(watermark.trim().toLowerCase()) ?? [];
  return unit === "%" || unit === ""
    ? total * (1 - Number(number) / (unit === "%" ? 100 : 1))
    : Number(number) * UNITS[unit];
}

/** Returns the disks of the nodes, in bytes, without those that OpenSearch does not know. */
async function disksOf(
  requests: OpenSearchRequests,
  node: string,
): Promise<ReadonlyMap<string, { readonly available: number; readonly total: number }>> {
  const path = "/_cat/allocation?format=json&bytes=b&h=node,disk.avail,disk.total";
  const rows: Json[] = await requests.ask(
    node,
    "tell the disks of its nodes",
    { path },
    (answer) => Array.isArray(answer) && answer.every((row: Json) => typeof row?.node === "string"),
  );
  return new Map(
    rows
      .map((row): [string, { available: number; total: number }] => [
        row.node,
        { available: Number(row["disk.avail"] ?? "x"), total: Number(row["disk.total"] ?? "x") },
      ])
      .filter(([, { available, total }]) => Number.isFinite(available + total)),
  );
}

function inMiB(bytes: number, round: (value: number) => number): string {
  return `${round(bytes / 1024 ** 2)} MiB`;
}
