import { copy, EXCLUDED, LEAVING, ShardsServer } from "../../support/open-search-shards";
import type { Json } from "../../support/platform";

const STAYING = ["opensearch-1", "opensearch-2", "opensearch-3"];
let server: ShardsServer;

const index = (more: Json = {}) => ({
  settings: { "index.number_of_replicas": "1", ...more },
});
const describeIt = (leaving = ["opensearch-4"], nodes = STAYING) =>
  server.members(nodes).describeDeparture("opensearch-1", leaving);
const refusals = async (...args: Parameters<typeof describeIt>) =>
  (await describeIt(...args)).refusals;
const simulations = (): Json[] => server.requests.filter(({ path }) => path.includes("dry_run"));
const GREEN =
  "opensearch-4 can leave once the OpenSearch cluster is green. GET /_cluster/allocation/explain says what it waits for";

beforeEach(() => {
  server = new ShardsServer(4);
  server.indices = { orders: index() };
  server.shards = [
    copy("p orders 0 opensearch-1"),
    copy("r orders 0 opensearch-4"),
    copy("p orders 1 opensearch-4", { store: "500" }),
    copy("r orders 1 opensearch-2"),
  ];
});

afterEach(() => {
  expect(server.changes).toEqual([]);
});

test("a departure moves the shards of the leaving nodes, which OpenSearch simulates, the largest first", async () => {
  expect(await describeIt()).toEqual({ refusals: [], replicas: 2, bytes: 1500 });
  const { path, body } = simulations()[0];
  expect(path).toMatch(/^\/_cluster\/reroute\?dry_run=true&explain=true&/);
  const move = (shard: number, to_node: string) => ({
    move: { index: "orders", shard, from_node: "opensearch-4", to_node },
  });
  expect(body.commands).toEqual([
    ...STAYING.map((node) => move(0, node)),
    ...STAYING.map((node) => move(1, node)),
  ]);
});

test("a departure of many shards is simulated in parts", async () => {
  server.shards = Array.from({ length: 120 }, (_, i) => copy(`p orders ${i} opensearch-4`));
  expect((await describeIt()).replicas).toBe(120);
  expect(simulations().map(({ body }) => body.commands.length)).toEqual([150, 150, 60]);
});

test("a drained or stopped node leaves without a move", async () => {
  delete server.nodes["opensearch-4"];
  server.shards = [copy("p orders 0 opensearch-1"), copy("r orders 0 opensearch-2")];
  expect(await describeIt()).toEqual({ refusals: [], replicas: 0, bytes: 0 });
});

test("a shard that moves already is not simulated", async () => {
  server.shards[1] = copy("r orders 0 opensearch-4", {
    ...{ state: "RELOCATING", node: "opensearch-4 -> 172.18.0.2 abc opensearch-2" },
  });
  expect(await describeIt()).toEqual({ refusals: [], replicas: 2, bytes: 1500 });
  expect(simulations()[0].body.commands).toHaveLength(3);
});

test("a shard that has started to move since it was listed is no obstacle", async () => {
  server.decisions = () => [
    {
      decider: "move_allocation_command",
      decision: "NO",
      explanation: "shard 0 has not been started",
    },
  ];
  expect((await describeIt()).refusals).toEqual([]);
});

test("a copy that is being made is waited for", async () => {
  const [, made] = server.shards;
  made.state = "INITIALIZING";
  setTimeout(() => {
    made.state = "STARTED";
  }, 10);
  const members = server.members(STAYING, { initializingMs: 10_000 });
  expect((await members.describeDeparture("opensearch-1", ["opensearch-4"])).refusals).toEqual([]);
});

test("a copy of an index that expands to every node does not move, since one is too many without the node", async () => {
  server.indices = {
    orders: index({ "index.number_of_replicas": "3", "index.auto_expand_replicas": "0-all" }),
  };
  expect(await describeIt()).toEqual({ refusals: [], replicas: 0, bytes: 0 });
  // This one has to move, as any other.
  server.indices = { orders: index({ "index.auto_expand_replicas": "0-1" }) };
  expect((await describeIt()).replicas).toBe(2);
});

