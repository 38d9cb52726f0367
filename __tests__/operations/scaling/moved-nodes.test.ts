import type { Environment } from "../../../environments";
import { labThree } from "../../../lab/environments";
import type { Action, Change } from "../../../operations/changes/change";
import type { Run } from "../../../operations/run/run";
import { describeRefusedMoves } from "../../../operations/scaling/moved-nodes";

/** The volumes that exist already, as `volume on engine`. */
let existing: string[];
/** The partitions of a topic, with the brokers of their in-sync replicas. */
let partitions: readonly (readonly number[])[];
let silence: string | undefined;
/** The nodes that do not serve, besides moved ones. */
let silent: readonly string[];
let environment: Environment;
/** The nodes that were asked. */
let asked: string[];

jest.mock("../../../operations/engine/docker", () => ({
  async askEngine(engine: { host: string } | undefined, ...args: string[]) {
    const isThere = existing.includes(`${args.at(-1)} on ${engine?.host}`);
    return { exitCode: isThere ? 0 : 1, output: "" };
  },
}));

const hostOf = (machine: string) => `unix:///run/groundwork-lab/${machine}.sock`;

/** The changes of a node's volume that moves. Without a machine, it was in the stack of an environment without machines. */
function moved(node: string, from: string | undefined, to: string): Change[] {
  const change = (action: Action, machine?: string): Change => ({
    ...{ stack: machine ? `lab-three-storage-${machine}` : "lab-three-storage" },
    ...{ address: `docker_volume.${node}`, subject: `volume ${node}-data`, action },
    ...{ details: [], destructive: [], warnings: [] },
  });
  return [change("destroy", from), change("create", to)];
}

/** The changes of a node's container, which runs. */
function replaced(node: string, from: string, to: string): Change[] {
  return moved(node, from, to).map((change) => ({
    ...{ ...change, subject: `container ${node}` },
    node: {
      ...{ cluster: node.split("-")[0], name: node },
      ...{ leavesNetwork: false, changesSecurity: false },
    },
  }));
}

function refusals(...changes: readonly Change[]): Promise<string[]> {
  const answerOf = (node: string, output: string) => {
    asked.push(node);
    return silence === undefined ? { exitCode: 0, output } : { exitCode: 1, output: silence };
  };
  // A moved node is not where it will be.
  const cluster = {
    serves: async (node: string) =>
      !silent.includes(node) && !changes.some(({ address }) => address.endsWith(node)),
  };
  const run: Partial<Record<keyof Run, unknown>> = {
    platform: {
      environment,
      nodes: (name: string) => [1, 2, 3, 4].map((id) => `${name}-${id}`),
      clusters: { kafka: cluster, opensearch: cluster },
      kafka: {
        describeTopics: async (broker: string) =>
          answerOf(
            broker,
            [
              "Topic: events\tConfigs: min.insync.replicas=1",
              ...partitions.map(
                (ids, i) => `\tTopic: events\tPartition: ${i}\tLeader: 1\tIsr: ${ids}`,
              ),
            ].join("\n"),
          ),
      },
      openSearch: {
        get: async (_: string, node: string) =>
          answerOf(
            node,
            JSON.stringify({
              nodes: { x: { name: "opensearch-4" } },
              routing_table: {
                indices: { alone: { shards: { 0: [{ state: "STARTED", node: "x" }] } } },
              },
            }),
          ),
      },
    },
    containers: ["kafka-1", "kafka-3", "kafka-4", "kafka-5", "opensearch-4"].map((name) => ({
      name,
      labels: [{ label: "groundwork.cluster", value: name.split("-")[0] }],
    })),
    stacks: [
      { name: "lab-three-storage" },
      ...["a", "b", "c"].map((machine) => ({
        name: `lab-three-storage-${machine}`,
        engine: { host: hostOf(machine) },
      })),
    ],
  };
  return describeRefusedMoves(run as unknown as Run, changes);
}

beforeEach(() => {
  existing = [];
  partitions = [[1, 4]];
  silence = undefined;
  silent = [];
  environment = {
    ...labThree,
    kafka: { ...labThree.kafka, brokers: 5 },
    openSearch: { ...labThree.openSearch, nodes: 4 },
  };
  asked = [];
});

test("a node may start on another machine without its data if others have all of it", async () => {
  partitions = [[1, 4], [1]];
  expect(await refusals(...moved("kafka-1", "a", "b"))).toEqual([
    expect.stringContaining("has the only complete replica of events-1: "),
  ]);
  partitions = [[1, 4]];
  expect(await refusals(...moved("kafka-1", "a", "b"))).toEqual([]);
  expect(asked).toEqual(["kafka-2", "opensearch-1", "kafka-2", "opensearch-1"]);
});

test("a node with the only complete replica of something is refused, with how it keeps its data", async () => {
  partitions = [[4], [1, 4], [4], [4], [4], [4]];
  const remedy = (node: string) =>
    `set placement: { "${node}": "a" } of environment "lab-three" in lab/environments.ts, which keeps it there, or copy the volumes to their new machines after npm run down, as docs/how-to/machines.md describes`;
  expect(await refusals(...moved("kafka-4", "a", "b"), ...moved("opensearch-4", "a", "c"))).toEqual(
    [
      `kafka-4 (a -> b) would start on another machine without its data, and has the only complete replica of events-0, events-2, events-3, and 2 more: ${remedy("kafka-4")}`,
      `opensearch-4 (a -> c) would start on another machine without its data, and has the only complete replica of alone[0]: ${remedy("opensearch-4")}`,
    ],
  );
});

