import { OPENSEARCH_IMAGE } from "../../../constructs";
import { environments } from "../../../environments";
import type { Action, Change } from "../../../operations/changes/change";
import type { Cluster } from "../../../operations/platform/cluster";
import { checkClusters, releaseReplicas, rollClusters } from "../../../operations/rolling/rolling";
import type { Run } from "../../../operations/run/run";
import { CommandError } from "../../../operations/terminal/terminal";

/** The nodes that run and serve, by cluster. */
let serving: Record<string, string[]>;
/** How many more times the command still has its lock. */
let timesHeld: number;
/** The coordinating nodes. */
let coordinators: string[];
/** The nodes that were replaced together, in order. */
let replaced: string[][];
/** The node whose replacement fails. */
let broken: string | undefined;

jest.mock("../../../operations/platform/engines", () => ({
  async askEveryEngine(_: unknown, ...args: string[]) {
    const cluster = args
      .map((arg) => /^label=groundwork\.cluster=(.*)/.exec(arg)?.[1])
      .find(Boolean);
    const nodes = cluster ? serving[cluster] : Object.values(serving).flat();
    return { answers: [nodes.join("\n")], gone: [] };
  },
}));

/** How long each wait may take. */
let minutes: number[];

/** Without patience: what lacks at first lacks in the end. */
jest.mock("../../../operations/terminal/poll", () => ({
  poll(look: () => unknown, _: unknown, { patienceMs }: { readonly patienceMs: number }) {
    minutes.push(patienceMs / 60_000);
    return look();
  },
}));

/** The nodes that run and do not serve. */
let mute: string[];
/** Why no cluster can lose another node. */
let incomplete: string | undefined;

/** The versions of the nodes of OpenSearch; those of the image unless a test says otherwise. */
let versions: Record<string, string>;
/** What was asked of the replicas of OpenSearch, and which nodes were replaced meanwhile. */
let steps: string[];
/** Whether the replicas are held. */
let held: boolean;
/** The request that OpenSearch refuses. */
let refused: string | undefined;

const DECLARED = OPENSEARCH_IMAGE.split(":")[1];

function ask(request: string): void {
  if (request === refused) {
    throw new CommandError(`OpenSearch does not ${request}`);
  }
  steps.push(request);
}

/** A cluster in which every running node serves, except the mute ones. */
const cluster: Omit<Cluster, "members"> = {
  serves: async (node) => !mute.includes(node),
  incomplete: async (_, isUpgrading) => {
    steps.push(isUpgrading ? "whole except for versions?" : "whole?");
    return incomplete;
  },
  versions: async () => new Map(nodesOf("opensearch", 5).map((n) => [n, versions[n] ?? DECLARED])),
  coordinator: async (node) => coordinators.find((one) => one.split("-")[0] === node.split("-")[0]),
};

/** A cluster whose replicas are held while versions change. */
const openSearch: typeof cluster = {
  ...cluster,
  replicas: {
    areHeld: async () => held,
    async hold() {
      ask("hold");
      held = true;
    },
    async release() {
      ask("release");
      held = false;
    },
  },
};

