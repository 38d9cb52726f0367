import { KafkaHarness } from "../../../support/fake-kafka";

interface Partition {
  readonly topic: string;
  readonly partition: number;
  readonly replicas: readonly number[];
  readonly bytes: number;
}

interface Cluster {
  /** The racks of the brokers that hold replicas in the end, by id. */
  readonly racks: Readonly<Record<number, string | null>>;
  readonly partitions: readonly Partition[];
}

const SEEDS = Array.from({ length: 60 }, (_, i) => i + 1);

let harness: KafkaHarness;
beforeAll(async () => {
  harness = await KafkaHarness.start();
});
afterAll(() => harness.stop());

/** Returns the partitions after a plan of the program. */
async function planned(how: "spread" | "vacate", cluster: Cluster): Promise<Partition[]> {
  const { plan } = await harness.ask({ do: "place", how, ...cluster });
  return cluster.partitions.map((each) => ({
    ...each,
    replicas: plan[`${each.topic}-${each.partition}`] ?? each.replicas,
  }));
}

/** Returns a function with whole numbers below a limit, which a seed determines (mulberry32). */
function randomNumbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

/** Returns a cluster as Kafka makes it: brokers in turn, from a random one for each topic. */
function randomCluster(seed: number, brokers: number, racks?: number): Cluster {
  const below = randomNumbers(seed);
  const partitions = Array.from({ length: 1 + below(8) }, (_, topic) => {
    const factor = 1 + below(Math.min(3, racks ?? brokers));
    const first = below(brokers);
    const size = 10 ** below(10);
    return Array.from({ length: 1 + below(30) }, (_, partition) => ({
      ...{ topic: `topic-${topic}`, partition, bytes: below(size) },
      replicas: Array.from({ length: factor }, (_, i) => 1 + ((first + partition + i) % brokers)),
    }));
  }).flat();
  const names = Array.from({ length: brokers }, (_, i) => [
    i + 1,
    racks === undefined ? null : `rack-${i % racks}`,
  ]);
  return { racks: Object.fromEntries(names), partitions };
}

const idsOf = ({ racks }: Cluster) => Object.keys(racks).map(Number);
const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);

/** Returns how many replicas, preferred leaders and bytes a broker has. */
function heldBy(broker: number, partitions: readonly Partition[]) {
  const held = partitions.filter(({ replicas }) => replicas.includes(broker));
  return {
    replicas: held.length,
    leaders: partitions.filter(({ replicas }) => replicas[0] === broker).length,
    bytes: sum(held.map(({ bytes }) => bytes)),
  };
}

/** Returns the largest difference between two brokers. */
function difference(
  cluster: Cluster,
  partitions: readonly Partition[],
  of: "replicas" | "leaders",
) {
  const counts = idsOf(cluster).map((id) => heldBy(id, partitions)[of]);
  return Math.max(...counts) - Math.min(...counts);
}

/** Returns the replicas that partitions got, by partition. */
function added(before: readonly Partition[], after: readonly Partition[]): number[][] {
  return after.map(({ replicas }, i) => replicas.filter((id) => !before[i].replicas.includes(id)));
}

function expectSameFactors(before: readonly Partition[], after: readonly Partition[]): void {
  expect(after.map(({ replicas }) => new Set(replicas).size)).toEqual(
    before.map(({ replicas }) => replicas.length),
  );
}

/** Adds brokers without replicas. */
function grown(cluster: Cluster, ...racks: (string | null)[]): Cluster {
  const count = idsOf(cluster).length;
  const names = racks.map((rack, i) => [count + 1 + i, rack]);
  return { ...cluster, racks: { ...cluster.racks, ...Object.fromEntries(names) } };
}

