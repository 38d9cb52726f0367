import { laptop } from "../../../environments/laptop";
import type { Action, Change } from "../../../operations/changes/change";
import type { Members, Moves, PlannedMoves } from "../../../operations/platform/cluster";
import type { Run } from "../../../operations/run/run";
import {
  describeScaling,
  fillNodes,
  keepNodes,
  removeNodes,
  removeVoters,
} from "../../../operations/scaling/scaling";
import { CommandError } from "../../../operations/terminal/terminal";

/** What was asked of the clusters and of the engine, in order. */
let steps: string[];
/** Whether the command still has its lock. */
let isHeld: () => boolean;
/** The names of the engine's volumes. */
let volumes: string;
/** The nodes that serve. */
let serving: string[];
let departure: PlannedMoves;
let arrival: PlannedMoves;
/** What an interrupted run left. */
let leftovers: readonly string[];
/** The partitions of Kafka. */
let described: string;
/** What is left to move, as a drain or fill reports it. */
let lefts: readonly Moves[];

jest.mock("../../../operations/engine/docker", () => ({
  async askEngine() {
    return { exitCode: 0, output: volumes };
  },
  async dockerAt(engine: { host: string } | undefined, ...args: string[]) {
    steps.push([...args, ...(engine ? ["on", engine.host] : [])].join(" "));
  },
}));

function membersOf(cluster: string): Members {
  const step = (what: string, nodes: readonly string[] = []) =>
    steps.push([what, cluster, ...nodes].join(" "));
  return {
    async describeDeparture(_, leaving) {
      step("departure", leaving);
      return departure;
    },
    async drain(_, leaving, onMove) {
      step("drain", leaving);
      lefts.forEach(onMove);
    },
    async forget(_, leaving) {
      step("forget", leaving);
    },
    async describeArrival(_, joining) {
      step("arrival", joining);
      return arrival;
    },
    async fill(_, onMove) {
      step("fill");
      lefts.forEach(onMove);
    },
    async keep(_, staying) {
      step("keep", staying);
      return leftovers;
    },
  };
}

/** A run with these actions on containers, and these containers declared. */
function runOf(
  actions: readonly (readonly [name: string, action: Action, formerControllers?: number])[],
  brokers = 3,
  stackOf = (_: string) => "laptop-messaging",
): Run {
  const names = (cluster: string, count: number) =>
    Array.from({ length: count }, (_, i) => `${cluster}-${i + 1}`);
  const declared = [...names("opensearch", 3), ...names("kafka", brokers)];
  const changes = actions.map(
    ([name, action, formerControllers]): Change => ({
      ...{ stack: stackOf(name), address: `docker_container.${name}`, subject: name, action },
      ...{ details: [], destructive: [], warnings: [] },
      node: {
        ...{ cluster: name.split("-")[0], name, leavesNetwork: false, changesSecurity: false },
        formerControllers,
      },
    }),
  );
  const clusterOf = (cluster: string) => ({
    members: membersOf(cluster),
    serves: async (node: string) => serving.includes(node),
  });
  let planned = [{ changes: true }];
  const run: Partial<Record<keyof Run, unknown>> = {
    platform: {
      environment: { ...laptop, kafka: { brokers } },
      clusters: { kafka: clusterOf("kafka"), opensearch: clusterOf("opensearch") },
      nodes: (cluster: string) => declared.filter((name) => name.startsWith(cluster)),
      kafka: { describeTopics: async () => ({ exitCode: 0, output: described }) },
      openSearch: { get: async () => ({ exitCode: 1, output: "no answer" }) },
    },
    stacks: [
      { name: "laptop-messaging" },
      { name: "laptop-messaging-b", engine: { host: "ssh://ops@host-b" } },
    ],
    get planned() {
      return planned;
    },
    containers: declared.map((name) => ({
      name,
      labels: [{ label: "groundwork.cluster", value: name.split("-")[0] }],
    })),
    report: async (plans: readonly unknown[]) => ({ changes: plans.length > 0 ? changes : [] }),
    async stillHeld() {
      if (!isHeld()) {
        throw new CommandError("another command has the lock");
      }
    },
    apply: async () => {
      planned = [];
    },
    replan: async () => {
      planned = [{ changes: true }];
    },
  };
  return run as unknown as Run;
}