function nodesOf(cluster: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${cluster}-${i + 1}`);
}

/** A run whose plan replaces or creates these nodes. */
function runOf(actions: Readonly<Record<string, Action>>): Run {
  const stackOf = (name: string) => `laptop-${name.startsWith("kafka") ? "messaging" : "data"}`;
  const containers = ["opensearch", "kafka"].flatMap((cluster) =>
    nodesOf(cluster, cluster === "kafka" ? 3 : 5).map((name) => ({
      type: "docker_container",
      body: { name, labels: [{ label: "groundwork.cluster", value: cluster }] },
    })),
  );
  const stacks = ["laptop-data", "laptop-messaging"].map((name) => ({
    name,
    resources: containers.filter(({ body }) => stackOf(body.name) === name),
  }));
  const changes = Object.entries(actions).map(
    ([name, action]): Change => ({
      ...{ stack: stackOf(name), address: `docker_container.${name}`, subject: name, action },
      ...{ details: [], destructive: [], warnings: [] },
      node: {
        ...{ cluster: name.split("-")[0], name },
        ...{ leavesNetwork: false, changesSecurity: false },
      },
    }),
  );
  const before = { containers: 0, memoryReservationMiB: 0, nodes: { opensearch: 5, kafka: 3 } };
  const run: Partial<Record<keyof Run, unknown>> = {
    platform: {
      environment: environments.laptop,
      clusters: { opensearch: openSearch, kafka: cluster },
    },
    planned: stacks.map((stack) => ({ stack, changes: true })),
    stacks,
    containers: containers.map(({ body }) => body),
    report: async () => ({ changes, before }),
    deploy: async () => undefined,
    async stillHeld() {
      timesHeld -= 1;
      if (timesHeld < 0) {
        throw new CommandError("another command has the lock");
      }
    },
    async apply(targets: readonly { readonly addresses: readonly string[] }[]) {
      const names = targets
        .flatMap(({ addresses }) => addresses)
        .map((address) => address.split(".")[1]);
      replaced.push(names.sort());
      steps.push(...names);
      for (const name of names) {
        const [cluster] = name.split("-");
        serving[cluster] = serving[cluster].filter((node) => node !== name);
        if (name !== broken) {
          serving[cluster].push(name);
        }
      }
      if (broken && names.includes(broken)) {
        throw new CommandError(`${broken} is unhealthy`);
      }
    },
  };
  return run as unknown as Run;
}

const all = (cluster: string, count: number) =>
  Object.fromEntries(nodesOf(cluster, count).map((name) => [name, "replace" as const]));

let said: string[];
beforeEach(() => {
  serving = { opensearch: nodesOf("opensearch", 5), kafka: nodesOf("kafka", 3) };
  timesHeld = Number.POSITIVE_INFINITY;
  coordinators = ["opensearch-1", "kafka-2"];
  replaced = [];
  broken = undefined;
  mute = [];
  incomplete = undefined;
  versions = {};
  steps = [];
  minutes = [];
  held = false;
  refused = undefined;
  said = [];
  jest.spyOn(console, "log").mockImplementation((line) => said.push(line));
});
afterEach(() => jest.restoreAllMocks());

test("one node of each cluster is replaced at a time, the coordinating node last", async () => {
  await rollClusters(runOf({ ...all("opensearch", 5), ...all("kafka", 3) }));
  expect(replaced).toEqual([
    ["kafka-1", "opensearch-2"],
    ["kafka-3", "opensearch-3"],
    ["kafka-2", "opensearch-4"],
    ["opensearch-5"],
    ["opensearch-1"],
  ]);
  expect(said).toEqual([
    "rolling replacement of opensearch: opensearch-1, opensearch-2, opensearch-3, opensearch-4, opensearch-5",
    "rolling replacement of kafka: kafka-1, kafka-2, kafka-3",
  ]);
});

test("a node that does not serve is replaced first, since the cluster is not healthy without it", async () => {
  serving.kafka = ["kafka-1", "kafka-2"];
  await rollClusters(runOf(all("kafka", 3)));
  expect(replaced).toEqual([["kafka-3"], ["kafka-1"], ["kafka-2"]]);
});

test("a node that does not come back stops both clusters, and the message names the other nodes", async () => {
  broken = "kafka-3";
  await expect(
    rollClusters(runOf({ ...all("opensearch", 5), ...all("kafka", 3) })),
  ).rejects.toThrow(
    "kafka: kafka-3 did not come back; the other nodes (kafka-1, kafka-2) were left unchanged\nFix the cause and run the same command again to continue:\nkafka-3 is unhealthy",
  );
  expect(replaced).toHaveLength(2);
});

test("no further node is replaced once another command has the lock", async () => {
  timesHeld = 1;
  const roll = rollClusters(runOf({ ...all("opensearch", 5), ...all("kafka", 3) }));
  await expect(roll).rejects.toThrow(/^another command has the lock$/);
  expect(replaced).toEqual([["kafka-1", "opensearch-2"]]);
});

test("a cluster without a serving node is not rolled", async () => {
  serving.kafka = [];
  await rollClusters(runOf({ ...all("opensearch", 5), ...all("kafka", 3) }));
  expect(replaced.flat()).not.toContain("kafka-1");
  expect(replaced).toHaveLength(5);
  expect(said).toContain("kafka: no node is serving, so all nodes are replaced at once");
});

describe("an upgrade of OpenSearch", () => {
  const OLD = "3.7.0";
  beforeEach(() => {
    versions = Object.fromEntries(nodesOf("opensearch", 5).map((name) => [name, OLD]));
  });
  const upgrade = () => rollClusters(runOf(all("opensearch", 5)));

  test("holds the replicas around each node, and needs every replica in the end", async () => {
    await upgrade();
    const ofNode = (node: string) => ["whole except for versions?", "hold", node, "release"];
    expect(steps).toEqual([
      ...["opensearch-2", "opensearch-3", "opensearch-4", "opensearch-5"].flatMap(ofNode),
      ...ofNode("opensearch-1"),
      "whole?",
    ]);
    expect(held).toBe(false);
  });

  test("first replaces nodes of the old version, since others may have the only copy of a shard", async () => {
    versions["opensearch-2"] = DECLARED;
    await upgrade();
    expect(replaced.flat()).toEqual([3, 4, 5, 1, 2].map((number) => `opensearch-${number}`));
    expect(steps.slice(-3)).toEqual(["whole?", "opensearch-2", "whole?"]);
  });

  test("waits longer if it goes on, since replicas were held until now", async () => {
    await upgrade();
    expect(minutes).toEqual([1, 15, 15, 15, 15, 15]);
    minutes = [];
    versions["opensearch-2"] = DECLARED;
    await upgrade();
    expect(minutes).toEqual([15, 15, 15, 15, 15, 15]);
  });

  test("allows replicas to move if a node does not come back", async () => {
    broken = "opensearch-2";
    await expect(upgrade()).rejects.toThrow("opensearch: opensearch-2 did not come back");
    expect(steps).toEqual(["whole except for versions?", "hold", "opensearch-2", "release"]);
  });

  test("replaces nothing if the replicas cannot be held", async () => {
    refused = "hold";
    await expect(upgrade()).rejects.toThrow("OpenSearch does not hold");
    expect(replaced).toEqual([]);
  });

  test("stops if the replicas cannot be released, and the next deploy releases them", async () => {
    refused = "release";
    await expect(upgrade()).rejects.toThrow("OpenSearch does not release");
    expect([replaced, held]).toEqual([[["opensearch-2"]], true]);
    refused = undefined;
    await releaseReplicas(runOf({}));
    expect([said.at(-1), held]).toEqual([
      "  opensearch: replicas may move again, which an interrupted upgrade had left forbidden",
      false,
    ]);
  });

  test("holds nothing for a change of the configuration", async () => {
    versions = {};
    await upgrade();
    expect(steps).toEqual(expect.arrayContaining(["whole?", ...nodesOf("opensearch", 5)]));
    expect(steps.filter((step) => /hold|release|versions/.test(step))).toEqual([]);
  });
});

test("a deploy without leftovers releases nothing, and one without a serving node asks nothing", async () => {
  await releaseReplicas(runOf({}));
  held = true;
  mute = nodesOf("opensearch", 5);
  await releaseReplicas(runOf({}));
  expect([steps, said]).toEqual([[], []]);
});

describe("before a secret is replaced", () => {
  const check = (replacesNodes: boolean) => checkClusters(runOf({}), { replacesNodes });
  const REMEDY =
    "Nothing was changed. Fix this, for example with npm run up, and run the same command again. If a machine is lost, exclude it with --exclude-machine";
  const AT_ONCE = "; with --at-once, all nodes are replaced at once, which interrupts the clusters";

  test.each<[string, boolean, () => void]>([
    ["every node of healthy clusters serves", true, () => {}],
    ["no node runs at all", true, () => Object.assign(serving, { opensearch: [], kafka: [] })],
    [
      "one node of each answers and no node is replaced",
      false,
      () => {
        mute = ["kafka-1", "kafka-2"];
        incomplete = "under-replicated partitions (1): orders-0";
      },
    ],
  ])("clusters are accepted if %s", async (_, replacesNodes, change) => {
    change();
    await check(replacesNodes);
  });

  test.each<[boolean, () => void, string]>([
    [
      false,
      () => {
        mute = ["kafka-1", "kafka-2", "kafka-3"];
      },
      `kafka does not answer: not serving: kafka-1, kafka-2, kafka-3. ${REMEDY}`,
    ],
    [
      true,
      () => {
        mute = ["kafka-2"];
      },
      `kafka is not healthy now: not serving: kafka-2. ${REMEDY}${AT_ONCE}`,
    ],
    [
      true,
      () => {
        incomplete = "status yellow";
      },
      `opensearch is not healthy now: status yellow. ${REMEDY}${AT_ONCE}`,
    ],
  ])(
    "others are not, with the remedy (nodes replaced: %s)",
    async (replacesNodes, change, message) => {
      change();
      await expect(check(replacesNodes)).rejects.toThrow(message);
    },
  );
});
