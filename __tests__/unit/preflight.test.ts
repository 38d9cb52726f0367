import { progressOf } from "../../commands/support/cdktf";
import {
  type Demand,
  demandOf,
  findProblems,
  type Machine,
} from "../../commands/support/preflight";
import { table } from "../../commands/support/terminal";
import { describeExitCode } from "../../constructs";
import { laptop } from "../../environments/laptop";
import { containers, synthesize } from "../support/platform";

const DEMAND: Demand = {
  environment: "laptop",
  memoryReservationMiB: 4480,
  ports: new Map([
    [9200, "opensearch-1"],
    [9092, "kafka-1"],
  ]),
};
const READY: Machine = {
  nodeVersion: "20.20.2",
  terraform: { command: "terraform", product: "Terraform", version: "1.11.4", choice: "the first" },
  engineMemoryMiB: 8000,
  maxMapCount: 262144,
  takenPorts: [],
};

test("a machine that has everything has no problem", () => {
  expect(findProblems(READY, DEMAND)).toEqual([]);
});

test("what a remote engine does not tell is no problem", () => {
  expect(findProblems({ ...READY, maxMapCount: undefined }, DEMAND)).toEqual([]);
});

test("everything that is missing is reported together, each with its remedy", () => {
  expect(
    findProblems(
      {
        nodeVersion: "18.1.0",
        engineError: "Cannot connect to the Docker daemon",
        maxMapCount: 65530,
        takenPorts: [9200, 9092],
      },
      DEMAND,
    ),
  ).toEqual([
    "Node is 18.1.0: 20 or newer is needed; install it from your distribution or nodejs.org",
    "neither terraform nor tofu is on the PATH: install Terraform or OpenTofu 1.6.0 or newer, or name one in TERRAFORM_BINARY_NAME",
    "no Docker engine answers: Cannot connect to the Docker daemon; start Docker, or point DOCKER_HOST to an engine",
    "vm.max_map_count is 65530: OpenSearch needs at least 262144; sudo sysctl -w vm.max_map_count=262144",
    "port 9200 on 127.0.0.1 is taken and opensearch-1 is to publish it: stop what uses it, or change hostPorts in environments/laptop.ts",
    "port 9092 on 127.0.0.1 is taken and kafka-1 is to publish it: stop what uses it, or change hostPorts in environments/laptop.ts",
  ]);
});

test("stopping needs the tools alone", () => {
  expect(findProblems({ ...READY, maxMapCount: 1, takenPorts: [9200] })).toEqual([]);
  expect(findProblems({ ...READY, engineError: "no such host" })).toEqual([
    "no Docker engine answers: no such host; start Docker, or point DOCKER_HOST to an engine",
  ]);
});

test("a forced Terraform that is none is named", () => {
  expect(
    findProblems({ ...READY, terraform: undefined, forcedTerraform: "terrafrom" }, DEMAND),
  ).toEqual([
    'TERRAFORM_BINARY_NAME is "terrafrom" and that is no Terraform or OpenTofu: correct it, or unset it to take what is on the PATH',
  ]);
});

test("too little memory names what the engine has and what the environment reserves", () => {
  expect(findProblems({ ...READY, engineMemoryMiB: 2000 }, DEMAND)).toEqual([
    'the engine has 2000 MiB of memory and the containers of environment "laptop" reserve 4480 MiB: give the engine more, or lower memoryScale or the number of nodes in environments/laptop.ts',
  ]);
});

test.each([
  ["Terraform", "1.5.7"],
  ["OpenTofu", "1.5.10"],
] as const)("%s %s is too old", (product, version) => {
  const terraform = { command: "tf", product, version, choice: "" };
  expect(findProblems({ ...READY, terraform }, DEMAND)).toEqual([
    `${product} (tf) is ${version}: 1.6.0 or newer is needed; upgrade it`,
  ]);
});

test("the demand is the sum of what the synthesized containers reserve, and their ports", () => {
  const { stacks } = synthesize(laptop);
  const bodies = containers(stacks).map((body) => ({ stack: "", type: "docker_container", body }));
  const demand = demandOf("laptop", bodies);
  expect(demand.memoryReservationMiB).toBe(3 * 512 + 3 * 512 + 3 * 128 + 2 * 256 + 2 * 256);
  expect([...demand.ports.keys()].sort()).toEqual([3000, 9092, 9093, 9094, 9200, 9201, 9202]);
  expect(demand.ports.get(9093)).toBe("kafka-2");
});

test.each([
  [
    "lab-data  docker_container.opensearch_opensearch-1_BF85EFC5 (opensearch/opensearch-1/Resource): Creating...",
    "opensearch/opensearch-1: Creating...",
  ],
  [
    "     docker_container.x (kafka/kafka-1/Resource): Creation complete after 28s [id=0f4ccf]",
    "kafka/kafka-1: Creation complete after 28s",
  ],
  [
    "lab-data  No changes. Your infrastructure matches the configuration.",
    "lab-data: No changes. Your infrastructure matches the configuration.",
  ],
  ["                    + executable  = false", undefined],
  ["2 Stacks deploying     2 Stacks done     0 Stacks waiting", undefined],
])("of the line %j the progress is %j", (line, progress) => {
  expect(progressOf(line)).toBe(progress);
});

test("a table aligns its columns", () => {
  expect(
    table([
      ["a", "bb"],
      ["ccc", "d"],
    ]),
  ).toBe("a    bb\nccc  d");
});

test("an exit code is explained, an unknown one too", () => {
  expect(describeExitCode(69)).toBe(
    "the cluster was not ready before the deadline: look at its containers, then deploy again",
  );
  expect(describeExitCode(3)).toBe("an unexpected failure: read the log");
});