const MiB = 1024 ** 2;

let said: string[];
beforeEach(() => {
  steps = [];
  volumes = "";
  isHeld = () => true;
  serving = ["kafka-1", "kafka-2", "kafka-3", "opensearch-1", "opensearch-2", "opensearch-3"];
  departure = { refusals: [], replicas: 24, bytes: 300 * MiB + 1 };
  arrival = { refusals: [], replicas: 6, bytes: 75 * MiB };
  leftovers = [];
  lefts = [];
  described = "";
  said = [];
  jest.spyOn(console, "log").mockImplementation((line) => said.push(line));
});
afterEach(() => jest.restoreAllMocks());

test("a command that lost its lock moves nothing off a leaving node, and does not stop one that it has drained", async () => {
  const run = runOf([["kafka-4", "destroy"]]);
  isHeld = () => false;
  await expect(removeNodes(run)).rejects.toThrow("another command has the lock");
  expect(steps).toEqual([]);
  isHeld = () => steps.length === 0;
  await expect(removeNodes(run)).rejects.toThrow("another command has the lock");
  expect(steps).toEqual(["drain kafka kafka-4"]);
});

describe("a plan", () => {
  test("without joining or leaving nodes asks no cluster", async () => {
    const run = runOf([["kafka-1", "replace"]]);
    expect(await describeScaling(run)).toEqual({ refusals: [], moves: [] });
    await removeNodes(run);
    expect(steps).toEqual([]);
  });

  test("says what moves before nodes are removed", async () => {
    const run = runOf([
      ["kafka-4", "destroy"],
      ["kafka-5", "destroy"],
    ]);
    expect(await describeScaling(run)).toEqual({
      refusals: [],
      moves: [
        "kafka: before npm run up removes them, 24 replicas of about 301 MiB move from kafka-4 and kafka-5 to the other nodes",
      ],
    });
    expect(steps).toEqual(["departure kafka kafka-4 kafka-5"]);
  });

  test("says what moves once a node is added, and nothing if nothing does", async () => {
    const run = runOf([["kafka-4", "create"]], 4);
    expect(await describeScaling(run)).toEqual({
      refusals: [],
      moves: ["kafka: 6 replicas of about 75 MiB move to kafka-4 once npm run up has added it"],
    });
    arrival = { refusals: [], replicas: 0, bytes: 0 };
    expect(await describeScaling(run)).toEqual({ refusals: [], moves: [] });
  });

  test("is refused with the words of the cluster", async () => {
    departure = { ...departure, refusals: ["topic a has 4 replicas"] };
    expect(await describeScaling(runOf([["kafka-4", "destroy"]]))).toEqual({
      refusals: ["topic a has 4 replicas"],
      moves: [],
    });
    arrival = { ...arrival, refusals: ["the disk of kafka-4 is full"] };
    expect((await describeScaling(runOf([["kafka-4", "create"]], 4))).refusals).toEqual([
      "the disk of kafka-4 is full",
    ]);
  });

  test("is refused if no node that stays answers", async () => {
    serving = ["opensearch-1"];
    expect(await describeScaling(runOf([["kafka-4", "destroy"]]))).toEqual({
      refusals: [
        "kafka-4 cannot hand over data, since no other node of kafka answers: declare as many nodes as before, run npm run up, and remove them then",
      ],
      moves: [],
    });
    expect(await describeScaling(runOf([["kafka-4", "create"]], 4))).toEqual({
      refusals: [],
      moves: [],
    });
  });

  test("is refused if the controllers change, without a question to the cluster", async () => {
    const run = runOf([
      ["kafka-1", "replace", 3],
      ["kafka-2", "destroy"],
      ["kafka-3", "destroy"],
    ]);
    expect(await describeScaling(run)).toEqual({
      refusals: [
        'the Kafka cluster that exists has 3 controllers, and a cluster that exists cannot change that: set kafka.controllers of environment "laptop" in environments/laptop.ts to 3, and kafka.brokers to 3 or more',
      ],
      moves: [],
    });
    expect(steps).toEqual([]);
  });

  test("that moves a node to another machine removes no node", async () => {
    const run = runOf([
      ["kafka-3", "destroy"],
      ["kafka-3", "create"],
    ]);
    await removeNodes(run);
    expect(steps).toEqual([]);
  });
});

