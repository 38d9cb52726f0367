import { KafkaHarness } from "../../../support/fake-kafka";

interface Broker {
  readonly rack?: string;
  readonly serves?: boolean;
  /** It serves until it is asked. */
  readonly isKilled?: boolean;
  readonly total?: number;
  readonly usable?: number;
}

interface Partition {
  readonly topic: string;
  readonly partition: number;
  readonly replicas: readonly number[];
  readonly bytes: number;
  readonly adding?: readonly number[];
  readonly removing?: readonly number[];
  readonly inSync?: readonly number[];
  readonly leader?: number;
}

interface Configs {
  readonly type: "TOPIC" | "BROKER";
  readonly name: string;
  readonly values: Readonly<Record<string, string>>;
}

interface Cluster {
  readonly brokers?: Readonly<Record<number, Broker>>;
  readonly partitions?: readonly Partition[];
  readonly configs?: readonly Configs[];
  /** The number of metadata.version. @default - 30, which is 4.3-IV0 */
  readonly metadataLevel?: number;
  /** How often a reassignment is seen before it is done. */
  readonly looks?: number;
  /** How often brokers still describe removed replicas once a reassignment is done. @default 0 */
  readonly staleLooks?: number;
  /** Kafka's name of the error in the answers to a request. */
  readonly errors?: Readonly<Record<string, string>>;
  /** The topic that somebody deletes right before the first request about configs of topics, by the name of the request. */
  readonly deletions?: Readonly<Record<string, string>>;
}

interface Moved {
  readonly code: number;
  readonly lines: readonly {
    readonly moves?: object;
    readonly left?: object;
    readonly refusal?: string;
    readonly undone?: string;
  }[];
  readonly error: string;
  readonly partitions: Readonly<Record<string, { replicas: number[]; leader: number }>>;
  readonly configs: Readonly<Record<string, Record<string, string>>>;
  readonly registered: readonly number[];
  readonly calls: readonly string[];
}

let harness: KafkaHarness;
beforeAll(async () => {
  harness = await KafkaHarness.start();
});
afterAll(() => harness.stop());

const FOUR = { 1: {}, 2: {}, 3: {}, 4: {} };

/** Twelve partitions with three replicas on four brokers, 100 bytes each. */
const SPREAD: Partition[] = Array.from({ length: 12 }, (_, partition) => ({
  ...{ topic: "orders", partition, bytes: 100 },
  replicas: [0, 1, 2].map((i) => 1 + ((partition + i) % 4)),
}));

/** The same on the first three brokers. */
const ON_THREE = SPREAD.map((each) => ({
  ...each,
  replicas: [0, 1, 2].map((i) => 1 + ((each.partition + i) % 3)),
}));

const RATES = ["leader.replication.throttled.rate", "follower.replication.throttled.rate"];
const rates = (rate: number) => Object.fromEntries(RATES.map((name) => [name, String(rate)]));
const OURS = rates(52_428_701);
const LEAVING = { ...rates(52_428_702), "cordoned.log.dirs": "*" };
const broker = (id: number, values: Record<string, string>): Configs => ({
  ...{ type: "BROKER", name: String(id), values },
});
/** A config of all brokers. */
const marked = (id: number, as: "unfilled" | "leaving"): Configs => ({
  ...{ type: "BROKER", name: "", values: { [`groundwork.${as}.kafka-${id}`]: "true" } },
});
const MARKED_AS_LEAVING = { "BROKER ": { "groundwork.leaving.kafka-4": "true" } };
const topic = (name: string, values: Record<string, string>): Configs => ({
  ...{ type: "TOPIC", name, values },
});
const LISTS = {
  "leader.replication.throttled.replicas": "0:0,0:1",
  "follower.replication.throttled.replicas": "0:0,0:4",
};
const RATE = "52428800";