test("a copy that no node takes is dropped if its index expands, and other nodes have enough copies", async () => {
  server.decisions = () => [{ decider: "filter", decision: "NO", explanation: "excluded" }];
  server.indices = { orders: index({ "index.auto_expand_replicas": "0-all" }) };
  expect((await describeIt()).refusals).toEqual([]);
  server.indices = { orders: index({ "index.auto_expand_replicas": "1-all" }) };
  expect((await describeIt()).refusals).toHaveLength(1);
  server.shards = server.shards.filter(({ node }) => node === "opensearch-4");
  server.indices = { orders: index({ "index.auto_expand_replicas": "0-all" }) };
  expect((await describeIt()).refusals).toHaveLength(1);
});

describe("a departure is refused", () => {
  test("if an index has more copies than nodes stay", async () => {
    server.indices = {
      orders: index({ "index.number_of_replicas": "3", "index.auto_expand_replicas": "false" }),
      all: index({ "index.auto_expand_replicas": "0-all" }),
      wide: index({ "index.auto_expand_replicas": "3-5" }),
    };
    expect(await refusals()).toEqual([
      "index orders has number_of_replicas 3, so 4 copies of each shard, but only 3 nodes stay without opensearch-4: set its number_of_replicas to 2 or less",
      "index wide has auto_expand_replicas 3-5, so 4 copies of each shard, but only 3 nodes stay without opensearch-4: set its auto_expand_replicas to a range from 2 or less",
    ]);
  });

  test("from three nodes to one, if indices have replicas", async () => {
    delete server.nodes["opensearch-4"];
    server.shards = [copy("p orders 0 opensearch-1"), copy("r orders 0 opensearch-2")];
    expect(await refusals(["opensearch-2", "opensearch-3"], ["opensearch-1"])).toEqual([
      "index orders has number_of_replicas 1, so 2 copies of each shard, but only 1 node stays without opensearch-2 and opensearch-3: set its number_of_replicas to 0",
    ]);
  });

  test("with ten findings of a kind, and how many more there are", async () => {
    server.indices = Object.fromEntries(
      Array.from({ length: 13 }, (_, i) => [`i${i}`, index({ "index.number_of_replicas": "3" })]),
    );
    const found = await refusals();
    expect(found).toHaveLength(11);
    expect(found.at(-1)).toBe("and 3 more");
  });

  test.each<[string, Json, string]>([
    ["a primary is unassigned", copy("p lost 0"), `primary lost[0] is unassigned: ${GREEN}`],
    ["a replica is unassigned", copy("r orders 2"), `replica orders[2] is unassigned: ${GREEN}`],
    [
      "a replica is being copied",
      copy("r orders 2 opensearch-3", { state: "INITIALIZING" }),
      `replica orders[2] is initializing: ${GREEN}`,
    ],
  ])("if %s", async (_, more, message) => {
    server.shards.push(more);
    expect(await refusals()).toEqual([message]);
  });

  test("if the node is dead already and only it has a started copy, but not if another node has one", async () => {
    delete server.nodes["opensearch-4"];
    server.shards = [copy("p orders 0 opensearch-1"), copy("r orders 0")];
    expect(await refusals()).toEqual([]);
    server.shards.push(copy("p orders 1"), copy("r orders 1"), copy("r orders 2"));
    expect(await refusals()).toEqual(
      ["primary orders[1]", "replica orders[1]", "replica orders[2]"].map(
        (name) => `${name} is unassigned: ${GREEN}`,
      ),
    );
  });

  test("if a node that stays is missing", async () => {
    delete server.nodes["opensearch-3"];
    expect(await refusals()).toEqual([
      "opensearch-3 is not in the OpenSearch cluster, and opensearch-4 can leave only if every other node is: declare as many nodes as before and run npm run up first",
    ]);
    delete server.nodes["opensearch-2"];
    expect((await refusals())[0]).toMatch(/^opensearch-2 and opensearch-3 are not in/);
  });

  test.each<[Json, Json]>([
    [{ "cluster.routing.allocation.enable": "none" }, {}],
    [{}, { "cluster.routing.allocation.enable": "none" }],
    [
      { "cluster.routing.allocation.enable": "all" },
      { "cluster.routing.allocation.enable": "none" },
    ],
  ])("if the settings %j and %j let no shard move", async (persistent, transient) => {
    Object.assign(server, { persistent, transient });
    expect(await refusals()).toEqual([
      "OpenSearch has cluster.routing.allocation.enable=none, with which no shard moves: set it to null",
    ]);
  });

  test("not for replicas that an interrupted upgrade holds, which npm run up releases first", async () => {
    server.persistent = { "cluster.routing.allocation.enable": "primaries" };
    expect(await refusals()).toEqual([]);
  });

  test("if an index lets no shard move", async () => {
    server.indices = { orders: index({ "index.routing.allocation.enable": "primaries" }) };
    expect(await refusals()).toEqual([
      "index orders has index.routing.allocation.enable=primaries, with which its shards do not move: set it to null",
    ]);
  });

  test("if no majority would be left that votes", async () => {
    server.shards = [];
    server.indices = {};
    delete server.nodes["opensearch-2"];
    expect(await refusals(["opensearch-2", "opensearch-3"], ["opensearch-1"])).toEqual([
      "opensearch-2 and opensearch-3 cannot leave, since only opensearch-1 would vote for a cluster manager, and 1 voting node does not answer: declare as many nodes as before and run npm run up first",
    ]);
    server = new ShardsServer(4);
    expect(await refusals(STAYING, ["opensearch-4"])).toContain(
      "opensearch-1, opensearch-2 and opensearch-3 cannot leave, since no other node is eligible as cluster manager",
    );
  });
});