test("a plan is refused, without a question what moves, while a broker has replicas that nothing would move", async () => {
  volumes = "kafka-5-data";
  described = "\tTopic: orders\tPartition: 0\tLeader: 1\tReplicas: 1,5\tIsr: 1";
  expect(await describeScaling(runOf([["kafka-4", "destroy"]]))).toEqual({
    refusals: [expect.stringMatching(/^kafka-5 has data and is not declared any more/)],
    moves: [],
  });
  expect(steps).toEqual([]);
});

test("nodes are drained, then stopped, then forgotten", async () => {
  lefts = [
    { replicas: 2, bytes: 3 * MiB },
    { replicas: 1, bytes: 1 },
    { replicas: 0, bytes: 0 },
  ];
  await removeNodes(
    runOf([
      ["kafka-4", "destroy"],
      ["kafka-5", "destroy"],
    ]),
  );
  expect(steps).toEqual([
    "drain kafka kafka-4 kafka-5",
    "stop kafka-4",
    "stop kafka-5",
    "forget kafka kafka-4 kafka-5",
  ]);
  expect(said).toEqual([
    "moving data from kafka-4 and kafka-5 to the other nodes of kafka",
    "  kafka: 2 replicas of about 3 MiB left to move",
    "  kafka-4 and kafka-5 have left kafka, without data",
  ]);
});

test("a node is drained although the rest of its stack was rolled before", async () => {
  const run = runOf([["kafka-4", "destroy"]]);
  await run.apply([]);
  await removeNodes(run);
  expect(steps).toEqual(["drain kafka kafka-4", "stop kafka-4", "forget kafka kafka-4"]);
});

test("the nodes of a cluster that loses a voter are removed before the others are replaced, and only once", async () => {
  const run = runOf(
    [
      ["kafka-1", "replace"],
      ["kafka-3", "destroy"],
      ["kafka-4", "destroy"],
      ["opensearch-4", "destroy"],
    ],
    2,
  );
  await removeVoters(run);
  expect(steps).toEqual([
    "drain kafka kafka-3 kafka-4",
    "stop kafka-3",
    "stop kafka-4",
    "forget kafka kafka-3 kafka-4",
  ]);
  steps = [];
  await removeNodes(run);
  expect(steps).toEqual([
    "drain opensearch opensearch-4",
    "stop opensearch-4",
    "forget opensearch opensearch-4",
  ]);
});

test("nodes are stopped on the machines that run them, wherever the environment would place them now", async () => {
  const onB = "laptop-messaging-b";
  await removeNodes(
    runOf(
      [
        ["kafka-4", "destroy"],
        ["kafka-5", "destroy"],
      ],
      3,
      (name) => (name === "kafka-5" ? onB : "laptop-messaging"),
    ),
  );
  expect(steps.filter((step) => step.startsWith("stop"))).toEqual([
    "stop kafka-4",
    "stop kafka-5 on ssh://ops@host-b",
  ]);
});

test("a node is not removed if no other node answers", async () => {
  serving = [];
  await expect(removeNodes(runOf([["kafka-4", "destroy"]]))).rejects.toThrow(
    "kafka: no node answers. Run the same command again to continue",
  );
  expect(steps).toEqual([]);
});

test("every cluster that serves gives its new nodes data", async () => {
  await fillNodes(runOf([]));
  expect(steps).toEqual(["fill kafka", "fill opensearch"]);
  steps = [];
  serving = ["opensearch-2"];
  await fillNodes(runOf([]));
  expect(steps).toEqual(["fill opensearch"]);
});

test("what an interrupted run left is taken back for all declared nodes, and told", async () => {
  leftovers = ["broker kafka-3 accepts new replicas again"];
  serving = ["kafka-2"];
  await keepNodes(runOf([]));
  expect(steps).toEqual(["keep kafka kafka-1 kafka-2 kafka-3"]);
  expect(said).toEqual([
    "  kafka: broker kafka-3 accepts new replicas again, which an interrupted run had left",
  ]);
});