/** Runs the program in a cluster of four brokers, unless it says otherwise. */
async function run(args: readonly string[], cluster: Cluster = {}): Promise<Moved> {
  const { output, ...rest } = await harness.ask({
    ...{ do: "move", args },
    cluster: { brokers: FOUR, partitions: SPREAD, ...cluster },
  });
  const lines = output === "" ? [] : output.split("\n").map((line: string) => JSON.parse(line));
  return { ...rest, lines };
}

const refusals = async (cluster: Cluster, leaving = "4") => {
  const { error, lines } = await run(["departure", leaving], cluster);
  expect(error).toBe("");
  return lines.flatMap(({ refusal }) => refusal ?? []);
};

const heldBy = ({ partitions }: Moved, id: number) =>
  Object.values(partitions).filter(({ replicas }) => replicas.includes(id)).length;
const ledBy = ({ partitions }: Moved, id: number) =>
  Object.values(partitions).filter(({ leader }) => leader === id).length;

describe("before brokers leave, the program", () => {
  test("tells what moves, and changes nothing", async () => {
    const { code, lines, calls } = await run(["departure", "4"]);
    expect({ code, lines, calls }).toEqual({
      ...{ code: 0, calls: [] },
      lines: [{ moves: { replicas: 9, bytes: 900 } }],
    });
  });

  test("refuses a controller", async () => {
    expect(await refusals({ partitions: [] }, "3")).toEqual([
      "kafka-3 is a controller, and a running cluster cannot change its controllers: keep it",
    ]);
  });

  test("refuses fewer brokers than a topic has replicas, and a min.insync.replicas that they cannot meet", async () => {
    const partitions = [{ topic: "all", partition: 0, replicas: [1, 2, 3, 4], bytes: 1 }];
    const configs = [topic("all", { "min.insync.replicas": "4" })];
    expect(await refusals({ partitions, configs })).toEqual([
      "topic all has replication factor 4, and 3 brokers would be left: give it 3 or fewer replicas, or keep 4 brokers",
      "topic all has min.insync.replicas=4, and 3 brokers would be left, so that it would accept no records: set min.insync.replicas to 2 or less",
    ]);
  });

  test("refuses an under-replicated partition and a broker that does not answer", async () => {
    const partitions = [
      { topic: "a", partition: 0, replicas: [1, 2, 4], inSync: [1, 4], bytes: 1 },
    ];
    expect(await refusals({ partitions, brokers: { ...FOUR, 2: { serves: false } } })).toEqual([
      "kafka-2 does not answer and would have to take replicas: start it, and run the same command again",
      "partition a-0 is under-replicated: kafka-2 does not have all records. Wait until it has them, and run the same command again",
    ]);
  });

  test("accepts a leaving broker that is dead, if others have all records", async () => {
    const brokers = { ...FOUR, 4: { serves: false } };
    const partitions = [
      { topic: "a", partition: 0, replicas: [1, 2, 4], inSync: [1, 2], bytes: 1 },
    ];
    expect(await refusals({ brokers, partitions })).toEqual([]);
    const only = [{ topic: "a", partition: 0, replicas: [4], inSync: [4], bytes: 1 }];
    expect(await refusals({ brokers, partitions: only })).toEqual([
      "partition a-0 has all records only on kafka-4, which does not answer: start it, and run the same command again",
    ]);
  });

  test("waits until the session of a broker that was killed has ended", async () => {
    const brokers = { ...FOUR, 4: { isKilled: true } };
    const partitions = [
      { topic: "a", partition: 0, replicas: [1, 2, 4], inSync: [1, 2], bytes: 1 },
    ];
    expect(await refusals({ brokers, partitions })).toEqual([]);
  });

  test("refuses what does not fit on the disks, which brokers of one machine share", async () => {
    const MIB = 1024 ** 2;
    const partitions = [1, 2].map((partition) => ({
      ...{ topic: "a", partition, replicas: [4], bytes: 60 * MIB },
    }));
    const disk = { total: 1000 * MIB, usable: 150 * MIB };
    const brokers = { 1: disk, 2: disk, 3: disk, 4: disk };
    expect(await refusals({ brokers, partitions })).toEqual(
      [1, 2].map(
        (id) =>
          `the disk of kafka-${id} (/var/lib/kafka/data) cannot take 120 MiB: it has 150 MiB free, and 5 % of its 1000 MiB have to stay free. Free space, or shorten the retention of topics`,
      ),
    );
    const apart = { 1: { ...disk, rack: "a" }, 2: { ...disk, rack: "b" }, 3: disk, 4: disk };
    expect(await refusals({ brokers: apart, partitions })).toEqual([]);
  });
});