test("more than one node of a cluster is refused, as when the machines change their order", async () => {
  expect(
    await refusals(
      ...moved("kafka-3", "c", "a"),
      ...moved("kafka-4", "a", "b"),
      ...moved("kafka-5", "b", "c"),
    ),
  ).toEqual([
    'kafka-3 (c -> a), kafka-4 (a -> b) and kafka-5 (b -> c) would start on other machines without their data, and only one node of kafka may do so in a deploy: set placement: { "kafka-4": "a", "kafka-5": "b" } of environment "lab-three" in lab/environments.ts, which keeps them there, or copy the volumes to their new machines after npm run down, as docs/how-to/machines.md describes',
  ]);
});

test("nodes whose volumes were copied before may move", async () => {
  existing = ["kafka-4", "kafka-5"].map((node) => `${node}-data on ${hostOf("c")}`);
  expect(await refusals(...moved("kafka-4", "a", "c"), ...moved("kafka-5", "b", "c"))).toEqual([]);
});

test("an environment that gets machines needs its volumes there", async () => {
  expect(
    await refusals(...moved("kafka-4", undefined, "b"), ...moved("kafka-5", undefined, "c")),
  ).toEqual([
    "kafka-4 (this machine -> b) and kafka-5 (this machine -> c) would start on other machines without their data, and only one node of kafka may do so in a deploy: copy the volumes to their new machines after npm run down, as docs/how-to/machines.md describes",
  ]);
});

test("a node is refused while the clusters do not tell what others have", async () => {
  silence = "no such container";
  expect(await refusals(...moved("kafka-4", "a", "b"))).toEqual([
    expect.stringMatching(
      /^kafka-4 \(a -> b\) would start on another machine without its data, and whether other nodes have all of it is not known: no such container: set placement/,
    ),
  ]);
});

test("a volume that a running node had before on the other machine is not taken for a copy", async () => {
  existing = ["kafka-4", "kafka-5"].map((node) => `${node}-data on ${hostOf("c")}`);
  const changes = ["kafka-4", "kafka-5"].flatMap((node) => [
    ...moved(node, "b", "c"),
    ...replaced(node, "b", "c"),
  ]);
  expect(await refusals(...changes)).toEqual([
    expect.stringMatching(
      /^kafka-4 \(b -> c\) and kafka-5 \(b -> c\) would start on other machines/,
    ),
  ]);
});

test("a move that was interrupted after the state lost the volume is still one", async () => {
  partitions = [[4]];
  const [, created] = moved("kafka-4", "a", "b");
  expect(await refusals(created, ...replaced("kafka-4", "a", "b"))).toEqual([
    expect.stringMatching(/^kafka-4 \(a -> b\) .* has the only complete replica of events-0: /),
  ]);
});

test("the only controller is refused, whatever replicas others have", async () => {
  environment = { ...environment, kafka: { ...environment.kafka, controllers: 1 } };
  expect(await refusals(...moved("kafka-1", "a", "b"))).toEqual([
    expect.stringMatching(
      /^kafka-1 \(a -> b\) would start on another machine without its data, and kafka has no other voter: set placement/,
    ),
  ]);
  expect(await refusals(...moved("kafka-3", "c", "b"))).toEqual([]);
});

test("a voter is refused while another one does not answer, and any other node is not", async () => {
  silent = ["kafka-2", "opensearch-3"];
  expect(await refusals(...moved("kafka-1", "a", "b"))).toEqual([
    expect.stringMatching(
      /^kafka-1 \(a -> b\) .*, and of the other voters of kafka, kafka-2 does not answer: set placement/,
    ),
  ]);
  silent = ["kafka-1", "kafka-2"];
  expect(await refusals(...moved("kafka-3", "c", "b"))).toEqual([
    expect.stringContaining(
      "of the other voters of kafka, kafka-1 and kafka-2 do not answer: set placement",
    ),
  ]);
  expect(await refusals(...moved("kafka-4", "c", "b"))).toEqual([]);
});

test("clusters that do not answer are not asked what they have unless a node moves", async () => {
  silent = ["kafka", "opensearch"].flatMap((name) => [1, 2, 3, 4].map((id) => `${name}-${id}`));
  expect(await refusals()).toEqual([]);
  expect(asked).toEqual([]);
});

test("a node that still runs on a machine that is not declared any more is not started a second time", async () => {
  const [, created] = moved("kafka-4", "c", "b");
  expect(await refusals(created)).toEqual([
    "kafka-4 still runs on a machine that is not declared any more, and a second one would start on b without its data: declare the machine again, move its nodes with placement, one node of a cluster in a deploy, and remove it then",
  ]);
  partitions = [[1, 3]];
  expect(await refusals(created)).toEqual([]);
});

test("an added node of an environment without machines asks no cluster", async () => {
  const { machines: _, ...single } = environment;
  environment = single;
  const [, created] = moved("kafka-4", undefined, "b");
  expect(await refusals(created)).toEqual([]);
  expect(asked).toEqual([]);
});

test("a volume that is only removed moves nowhere", async () => {
  const [removed] = moved("kafka-4", "a", "b");
  expect(await refusals(removed)).toEqual([]);
});