describe("if no other node takes a shard, a departure is refused", () => {
  const no = (decider: string, explanation: string) => ({ decider, decision: "NO", explanation });
  const FULL = no("disk_threshold", "above the low watermark");

  test("with the nodes, OpenSearch's reason and the remedy", async () => {
    server.decisions = () => [FULL];
    expect(await refusals()).toEqual([
      "no other node takes replica orders[0] and primary orders[1] from opensearch-4: opensearch-1, opensearch-2 and opensearch-3 (disk_threshold: above the low watermark). Free or add disk space on the nodes that stay, or declare opensearch-4 again",
    ]);
  });

  test("with at most three shards", async () => {
    server.shards = Array.from({ length: 9 }, (_, i) => copy(`p orders ${i} opensearch-4`));
    server.decisions = () => [FULL];
    expect((await refusals())[0]).toMatch(
      /^no other node takes primary orders\[0\], primary orders\[1\], primary orders\[2\] and 6 more from opensearch-4/,
    );
  });

  test.each([
    [
      "filter",
      "Change the allocation filters of the index or cluster, or declare opensearch-4 again",
    ],
    ["shards_limit", "Raise total_shards_per_node, or declare opensearch-4 again"],
    [
      "awareness",
      "Keep as many machines with nodes as the index needs, or declare opensearch-4 again",
    ],
    ["max_retry", "Declare opensearch-4 again"],
  ])("with the remedy for %s", async (decider, remedy) => {
    server.decisions = () => [no(decider, "no")];
    expect((await refusals())[0]).toContain(`(${decider}: no). ${remedy}`);
  });

  test("each reason apart, and not for a copy that a node has already unless every node has one", async () => {
    const SAME = no("same_shard", "has a copy");
    server.shards.push(copy("p other 0 opensearch-4"), copy("p taken 0 opensearch-4"));
    server.decisions = (name, node) =>
      name === "other"
        ? [SAME]
        : name === "taken" && node === "opensearch-3"
          ? []
          : node === "opensearch-1"
            ? [SAME]
            : [FULL];
    expect(await refusals()).toEqual([
      "no other node takes replica orders[0] and primary orders[1] from opensearch-4: opensearch-2 and opensearch-3 (disk_threshold: above the low watermark). Free or add disk space on the nodes that stay, or declare opensearch-4 again",
      "no other node takes primary other[0] from opensearch-4: opensearch-1, opensearch-2 and opensearch-3 (same_shard: has a copy). Declare opensearch-4 again",
    ]);
  });
});

