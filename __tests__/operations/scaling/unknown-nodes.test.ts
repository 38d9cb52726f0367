import type { Environment } from "../../../environments";
import { laptop } from "../../../environments/laptop";
import { labThree } from "../../../lab/environments";
import type { Change } from "../../../operations/changes/change";
import type { Run } from "../../../operations/run/run";
import { describeUnknownNodes } from "../../../operations/scaling/unknown-nodes";

/** The brokers of a partition: all, and those in sync. */
let replicas: string;
let inSync: string;
/** The node of OpenSearch's only shard. */
let holder: string;
/** The clusters that answer. */
let serving: readonly string[];
let exitCode: number;
/** The volumes of the engine. */
let volumes: readonly string[];

jest.mock("../../../operations/engine/docker", () => ({
  askEngine: async () => ({ exitCode: 0, output: volumes.join("\n") }),
}));

beforeEach(() => {
  replicas = "1,2,3";
  inSync = replicas;
  holder = "opensearch-1";
  serving = ["kafka", "opensearch"];
  exitCode = 0;
  volumes = ["kafka-1-data", "kafka-5-data", "opensearch-4-data"];
});

const leaving = (name: string): Change => ({
  ...{ stack: "messaging", address: name, subject: name, action: "destroy" },
  ...{ details: [], destructive: [], warnings: [] },
  node: {
    ...{ cluster: name.split("-")[0], name, leavesNetwork: false, changesSecurity: false },
  },
});

function refusals(environment: Environment, ...changes: readonly Change[]): Promise<string[]> {
  const clusterOf = (name: string) => ({ serves: async () => serving.includes(name) });
  const platform = {
    environment,
    nodes: (cluster: string) => [`${cluster}-1`],
    clusters: { kafka: clusterOf("kafka"), opensearch: clusterOf("opensearch") },
    kafka: {
      describeTopics: async () => ({
        exitCode,
        output: `Topic: orders\tConfigs: \n\tTopic: orders\tPartition: 0\tLeader: 1\tReplicas: ${replicas}\tIsr: ${inSync}\tElr: `,
      }),
    },
    openSearch: {
      get: async () => ({
        exitCode,
        output: JSON.stringify({
          nodes: { x: { name: holder } },
          routing_table: { indices: { a: { shards: { 0: [{ state: "STARTED", node: "x" }] } } } },
        }),
      }),
    },
  };
  return describeUnknownNodes({ platform } as unknown as Run, changes);
}

const refusal = (node: string) =>
  `${node} has data and is not declared any more, and this deploy would not move the data to other nodes: declare it again, run npm run up, and remove it then`;

test("declared nodes and those that the plans remove are known", async () => {
  expect(await refusals(laptop)).toEqual([]);
  [replicas, holder] = ["1,2,4", "opensearch-4"];
  expect(await refusals(laptop, leaving("kafka-4"), leaving("opensearch-4"))).toEqual([]);
});

test("a broker that has replicas is refused although it does not run, as after a removed container", async () => {
  [replicas, inSync] = ["1,2,5", "1,2"];
  expect(await refusals(laptop)).toEqual([refusal("kafka-5")]);
});

test("a node that has shards is refused although no other cluster answers", async () => {
  holder = "opensearch-4";
  serving = ["opensearch"];
  expect(await refusals(laptop)).toEqual([refusal("opensearch-4")]);
});

test("a broker to which a reassignment is still adding a replica counts with the replicas that it keeps", async () => {
  inSync = "1,2,3\tAdding Replicas: 4\tRemoving Replicas: 3";
  replicas = "1,2,4,3";
  expect(await refusals(laptop)).toEqual([]);
});

test("without a volume of another node, no cluster is asked", async () => {
  replicas = "1,2,5";
  volumes = ["kafka-1-data", "opensearch-1-data", "grafana-data", "other-9"];
  expect(await refusals(laptop)).toEqual([]);
});

test("clusters that do not answer, or not this question, refuse nothing", async () => {
  [replicas, holder] = ["1,2,4", "opensearch-4"];
  serving = [];
  expect(await refusals(laptop)).toEqual([]);
  serving = ["kafka", "opensearch"];
  exitCode = 1;
  expect(await refusals(laptop)).toEqual([]);
});

test("a node that is removed together with its machine, so that no stack has it, is refused with both", async () => {
  [replicas, holder] = ["1,6", "opensearch-4"];
  const both = (node: string) =>
    `${node} has data and is not declared any more, and this deploy would not move the data to other nodes: declare it again, and its machine if that is excluded or not declared, run npm run up, and remove the node, then the machine`;
  expect(await refusals(labThree)).toEqual([both("kafka-6"), both("opensearch-4")]);
  expect(await refusals(labThree, leaving("kafka-6"))).toEqual([both("opensearch-4")]);
});
