import { copy, EXCLUDED, LEAVING, ShardsServer } from "../../support/open-search-shards";

const ALL = ["opensearch-1", "opensearch-2", "opensearch-3", "opensearch-4"];
const STAYING = ALL.slice(0, 3);
const EXCLUDE = `PUT /_cluster/settings {"persistent":{"${EXCLUDED}":"opensearch-4","${LEAVING}":"opensearch-4"}}`;
const TAKE_BACK = `PUT /_cluster/settings {"persistent":{"${EXCLUDED}":null,"${LEAVING}":null}}`;
const excluded = { [EXCLUDED]: "opensearch-4", [LEAVING]: "opensearch-4" };
let server: ShardsServer;

beforeEach(() => {
  server = new ShardsServer(4);
  server.shards = [
    copy("p orders 0 opensearch-1"),
    copy("r orders 0 opensearch-4"),
    copy("p orders 1 opensearch-4"),
  ];
});

describe("a node is drained", () => {
  const drain = (leaving = ["opensearch-4"], patience = {}) => {
    const seen: [number, number][] = [];
    const done = server
      .members(STAYING, patience)
      .drain("opensearch-1", leaving, ({ replicas, bytes }) => seen.push([replicas, bytes]));
    return done.then(() => seen);
  };

  test("by an exclusion, until it has no shard", async () => {
    expect(await drain()).toEqual([
      [2, 2000],
      [1, 1000],
    ]);
    expect(server.changes).toEqual([EXCLUDE]);
    const ofChecks = server.requests.filter(({ as }) => as === "checks");
    expect(new Set(ofChecks.map(({ path }) => path.split("?")[0]))).toEqual(
      new Set(["/_cluster/settings"]),
    );
  });

  test("again if this process ended in the middle", async () => {
    server.persistent = { ...excluded };
    await drain();
    expect(server.persistent).toEqual(excluded);
  });

  test("while an operator excludes others, in both kinds of setting", async () => {
    server.persistent = { [EXCLUDED]: "opensearch-9" };
    server.transient = { [EXCLUDED]: " opensearch-8 ,," };
    await drain();
    expect(server.persistent).toEqual({
      [EXCLUDED]: "opensearch-9,opensearch-4",
      [LEAVING]: "opensearch-4",
    });
    expect(server.transient).toEqual({ [EXCLUDED]: "opensearch-8,opensearch-4" });
  });

  test("and loses its vote, if it has one", async () => {
    await drain(["opensearch-2", "opensearch-3", "opensearch-4"]);
    expect(server.changes[1]).toBe(
      "POST /_cluster/voting_config_exclusions?node_names=opensearch-2,opensearch-3&timeout=50s",
    );
  });

  test("although a shard that moves is listed with both nodes", async () => {
    server.shards[1] = copy("r orders 0", {
      ...{ state: "RELOCATING", store: "5", node: "opensearch-4 -> 172.18.0.2 abc opensearch-2" },
    });
    server.moves = false;
    const done = drain();
    setTimeout(() => {
      server.shards = [];
    }, 50);
    // Longer than it may stall.
    expect((await done).at(-1)).toEqual([2, 1005]);
  });

  const error = { exitCode: 22, answer: '{"error":"no cluster manager","status":503}' };

  test.each([
    ["an error", error],
    ["no list", { answer: {} }],
    ["a list of something else", { answer: [{ index: "orders" }] }],
    ["no JSON", { answer: "OpenSearch Security not initialized." }],
    ["nothing", { answer: "" }],
  ])(
    "also if its shards are once answered with %s, which is not taken for drained",
    async (_, fault) => {
      server.faults = [{ part: "/_cat/shards", ...fault }];
      await drain();
      expect(server.requests.filter(({ path }) => path.startsWith("/_cat/shards"))).toHaveLength(4);
    },
  );

  test.each([
    ["/_cat/shards", "OpenSearch does not tell its shards"],
    ["/_cat/nodes", "OpenSearch does not tell its nodes"],
    ["GET /_cluster/settings", "OpenSearch does not tell its settings"],
    ["PUT /_cluster/settings", `OpenSearch does not set cluster.routing.allocation.exclude._name`],
  ])("never if %s fails for good", async (part, message) => {
    server.faults = [{ part, ...error, stays: true }];
    await expect(drain()).rejects.toThrow(`${message}: ${error.answer}`);
  });

  test("never if it keeps its vote", async () => {
    server.faults = [{ part: "POST /_cluster/voting", exitCode: 22, answer: "timed out" }];
    await expect(drain(["opensearch-2", "opensearch-3"])).rejects.toThrow(
      "OpenSearch does not exclude opensearch-2 and opensearch-3 from voting: timed out. Run the same command again",
    );
  });

  test("never if the setting is not acknowledged, or the answering node is not in the list of nodes", async () => {
    server.faults = [{ part: "PUT /_cluster/settings", answer: { acknowledged: false } }];
    await expect(drain()).rejects.toThrow('exclude._name: {"acknowledged":false}');
    delete server.nodes["opensearch-1"];
    await expect(drain()).rejects.toThrow("OpenSearch does not tell its nodes: [");
  });

  test.each([
    [
      {
        can_move_to_other_node: "no",
        move_explanation:
          "cannot move shard to another node, even though it is not allowed to remain",
        node_allocation_decisions: [
          {
            node_name: "opensearch-2",
            deciders: [{ decider: "max_retry", decision: "NO", explanation: "failed 5 times" }],
          },
        ],
      },
      "cannot move shard to another node, even though it is not allowed to remain; opensearch-2 (max_retry: failed 5 times)",
    ],
    [{ can_move_to_other_node: "throttled" }, "can_move_to_other_node is throttled"],
  ])(
    "never if its shards stop moving, and OpenSearch says why: %j",
    async (explanation, reason) => {
      server.moves = false;
      server.faults = [
        { part: "/allocation/explain", answer: { current_state: "started", ...explanation } },
      ];
      await expect(drain()).rejects.toThrow(
        `replica orders[0] does not move away from opensearch-4: ${reason}. Nothing was removed. Change what forbids it and run the same command again, or declare as many nodes as before and run npm run up, which lets opensearch-4 have shards again`,
      );
      expect(server.requests.at(-1)?.body).toEqual({
        ...{ index: "orders", shard: 0, primary: false, current_node: "opensearch-4" },
      });
    },
  );
});