describe("new brokers", () => {
  test.each(SEEDS)("get an even share of replicas and leaders (seed %i)", async (seed) => {
    const before = randomCluster(seed, 3 + (seed % 4));
    const cluster = grown(before, ...(seed % 3 === 0 ? [null, null] : [null]));
    const after = await planned("spread", cluster);
    expectSameFactors(cluster.partitions, after);
    expect(difference(cluster, after, "replicas")).toBeLessThanOrEqual(1);
    if (
      cluster.partitions.some((each, i) => each !== after[i] && each.replicas !== after[i].replicas)
    ) {
      expect(difference(cluster, after, "leaders")).toBeLessThanOrEqual(1);
    }
    // The same cluster, and so the same plan.
    expect(await planned("spread", { ...cluster, partitions: [...cluster.partitions] })).toEqual(
      after,
    );
    // As few as an even number needs.
    const even = Math.floor(
      sum(cluster.partitions.map(({ replicas }) => replicas.length)) / idsOf(cluster).length,
    );
    const moved = sum(added(cluster.partitions, after).map(({ length }) => length));
    const excess = sum(
      idsOf(before).map((id) => Math.max(0, heldBy(id, before.partitions).replicas - even)),
    );
    expect(moved).toBeLessThanOrEqual(excess);
  });

  test.each(SEEDS.slice(0, 20))(
    "keep replicas on as many racks as they were (seed %i)",
    async (seed) => {
      const cluster = grown(randomCluster(seed, 6, 3), "rack-0", "rack-1", "rack-2");
      const after = await planned("spread", cluster);
      const racksOf = ({ replicas }: Partition) =>
        new Set(replicas.map((id) => cluster.racks[id])).size;
      expect(after.map(racksOf)).toEqual(cluster.partitions.map(racksOf));
      expectSameFactors(cluster.partitions, after);
      expect(difference(cluster, after, "replicas")).toBeLessThanOrEqual(1);
    },
  );

  test("get replicas of other brokers only if these have more", async () => {
    const cluster = grown(randomCluster(7, 3), null);
    for (const ids of added(cluster.partitions, await planned("spread", cluster))) {
      expect(ids.filter((id) => id !== 4)).toEqual([]);
    }
  });

  test("get their share of the bytes, also if few partitions have nearly all of them", async () => {
    const small = Array.from({ length: 50 }, (_, partition) => ({
      ...{ topic: "__consumer_offsets", partition, bytes: 1000 },
      replicas: [1 + (partition % 3), 1 + ((partition + 1) % 3), 1 + ((partition + 2) % 3)],
    }));
    const large = Array.from({ length: 12 }, (_, partition) => ({
      ...{ topic: "orders", partition, bytes: 1_000_000_000 },
      replicas: [1 + (partition % 3), 1 + ((partition + 1) % 3), 1 + ((partition + 2) % 3)],
    }));
    const cluster = grown(
      { racks: { 1: null, 2: null, 3: null }, partitions: [...small, ...large] },
      null,
    );
    const after = await planned("spread", cluster);
    expect(Math.round(heldBy(4, after).bytes / 1_000_000_000)).toBe(9);
    expect(difference(cluster, after, "replicas")).toBeLessThanOrEqual(1);
  });

  test("get nothing if all brokers have as many replicas already", async () => {
    const partitions = [1, 2, 3].map((id) => ({
      topic: "a",
      partition: id,
      replicas: [id],
      bytes: 5,
    }));
    const cluster = grown({ racks: { 1: null, 2: null, 3: null }, partitions }, null);
    expect(await planned("spread", cluster)).toEqual(partitions);
  });
});

describe("brokers that leave", () => {
  test.each(SEEDS)("hand over all replicas, and no other one moves (seed %i)", async (seed) => {
    const whole = randomCluster(seed, 4 + (seed % 3));
    const leaving = seed % 2 === 0 ? [4] : [idsOf(whole).length];
    const racks = Object.fromEntries(
      Object.entries(whole.racks).filter(([id]) => !leaving.includes(Number(id))),
    );
    const cluster = { ...whole, racks };
    const after = await planned("vacate", cluster);
    expectSameFactors(cluster.partitions, after);
    expect(after.flatMap(({ replicas }) => replicas).filter((id) => leaving.includes(id))).toEqual(
      [],
    );
    expect(added(cluster.partitions, after).map(({ length }) => length)).toEqual(
      cluster.partitions.map(
        ({ replicas }) => replicas.filter((id) => leaving.includes(id)).length,
      ),
    );
    expect(difference(cluster, after, "leaders")).toBeLessThanOrEqual(
      Math.max(1, difference(cluster, cluster.partitions, "leaders")),
    );
  });

  test.each(SEEDS.slice(0, 20))(
    "leave replicas on as many racks as the others have (seed %i)",
    async (seed) => {
      const whole = randomCluster(seed, 6, 3);
      const { 6: _, ...racks } = whole.racks;
      const cluster = { ...whole, racks };
      const after = await planned("vacate", cluster);
      const racksOf = ({ replicas }: Partition) =>
        new Set(replicas.map((id) => whole.racks[id])).size;
      expect(after.map(racksOf)).toEqual(cluster.partitions.map(racksOf));
    },
  );
});
