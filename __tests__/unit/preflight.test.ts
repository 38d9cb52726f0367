import { resourcesOf } from "../../commands/support/cdktf";
import {
  type Demand,
  demandOf,
  diagnose,
  findProblems,
  type Machine,
} from "../../commands/support/preflight";
import { table } from "../../commands/support/terminal";
import { describeExitCode } from "../../constructs";
import { laptop } from "../../environments/laptop";
import { synthesize } from "../support/platform";

const DEMAND: Demand = {
  environment: "laptop",
  memoryReservationMiB: 4480,
  ports: new Map([
    [9200, "opensearch-1"],
    [9092, "kafka-1"],
  ]),
  images: ["apache/kafka:4.3.1", "grafana/loki:3.7.3"],
  raisesOpenFiles: true,
};
const ENGINE = { version: "28.5.2", apiVersion: "1.51", memoryMiB: 8000, freeDiskMiB: 50_000 };
const READY: Machine = {
  nodeVersion: "20.20.2",
  terraform: { command: "terraform", product: "Terraform", version: "1.11.4", choice: "the first" },
  engine: ENGINE,
  openFiles: 1_048_576,
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
    "Node is 18.1.0: 20.19 or newer is needed; install it from your distribution or nodejs.org",
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
  expect(findProblems({ ...READY, engine: { ...ENGINE, memoryMiB: 2000 } }, DEMAND)).toEqual([
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
  const demand = demandOf(
    laptop,
    Object.entries(stacks).flatMap(([stack, json]) => resourcesOf(stack, json)),
  );
  expect(demand.images).toHaveLength(7);
  expect(demand.memoryReservationMiB).toBe(3 * 512 + 3 * 512 + 3 * 128 + 2 * 256 + 2 * 256);
  expect([...demand.ports.keys()].sort()).toEqual([3000, 9092, 9093, 9094, 9200, 9201, 9202]);
  expect(demand.ports.get(9093)).toBe("kafka-2");
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

test.each<[string, Partial<Machine>, string]>([
  [
    "an engine that is too old",
    { engine: { ...ENGINE, apiVersion: "1.40" } },
    "the engine's API is 1.40: 1.41 or newer is needed (Docker 20.10); upgrade Docker",
  ],
  [
    "a registry of providers that does not answer",
    { providerError: "registry.terraform.io does not answer (getaddrinfo ENOTFOUND)" },
    "Terraform cannot get the provider kreuzwerker/docker: registry.terraform.io does not answer (getaddrinfo ENOTFOUND); allow registry.terraform.io, or name a mirror in the file of TF_CLI_CONFIG_FILE",
  ],
  [
    "images that cannot be had",
    { missingImages: ["grafana/loki:3.7.3"] },
    "the engine has no grafana/loki:3.7.3 and its registry does not answer; docker pull grafana/loki:3.7.3 says why",
  ],
  [
    "a full disk",
    { engine: { ...ENGINE, freeDiskMiB: 500 } },
    "the engine's disk has 500 MiB free: images and volumes need 10240 MiB to begin with; docker system prune removes what nothing uses",
  ],
  [
    "a limit of open files that OpenSearch refuses",
    { openFiles: 20_000 },
    "the engine may open 20000 files and OpenSearch asks for 65536: raise LimitNOFILE of the engine's service, or set raiseUlimits to false in environments/laptop.ts",
  ],
  [
    "a state that somebody has locked",
    { locks: [{ file: "data.tfstate", who: "ann@host", since: "2026" }] },
    "data.tfstate is locked by ann@host since 2026: wait until that deploy has ended, or end its terraform process",
  ],
])("%s is a problem with one remedy", (_, machine, problem) => {
  expect(findProblems({ ...READY, ...machine }, DEMAND)).toEqual([problem]);
});

test("a limit of open files that nobody raises is no problem", () => {
  expect(
    findProblems({ ...READY, openFiles: 20_000 }, { ...DEMAND, raisesOpenFiles: false }),
  ).toEqual([]);
});

test("every prerequisite is looked at and said, found or not", () => {
  expect(diagnose(READY, DEMAND).map(({ name, found }) => `${name}: ${found}`)).toEqual([
    "Node: 20.20.2",
    "Terraform: Terraform 1.11.4",
    "Docker engine: 28.5.2, API 1.51",
    "provider: can be had",
    "images: 2, all can be had",
    "memory: 8000 MiB",
    "disk: 50000 MiB free",
    "vm.max_map_count: 262144",
    "open files: 1048576",
    "ports: 2, all free",
  ]);
});