describe("a drained node is forgotten", () => {
  const forget = () => server.members(STAYING).forget("opensearch-1", ["opensearch-4"]);

  beforeEach(() => {
    server.persistent = { ...excluded };
  });

  test("once it has left, with nothing of the removal", async () => {
    const { "opensearch-4": roles } = server.nodes;
    setTimeout(() => delete server.nodes["opensearch-4"], 5);
    expect(roles).toBeDefined();
    await server.members(STAYING, { leavingMs: 60_000 }).forget("opensearch-1", ["opensearch-4"]);
    expect(server.changes).toEqual([TAKE_BACK]);
    expect(server.persistent).toEqual({});
  });

  test("but not before it has left", async () => {
    await expect(forget()).rejects.toThrow(
      "opensearch-4 did not leave the OpenSearch cluster after the container was stopped. Run the same command again",
    );
    expect(server.persistent).toEqual(excluded);
  });

  test("with the exclusions of an operator left as they are", async () => {
    delete server.nodes["opensearch-4"];
    server.persistent = { [EXCLUDED]: "opensearch-2,opensearch-4", [LEAVING]: "opensearch-4" };
    server.transient = { [EXCLUDED]: "opensearch-4" };
    server.votingExclusions = ["opensearch-4", "opensearch-2"];
    await forget();
    expect(server.persistent).toEqual({ [EXCLUDED]: "opensearch-2" });
    expect(server.transient).toEqual({});
    expect(server.votingExclusions).toEqual(["opensearch-2"]);
    expect(server.changes.slice(0, 2)).toEqual([
      "DELETE /_cluster/voting_config_exclusions?wait_for_removal=false",
      "POST /_cluster/voting_config_exclusions?node_names=opensearch-2&timeout=50s",
    ]);
  });

  test.each([
    [
      "DELETE /_cluster/voting",
      "OpenSearch does not take back the exclusions from voting: 503. Run the same command again",
    ],
    ["GET /_cluster/state", "OpenSearch does not tell which nodes are excluded from voting: 503"],
    ["PUT /_cluster/settings", "OpenSearch does not set"],
    ["/_cat/nodes", "OpenSearch does not tell its nodes: 503"],
  ])("never if %s fails: it can be continued", async (part, message) => {
    delete server.nodes["opensearch-4"];
    server.votingExclusions = ["opensearch-4"];
    server.faults = [{ part, exitCode: 22, answer: "503" }];
    await expect(forget()).rejects.toThrow(message);
    expect(server.persistent).toEqual(excluded);
    await forget();
    expect([server.persistent, server.votingExclusions]).toEqual([{}, []]);
  });

  test("never if OpenSearch acknowledges, and still excludes it", async () => {
    delete server.nodes["opensearch-4"];
    server.faults = [{ part: "PUT /_cluster/settings", answer: { acknowledged: true } }];
    await expect(forget()).rejects.toThrow(
      "OpenSearch still excludes opensearch-4. Run the same command again",
    );
  });
});

describe("what an interrupted removal has set", () => {
  const keep = (staying: readonly string[] = ALL) =>
    server.members(ALL).keep("opensearch-1", staying);

  test("is looked for with one request", async () => {
    expect(await keep()).toEqual([]);
    expect(server.requests.map(({ path }) => path)).toEqual([
      "/_cluster/settings?flat_settings=true",
    ]);
  });

  test("is taken back from a node that stays", async () => {
    server.persistent = { ...excluded };
    server.votingExclusions = ["opensearch-4"];
    expect(await keep()).toEqual(["the exclusion of opensearch-4 is taken back"]);
    expect([server.persistent, server.votingExclusions]).toEqual([{}, []]);
  });

  test("is left while the node is about to leave, and taken back if it left without npm run up", async () => {
    server.persistent = { ...excluded };
    expect(await keep(STAYING)).toEqual([]);
    expect(server.persistent).toEqual(excluded);
    delete server.nodes["opensearch-4"];
    expect(await keep(STAYING)).toEqual(["the exclusion of opensearch-4 is taken back"]);
    expect(server.persistent).toEqual({});
  });

  test("is not what an operator excludes", async () => {
    server.persistent = { [EXCLUDED]: "opensearch-2" };
    expect(await keep()).toEqual([]);
    expect(server.changes).toEqual([]);
  });
});

test("a node that joins gets shards from OpenSearch alone", async () => {
  const members = server.members(ALL);
  expect(await members.describeArrival()).toEqual({ replicas: 0, bytes: 0, refusals: [] });
  await members.fill();
  expect(server.requests).toEqual([]);
});