describe("the disks of the nodes that stay", () => {
  const MiB = 1024 ** 2;
  const GiB = 1024 ** 3;
  const LOW = "cluster.routing.allocation.disk.watermark.low";
  const refusal = (room: number, low = "85%") =>
    `the shards of opensearch-4 take 120 MiB, and the disks of opensearch-1, opensearch-2 and opensearch-3 have ${room} MiB left below the low watermark (${low}): free or add disk space on the nodes that stay, or declare opensearch-4 again`;

  beforeEach(() => {
    // More than one request simulates.
    server.shards = Array.from({ length: 120 }, (_, i) =>
      copy(`p orders ${i} opensearch-4`, { store: String(MiB) }),
    );
  });

  test("have to take all shards together, although each request of the simulation fits", async () => {
    server.disk = [0.15 * GiB + 39.5 * MiB, GiB];
    expect(await refusals()).toEqual([refusal(118)]);
    server.disk = [0.15 * GiB + 40 * MiB + 1, GiB];
    expect(await refusals()).toEqual([]);
    expect(simulations().length).toBeGreaterThan(1);
  });

  test("have no room if they are above the watermark", async () => {
    server.disk = [0.1 * GiB, GiB];
    expect(await refusals()).toEqual([refusal(0)]);
  });

  test.each([
    ["0.95", 0.05 * GiB],
    ["95%", 0.05 * GiB],
    ["100mb", 100 * MiB],
    ["0.5gb", 512 * MiB],
    ["2GB", 2 * GiB],
    ["1048576b", MiB],
  ])("have room below a watermark of %s", async (low, kept) => {
    server.defaults[LOW] = low;
    server.disk = [Math.ceil(kept) + 10 * MiB, 8 * GiB];
    if (low.startsWith("0.9") || low.endsWith("%")) {
      server.disk = [Math.ceil(kept) + 10 * MiB, GiB];
    }
    expect(await refusals()).toEqual([refusal(30, low)]);
  });

  test("are judged by the watermark that somebody set, transient before persistent", async () => {
    server.disk = [0.15 * GiB, GiB];
    server.persistent = { [LOW]: "90%" };
    expect(await refusals()).toEqual([]);
    server.transient = { [LOW]: "86%" };
    expect(await refusals()).toEqual([refusal(30, "86%")]);
  });

  test("do not count if OpenSearch does not watch or know them", async () => {
    server.disk = [null, null];
    expect(await refusals()).toEqual([]);
    server.disk = [0, GiB];
    server.persistent = { "cluster.routing.allocation.disk.threshold_enabled": "false" };
    expect(await refusals()).toEqual([]);
  });

  test("are not asked for if nothing moves", async () => {
    server.shards = [];
    expect(await refusals()).toEqual([]);
    expect(server.requests.filter(({ path }) => path.includes("allocation"))).toEqual([]);
  });
});

test.each([
  ["include_defaults", "tell its watermarks"],
  ["/_cat/allocation", "tell the disks of its nodes"],
  ["/_cat/nodes", "tell its nodes"],
  ["/_cat/shards", "tell its shards"],
  ["/_all/_settings", "tell the settings of its indices"],
  ["/_cluster/settings?flat_settings=true", "tell its settings"],
  ["/_cluster/state/metadata", "tell which nodes vote"],
  ["dry_run", "tell where shards could move"],
])("a departure is not described if %s fails, is cut or is something else", async (part, what) => {
  for (const fault of [
    { exitCode: 22, answer: '{"status":503}' },
    { answer: "{" },
    { answer: [{}] },
    { answer: "" },
  ]) {
    server.faults = [{ part, ...fault }];
    await expect(describeIt()).rejects.toThrow(
      `OpenSearch does not ${what}: ${typeof fault.answer === "string" ? fault.answer || "no answer" : "[{}]"}`,
    );
  }
});

test("a departure is described again after a removal was interrupted", async () => {
  server.persistent = { [EXCLUDED]: "opensearch-4", [LEAVING]: "opensearch-4" };
  server.moves = false;
  expect(await describeIt()).toEqual({ refusals: [], replicas: 2, bytes: 1500 });
});