describe("a drain", () => {
  test("cordons the broker, moves all replicas and leaders off it, and removes the throttle", async () => {
    const moved = await run(["drain", "4", RATE]);
    expect({ code: moved.code, error: moved.error }).toEqual({ code: 0, error: "" });
    expect([1, 2, 3, 4].map((id) => heldBy(moved, id))).toEqual([12, 12, 12, 0]);
    expect([1, 2, 3, 4].map((id) => ledBy(moved, id))).toEqual([4, 4, 4, 0]);
    expect(moved.configs).toEqual({ "BROKER 4": LEAVING, ...MARKED_AS_LEAVING });
    expect(moved.lines[0]).toEqual({ left: { replicas: 9, bytes: 900 } });
  });

  test("marks and cordons the broker before it moves anything, and throttles what it moves", async () => {
    const { calls } = await run(["drain", "4", RATE]);
    const first = (text: string) => calls.findIndex((call) => call.startsWith(text));
    const order = [
      ...["set 4 leader.replication.throttled.rate=52428702", "set 4 cordoned.log.dirs=*"],
      ...["set 1 leader.replication.throttled.rate=52428701"],
      ...["set orders leader.replication.throttled.replicas=0:0,", "reassign orders-"],
      ...["delete orders leader.replication.throttled.replicas"],
      "delete 1 leader.replication.throttled.rate",
    ].map(first);
    expect(order).not.toContain(-1);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  test("sets no cordon below metadata.version 4.3-IV0, where it has no effect", async () => {
    const moved = await run(["drain", "4", RATE], { metadataLevel: 29 });
    expect({ code: moved.code, held: heldBy(moved, 4) }).toEqual({ code: 0, held: 0 });
    expect(moved.configs).toEqual({ "BROKER 4": rates(52_428_702), ...MARKED_AS_LEAVING });
  });

  test("moves replicas off several brokers", async () => {
    const partitions = SPREAD.map((each) => ({
      ...each,
      replicas: [0, 1].map((i) => 1 + ((each.partition + i) % 5)),
    }));
    const moved = await run(["drain", "4,5", RATE], { brokers: { ...FOUR, 5: {} }, partitions });
    expect({ code: moved.code, error: moved.error }).toEqual({ code: 0, error: "" });
    expect([1, 2, 3, 4, 5].map((id) => heldBy(moved, id))).toEqual([8, 8, 8, 0, 0]);
    expect(moved.configs).toEqual({
      ...{ "BROKER 4": LEAVING, "BROKER 5": LEAVING },
      "BROKER ": { ...MARKED_AS_LEAVING["BROKER "], "groundwork.leaving.kafka-5": "true" },
    });
  });

  test("continues with moves that an earlier run began", async () => {
    const partitions = [
      { topic: "a", partition: 0, replicas: [1, 2, 4], adding: [2], removing: [4], bytes: 70 },
      { topic: "a", partition: 1, replicas: [1, 4], bytes: 70 },
    ];
    const moved = await run(["drain", "4", RATE], { partitions, configs: [broker(4, LEAVING)] });
    expect(moved.code).toBe(0);
    expect(moved.calls.filter((call) => call.startsWith("reassign"))).toHaveLength(1);
    expect(heldBy(moved, 4)).toBe(0);
  });

  test("takes a broker that still describes a finished move for one that lags", async () => {
    const moved = await run(["drain", "4", RATE], { staleLooks: 3 });
    expect({ code: moved.code, error: moved.error }).toEqual({ code: 0, error: "" });
    expect([1, 2, 3, 4].map((id) => heldBy(moved, id))).toEqual([12, 12, 12, 0]);
    expect(moved.calls.filter((call) => call.startsWith("reassign"))).toHaveLength(9);
  });

  test("leaves an operator's throttle alone", async () => {
    const own = { "leader.replication.throttled.rate": "1000000" };
    const list = { "leader.replication.throttled.replicas": "*" };
    const configs = [broker(1, own), topic("orders", list)];
    const moved = await run(["drain", "4", RATE], { configs });
    expect(moved.configs).toEqual({
      ...{ "BROKER 1": own, "TOPIC orders": list, "BROKER 4": LEAVING, ...MARKED_AS_LEAVING },
    });
  });

  test("refuses what the program refuses before, and changes nothing", async () => {
    const partitions = [{ topic: "all", partition: 0, replicas: [1, 2, 3, 4], bytes: 1 }];
    const { code, error, calls } = await run(["drain", "4", RATE], { partitions });
    expect({ code, calls }).toEqual({ code: 1, calls: [] });
    expect(error).toContain("topic all has replication factor 4");
  });

  test.each([
    ["DescribeLogDirs", "CLUSTER_AUTHORIZATION_FAILED", "Cluster authorization failed."],
    ["AlterPartitionReassignments", "INVALID_REPLICA_ASSIGNMENT", "Kafka does not move partition"],
    ["IncrementalAlterConfigs", "POLICY_VIOLATION", "PolicyViolationException"],
  ])("fails if Kafka answers %s with an error", async (on, name, text) => {
    const { code, error } = await run(["drain", "4", RATE], { errors: { [on]: name } });
    expect(code).toBe(1);
    expect(error).toContain(text);
  });
});

describe("a drained broker", () => {
  const brokers = { ...FOUR, 4: { serves: false } };

  test("is unregistered, without what was set for it", async () => {
    const moved = await run(["forget", "4"], {
      ...{ brokers, partitions: ON_THREE, configs: [broker(4, LEAVING), marked(4, "leaving")] },
    });
    expect(moved.code).toBe(0);
    expect({ registered: moved.registered, configs: moved.configs }).toEqual({
      ...{ registered: [1, 2, 3], configs: {} },
    });
  });

  test("is not unregistered if it got replicas meanwhile", async () => {
    const { code, error, registered } = await run(["forget", "4"], { brokers });
    expect({ code, registered }).toEqual({ code: 1, registered: [1, 2, 3, 4] });
    expect(error).toBe(
      "kafka-4 got replicas of 9 partitions meanwhile, such as orders-1: run the same command again",
    );
  });

  test("may be unregistered already", async () => {
    const three = { 1: {}, 2: {}, 3: {} };
    const { code, calls } = await run(["forget", "4"], { brokers: three, partitions: ON_THREE });
    expect({ code, calls }).toEqual({ code: 0, calls: [] });
  });
});

describe("new brokers", () => {
  test("are described before they exist, with the plan for them", async () => {
    const three = { 1: {}, 2: {}, 3: {} };
    const { lines, calls } = await run(["arrival", "4"], {
      ...{ brokers: three, partitions: ON_THREE },
    });
    expect({ lines, calls }).toEqual({
      lines: [{ moves: { replicas: 9, bytes: 900 } }],
      calls: [],
    });
  });

  test("are refused before they exist if the disk of their machine cannot take their share", async () => {
    const full = {
      1: { rack: "a", total: 1_000_000_000, usable: 1 },
      2: { rack: "b" },
      3: { rack: "c" },
    };
    const { code, lines, calls } = await run(["arrival", "4=a"], {
      ...{ brokers: full, partitions: ON_THREE },
    });
    expect({ code, calls }).toEqual({ code: 0, calls: [] });
    expect(lines).toEqual([
      { moves: { replicas: expect.any(Number), bytes: expect.any(Number) } },
      {
        refusal: expect.stringMatching(
          /^the disk of kafka-4 \(\/var\/lib\/kafka\/data\) cannot take \d+ MiB: it has 0 MiB free/,
        ),
      },
    ]);
    const other = await run(["arrival", "4=d"], { brokers: full, partitions: ON_THREE });
    expect(other.lines).toEqual([{ moves: expect.anything() }]);
  });

  test("get their share of replicas and leaders, and nothing stays set", async () => {
    const moved = await run(["fill", RATE], { partitions: ON_THREE });
    expect({ code: moved.code, error: moved.error }).toEqual({ code: 0, error: "" });
    expect([1, 2, 3, 4].map((id) => heldBy(moved, id))).toEqual([9, 9, 9, 9]);
    expect([1, 2, 3, 4].map((id) => ledBy(moved, id))).toEqual([3, 3, 3, 3]);
    expect(moved.configs).toEqual({});
    expect(moved.lines.length).toBeGreaterThan(0);
  });

  describe("on which a topic was created before they were filled", () => {
    const created = { topic: "new", partition: 0, replicas: [4, 1, 2], bytes: 100 };
    const partitions = [...ON_THREE, created];

    test("are marked before they exist, and get their share in a later run", async () => {
      const { configs } = await run(["keep", "1,2,3,4"], {
        ...{ brokers: { 1: {}, 2: {}, 3: {} }, partitions: ON_THREE },
      });
      expect(configs).toEqual({ "BROKER ": { "groundwork.unfilled.kafka-4": "true" } });
      const again = await run(["keep", "1,2,3,4"], {
        partitions,
        configs: [marked(4, "unfilled")],
      });
      expect(again.calls).toEqual([]);
      const arrival = await run(["arrival", "4"], { partitions, configs: [marked(4, "unfilled")] });
      expect(arrival.lines).toEqual([{ moves: { replicas: 8, bytes: 800 } }]);
      const moved = await run(["fill", RATE], { partitions, configs: [marked(4, "unfilled")] });
      expect([1, 2, 3, 4].map((id) => heldBy(moved, id)).sort((a, b) => a - b)).toEqual([
        ...[9, 10, 10, 10],
      ]);
      expect(moved.configs).toEqual({});
    });

    test("get nothing without the mark, which is a placement of an operator", async () => {
      expect((await run(["fill", RATE], { partitions })).calls).toEqual([]);
    });

    test("keep the mark until they serve and their disk can take their share", async () => {
      for (const four of [{ serves: false }, { total: 1_000_000_000, usable: 1 }]) {
        const brokers = { ...FOUR, 4: four };
        const { configs } = await run(["fill", RATE], {
          ...{ brokers, partitions: ON_THREE, configs: [marked(4, "unfilled")] },
        });
        expect(configs).toEqual({ "BROKER ": { "groundwork.unfilled.kafka-4": "true" } });
      }
    });

    test("lose the mark once they are not declared any more", async () => {
      const { lines, configs } = await run(["keep", "1,2,3"], { configs: [marked(4, "unfilled")] });
      expect({ lines, configs }).toEqual({ lines: [], configs: {} });
    });
  });

  test("are not those that catch up after they lost their disk", async () => {
    const partitions = SPREAD.map((each) => ({
      ...each,
      inSync: each.replicas.filter((id) => id !== 4),
    }));
    const { code, calls } = await run(["fill", RATE], { partitions });
    expect({ code, calls }).toEqual({ code: 0, calls: [] });
  });

  test("are not those that an operator cordoned", async () => {
    const configs = [broker(4, { "cordoned.log.dirs": "*" })];
    const { code, calls } = await run(["fill", RATE], { partitions: ON_THREE, configs });
    expect({ code, calls }).toEqual({ code: 0, calls: [] });
  });

  test("are waited for if an earlier run was interrupted, and get their leaders", async () => {
    const partitions = [
      { topic: "a", partition: 0, replicas: [4, 2, 1], adding: [4], removing: [1], bytes: 9 },
    ];
    const configs = [
      ...[1, 2, 3, 4].map((id) => broker(id, OURS)),
      topic("a", { ...LISTS, "retention.ms": "1000" }),
    ];
    const moved = await run(["fill", RATE], { partitions, configs, looks: 3 });
    expect(moved.code).toBe(0);
    expect(moved.lines).toContainEqual({ left: { replicas: 1, bytes: 9 } });
    expect(moved.partitions["a-0"]).toEqual({ replicas: [4, 2], leader: 4 });
    expect(moved.configs).toEqual({ "TOPIC a": { "retention.ms": "1000" } });
  });

  test("get nothing that their disk cannot take", async () => {
    const brokers = { ...FOUR, 4: { total: 1_000_000_000, usable: 1 } };
    const { code, error, calls } = await run(["fill", RATE], { brokers, partitions: ON_THREE });
    expect({ code, calls }).toEqual({ code: 1, calls: [] });
    expect(error).toMatch(/^the disk of kafka-4 \(\/var\/lib\/kafka\/data\) cannot take/);
  });
});

describe("brokers that stay", () => {
  test("need nothing if nothing was set", async () => {
    const { code, lines, calls } = await run(["keep", "1,2,3,4"]);
    expect({ code, lines, calls }).toEqual({ code: 0, lines: [], calls: [] });
  });

  test("keep the cordon and the throttle of an operator", async () => {
    const configs = [
      broker(1, { "cordoned.log.dirs": "*", ...rates(52_428_800) }),
      topic("orders", { "leader.replication.throttled.replicas": "0:1" }),
    ];
    const { code, lines, calls } = await run(["keep", "1,2,3,4"], { configs });
    expect({ code, lines, calls }).toEqual({ code: 0, lines: [], calls: [] });
  });

  test("lose the cordon and the throttle of a drain, and moves off them are cancelled", async () => {
    const partitions = [
      { topic: "a", partition: 0, replicas: [1, 2, 4], adding: [2], removing: [4], bytes: 70 },
      { topic: "a", partition: 1, replicas: [1, 4], bytes: 70 },
    ];
    const configs = [
      ...[1, 2, 3].map((id) => broker(id, OURS)),
      ...[broker(4, LEAVING), topic("a", LISTS)],
    ];
    const moved = await run(["keep", "1,2,3,4"], { partitions, configs, looks: 3 });
    expect({ code: moved.code, error: moved.error }).toEqual({ code: 0, error: "" });
    expect(moved.partitions["a-0"].replicas).toEqual([1, 4]);
    // A part of its replicas has left.
    expect(moved.configs).toEqual({ "BROKER ": { "groundwork.unfilled.kafka-4": "true" } });
    expect(moved.calls[0]).toBe("set  groundwork.unfilled.kafka-4=true");
    expect(moved.lines).toEqual([
      { undone: "removed the cordon of kafka-4" },
      { undone: "cancelled the moves of 1 partition off kafka-4" },
      { undone: "removed the replication throttle" },
    ]);
  });

  test("lose the cordon of a drain also if an operator changed its rates", async () => {
    const fast = rates(200_000_000);
    const configs = [
      ...[1, 2, 3].map((id) => broker(id, fast)),
      ...[broker(4, { ...fast, "cordoned.log.dirs": "*" }), topic("orders", LISTS)],
      marked(4, "leaving"),
    ];
    const moved = await run(["keep", "1,2,3,4"], { configs });
    expect({ code: moved.code, error: moved.error }).toEqual({ code: 0, error: "" });
    expect(moved.lines).toEqual([
      { undone: "removed the cordon of kafka-4" },
      { undone: "removed the replication throttle" },
    ]);
    // What the operator set stays.
    expect(moved.configs).toEqual({
      ...Object.fromEntries([1, 2, 3, 4].map((id) => [`BROKER ${id}`, fast])),
      "BROKER ": { "groundwork.unfilled.kafka-4": "true" },
    });
  });

  test("lose only the mark of a drain that was killed before it set anything, or after it unregistered them", async () => {
    const moved = await run(["keep", "1,2,3,4"], { configs: [marked(4, "leaving")] });
    expect({ code: moved.code, lines: moved.lines }).toEqual({ code: 0, lines: [] });
    expect(moved.configs).toEqual({ "BROKER ": { "groundwork.unfilled.kafka-4": "true" } });
  });

  test("lose the throttle of a drain that could set no cordon", async () => {
    const moved = await run(["keep", "1,2,3,4"], {
      ...{ metadataLevel: 29, configs: [broker(4, rates(52_428_702)), marked(4, "leaving")] },
    });
    expect({ code: moved.code, lines: moved.lines }).toEqual({
      ...{ code: 0, lines: [{ undone: "removed the replication throttle" }] },
    });
    expect(moved.configs).toEqual({ "BROKER ": { "groundwork.unfilled.kafka-4": "true" } });
  });

  test("keep the cordon of an operator when the throttle of a move is removed", async () => {
    const cordon = { "cordoned.log.dirs": "*" };
    const configs = [1, 2, 3].map((id) => broker(id, OURS));
    const { configs: left } = await run(["keep", "1,2,3,4"], {
      configs: [...configs, broker(4, { ...OURS, ...cordon })],
    });
    expect(left).toEqual({ "BROKER 4": cordon });
  });

  test("do not touch a broker that still leaves", async () => {
    const configs = [broker(4, LEAVING)];
    const { code, lines, calls } = await run(["keep", "1,2,3"], { configs });
    expect({ code, lines, calls }).toEqual({ code: 0, lines: [], calls: [] });
  });
});

describe("a topic that somebody deletes meanwhile", () => {
  const gone = { topic: "gone", partition: 0, replicas: [1, 2, 3, 4], bytes: 1 };

  test("is no reason to keep a broker", async () => {
    const partitions = [...SPREAD, gone];
    expect(await refusals({ partitions, deletions: { DescribeConfigs: "gone" } })).toEqual([]);
  });

  test.each(["DescribeConfigs", "IncrementalAlterConfigs"])("fails no fill at %s", async (on) => {
    const partitions = [...ON_THREE, ...ON_THREE.map((each) => ({ ...each, topic: "gone" }))];
    const moved = await run(["fill", RATE], { partitions, deletions: { [on]: "gone" } });
    expect({ code: moved.code, error: moved.error }).toEqual({ code: 0, error: "" });
    expect(heldBy(moved, 4)).toBe(9);
    expect(Object.keys(moved.configs).filter((name) => name !== "TOPIC gone")).toEqual([]);
  });

  test.each(["DescribeConfigs", "IncrementalAlterConfigs"])(
    "leaves no throttle behind at %s",
    async (on) => {
      const moved = await run(["keep", "1,2,3,4"], {
        partitions: [...SPREAD, gone],
        configs: [broker(1, OURS), topic("gone", LISTS), topic("orders", LISTS)],
        deletions: { [on]: "gone" },
      });
      expect({ code: moved.code, error: moved.error }).toEqual({ code: 0, error: "" });
      expect(moved.lines).toEqual([{ undone: "removed the replication throttle" }]);
      expect(Object.keys(moved.configs)).toEqual(["TOPIC gone"]);
    },
  );
});
