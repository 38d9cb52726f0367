import { laptop } from "../../../environments/laptop";
import {
  checksOf,
  findProblems,
  findWarnings,
  type MachineFacts,
  PODMAN,
  type Requirements,
  requirementsOf,
} from "../../../operations/machine/preflight";
import { resourcesOf } from "../../../operations/synthesis/resources";
import { describeMissingTerraform } from "../../../operations/terraform/install";
import { synthesize } from "../../support/platform";

const DEMAND: Requirements = {
  environment: "laptop",
  memoryReservationMiB: 4480,
  ports: new Map([
    [9200, "opensearch-1"],
    [9092, "kafka-1"],
  ]),
  images: ["apache/kafka:4.3.1", "grafana/loki:3.7.3"],
  raisesLimits: true,
  hasOpenSearch: true,
  isSecured: true,
};
const ENGINE = {
  version: "28.5.2",
  apiVersion: "1.51",
  memoryMiB: 8000,
  clockAheadSeconds: 0,
  limits: { memory: true, swap: true },
  freeDiskMiB: 50_000,
};
const READY: MachineFacts = {
  nodeVersion: "20.20.2",
  terraform: { command: "terraform", product: "Terraform", version: "1.11.4", choice: "the first" },
  engine: ENGINE,
  openFiles: 1_048_576,
  maxMapCount: 262144,
  takenPorts: [],
};

const problemsOf = (machine: MachineFacts, requirements?: Requirements) =>
  findProblems([{ machine, requirements }]);

test("a machine that meets every requirement has no problem", () => {
  expect(problemsOf(READY, DEMAND)).toEqual([]);
});

test("a fact that a remote engine does not report is no problem", () => {
  expect(problemsOf({ ...READY, maxMapCount: undefined }, DEMAND)).toEqual([]);
});

test("an engine that is reached over a network without TLS gets no secrets, and serves a plaintext environment", () => {
  const machine = { ...READY, plaintextAddress: "tcp://host-a:2375" };
  expect(problemsOf(machine, DEMAND)).toEqual([
    `the connection to the Docker engine at tcp://host-a:2375 has no TLS, and environment "${DEMAND.environment}" is secured: its keys and passwords would cross the network in plaintext. Use ssh://user@host, or tcp://host:2376 with DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH`,
  ]);
  expect(problemsOf(machine, { ...DEMAND, isSecured: false })).toEqual([]);
});

test("an engine whose certificate its Docker context does not verify gets no secrets, and serves a plaintext environment", () => {
  const machine = { ...READY, unverifiedAddress: "tcp://host-a:2376" };
  expect(problemsOf(machine, DEMAND)).toEqual([
    `the Docker context of tcp://host-a:2376 has skip-tls-verify, and environment "${DEMAND.environment}" is secured: anyone on the way could pose as the Docker engine and get its keys and passwords. Create the context again without skip-tls-verify and with ca=<CA of the engine>, or use ssh://user@host`,
  ]);
  expect(problemsOf(machine, { ...DEMAND, isSecured: false })).toEqual([]);
});

test("reports all problems together, each with its remedy", () => {
  expect(
    problemsOf(
      {
        nodeVersion: "18.1.0",
        engineError: "Cannot connect to the Docker daemon",
        maxMapCount: 65530,
        takenPorts: [9200, 9092],
      },
      DEMAND,
    ),
  ).toEqual([
    "Node.js 18.1.0 is too old: install 20.19 or newer from your distribution or nodejs.org",
    describeMissingTerraform(),
    "no Docker engine answers: Cannot connect to the Docker daemon; start Docker, or set DOCKER_HOST to an engine",
    "vm.max_map_count is 65530: OpenSearch needs at least 262144; run sudo sysctl -w vm.max_map_count=262144",
    "port 9200 on 127.0.0.1 is already in use, but opensearch-1 publishes it: stop the process that uses it, or change hostPorts in environments/laptop.ts",
    "port 9092 on 127.0.0.1 is already in use, but kafka-1 publishes it: stop the process that uses it, or change hostPorts in environments/laptop.ts",
  ]);
});

test("with several machines, a problem names its machine, and the tools are checked once", () => {
  const node = { ...READY, nodeVersion: "18.1.0" };
  const inspections = [
    { name: "a", machine: node, requirements: DEMAND },
    {
      name: "b",
      machine: { ...node, engine: { ...ENGINE, apiVersion: "1.40" } },
      requirements: DEMAND,
    },
  ];
  expect(findProblems(inspections)).toEqual([
    expect.stringMatching(/^Node\.js 18\.1\.0 is too old: /),
    expect.stringMatching(/^machine b: the Docker engine's API 1\.40 is too old: /),
  ]);
  const names = checksOf(inspections).map(({ name }) => name);
  expect(names.filter((name) => /^(Node|Terraform|memory \()/.test(name))).toEqual([
    ...["Node", "Terraform", "memory (a)", "memory (b)"],
  ]);
});

test("machines on one engine, in two Swarms or with different clocks are refused", () => {
  const at = (id: string, swarmId: string, clockAheadSeconds: number): MachineFacts => ({
    ...READY,
    swarm: "manager",
    swarmId,
    engine: { ...ENGINE, id, clockAheadSeconds, kernel: "6.1.0" },
  });
  const inspections = [
    at("X", "one", 0),
    at("Y", "one", -400),
    at("X", "one", 0),
    at("Z", "two", 0),
  ];
  const named = inspections.map((machine, i) => ({
    name: "abcd"[i],
    machine,
    requirements: DEMAND,
  }));
  expect(findProblems(named)).toEqual([
    "machine b: the Docker engine's clock is 400 s behind this machine's, so certificates are refused as not valid: synchronize both clocks with NTP",
    "machines a and c are the same Docker engine: give each machine its own, since replicas on one engine are lost together",
    "machine d is in a different Swarm than machine a: run docker swarm leave on machine d, then npm run swarm",
  ]);
  expect(checksOf(named)).toContainEqual({
    name: "Docker engine (a)",
    found: "28.5.2, API 1.51, Linux 6.1.0",
    problem: undefined,
  });
});

test("a disk beyond OpenSearch's low watermark is a warning with the figures and the remedy", () => {
  const warningsWith = (freeDiskMiB: number, requirements = DEMAND) =>
    findWarnings([
      { machine: { ...READY, engine: { ...ENGINE, diskMiB: 100_000, freeDiskMiB } }, requirements },
    ]);
  expect(warningsWith(12_000)).toEqual([
    "the Docker engine's disk has 12000 of 100000 MiB free: OpenSearch allocates no replicas to a node whose disk is more than 85 % full, so that indices stay yellow. Free 3000 MiB: docker system prune removes unused data; docs/runbooks/DiskWatermark.md shows what indices use",
  ]);
  expect(warningsWith(15_000)).toEqual([]);
  expect(warningsWith(12_000, { ...DEMAND, hasOpenSearch: false })).toEqual([]);
});

test("stopping needs only the tools", () => {
  expect(problemsOf({ ...READY, maxMapCount: 1, takenPorts: [9200] })).toEqual([]);
  expect(problemsOf({ ...READY, engineError: "no such host" })).toEqual([
    "no Docker engine answers: no such host; start Docker, or set DOCKER_HOST to an engine",
  ]);
});

test("a forced binary that is not Terraform is named", () => {
  expect(
    problemsOf({ ...READY, terraform: undefined, forcedTerraform: "terrafrom" }, DEMAND),
  ).toEqual([
    'TERRAFORM_BINARY_NAME is "terrafrom", which is not Terraform or OpenTofu: correct it, or unset it to use the one on the PATH',
  ]);
});

test("too little memory is reported with the engine's memory and the environment's reservations", () => {
  expect(problemsOf({ ...READY, engine: { ...ENGINE, memoryMiB: 2000 } }, DEMAND)).toEqual([
    'the Docker engine has 2000 MiB of memory, but the containers of environment "laptop" reserve 4480 MiB: give it more memory, or lower memoryScale or the number of nodes in environments/laptop.ts',
  ]);
});

test.each([
  ["Terraform", "1.5.7"],
  ["OpenTofu", "1.5.10"],
] as const)("%s %s is too old", (product, version) => {
  const terraform = { command: "tf", product, version, choice: "" };
  expect(problemsOf({ ...READY, terraform }, DEMAND)).toEqual([
    `${product} ${version} (tf) is too old: upgrade to 1.6.0 or newer`,
  ]);
});

test.each(["Terraform", "OpenTofu"] as const)(
  "%s is too old for a lock file in S3 before 1.10",
  (product) => {
    const at = (version: string) => ({
      ...READY,
      terraform: { command: "tf", product, version, choice: "" },
    });
    const inS3 = requirementsOf({ ...laptop, state: { kind: "s3", bucket: "team" } }, []);
    expect(problemsOf(at("1.9.8"), inS3)).toEqual([
      `${product} 1.9.8 (tf) cannot lock the state of environment "laptop", which state.kind "s3" needs: upgrade to 1.10.0 or newer, or choose another backend in environments/laptop.ts`,
    ]);
    expect(problemsOf(at("1.10.0"), inS3)).toEqual([]);
    expect(problemsOf(at("1.9.8"), requirementsOf(laptop, []))).toEqual([]);
  },
);

test.each([
  ["20.19.0", "1.6.0", "1.41"],
  ["v20.100.0", "1.10.0-dev", "1.100"],
])("Node %s, Terraform %s and API %s are new enough", (nodeVersion, version, apiVersion) => {
  const terraform = { command: "tf", product: "Terraform", version, choice: "" } as const;
  const machine = { ...READY, nodeVersion, terraform, engine: { ...ENGINE, apiVersion } };
  expect(problemsOf(machine, DEMAND)).toEqual([]);
});

test("the requirements are the containers' memory reservations and ports", () => {
  const { stacks } = synthesize(laptop);
  const requirements = requirementsOf(
    laptop,
    Object.entries(stacks).flatMap(([stack, json]) => resourcesOf(stack, json)),
  );
  expect(requirements.images).toHaveLength(7);
  expect(requirements.memoryReservationMiB).toBe(
    3 * 512 + 3 * 512 + 2 * 128 + 64 + 2 * 256 + 2 * 256,
  );
  expect([...requirements.ports.keys()].sort()).toEqual([3000, 9092, 9093, 9094, 9200, 9201, 9202]);
  expect(requirements.ports.get(9093)).toBe("kafka-2");
});

test("doctor counts the ports that the platform publishes", () => {
  const found = (ownPorts: number) =>
    checksOf([{ machine: { ...READY, ownPorts }, requirements: DEMAND }]).find(
      ({ name }) => name === "ports",
    )?.found;
  expect([found(0), found(1), found(2)]).toEqual([
    "2 free",
    "1 published by this platform, 1 free",
    "2 published by this platform",
  ]);
});

test.each<[string, Partial<MachineFacts>, string]>([
  [
    "an engine that is too old",
    { engine: { ...ENGINE, apiVersion: "1.40" } },
    "the Docker engine's API 1.40 is too old: upgrade Docker to 20.10 or newer (API 1.41)",
  ],
  [
    "an engine without memory limits",
    { engine: { ...ENGINE, limits: { memory: false, swap: false } } },
    "the Docker engine enforces no memory limit and no swap limit, so one container can use up the memory and swap of all: boot the kernel with cgroup_enable=memory swapaccount=1 (GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub)",
  ],
  [
    "a kernel without swap accounting",
    { engine: { ...ENGINE, limits: { memory: true, swap: false } } },
    "the Docker engine enforces no swap limit, so one container can use up the swap of all: boot the kernel with cgroup_enable=memory swapaccount=1 (GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub)",
  ],
  [
    "a rootless engine without a memory controller",
    {
      engine: {
        ...ENGINE,
        securityOptions: ["rootless"],
        limits: { memory: false, swap: false },
      },
      lockedMemoryMiB: Number.POSITIVE_INFINITY,
    },
    "the Docker engine enforces no memory limit and no swap limit, so one container can use up the memory and swap of all: have systemd delegate the memory controller to your user (https://docs.docker.com/engine/security/rootless/tips/), on a kernel with cgroup v2 (systemd.unified_cgroup_hierarchy=1)",
  ],
  [
    "a rootless engine that may lock too little memory",
    { engine: { ...ENGINE, securityOptions: ["seccomp", "rootless"] }, lockedMemoryMiB: 8 },
    "the Docker engine is rootless and may lock 8 MiB of memory, but OpenSearch locks all of its own: set raiseUlimits to false in environments/laptop.ts, or raise LimitMEMLOCK of user@.service to infinity",
  ],
  [
    "an engine that remaps container users",
    { engine: { ...ENGINE, securityOptions: ["userns"] } },
    "the Docker engine remaps the users of containers (userns-remap), so the monitoring containers cannot use its socket: remove userns-remap from its daemon.json",
  ],
  [
    "Podman's docker command",
    { engine: undefined, engineError: PODMAN },
    "no Docker engine answers: the docker command is Podman's; remove podman-docker, and install Docker Engine with its docker CLI (https://docs.docker.com/engine/install/)",
  ],
  [
    "a full disk",
    { engine: { ...ENGINE, freeDiskMiB: 500 } },
    "the Docker engine's disk has 500 MiB free: images and volumes need 10240 MiB to start with; docker system prune removes unused data",
  ],
  [
    "a clock that invalidates certificates",
    { engine: { ...ENGINE, clockAheadSeconds: -4000 } },
    "the Docker engine's clock is 4000 s behind this machine's, so certificates are refused as not valid: synchronize both clocks with NTP",
  ],
  [
    "a limit of open files that is too low for OpenSearch",
    { openFiles: 20_000 },
    "the Docker engine may open 20000 files, but OpenSearch asks for 65536: raise LimitNOFILE of its systemd service, or set raiseUlimits to false in environments/laptop.ts",
  ],
  [
    "a locked state",
    { locks: [{ file: "data.tfstate", who: "ann@host", since: "2026" }] },
    "data.tfstate has been locked by ann@host since 2026: wait for that deploy to end, or end its terraform process",
  ],
])("%s is a problem with one remedy", (_, machine, problem) => {
  expect(problemsOf({ ...READY, ...machine }, DEMAND)).toEqual([problem]);
});

test.each<[string, Partial<MachineFacts>, string]>([
  [
    "a provider registry that does not answer",
    { providerError: "registry.terraform.io does not answer (getaddrinfo ENOTFOUND)" },
    "Terraform may fail to download the provider kreuzwerker/docker: registry.terraform.io does not answer (getaddrinfo ENOTFOUND); if it does, allow registry.terraform.io, set HTTPS_PROXY, or configure a mirror in the file that TF_CLI_CONFIG_FILE names",
  ],
  [
    "an image registry that does not answer this machine",
    { missingImages: ["grafana/loki:3.7.3"] },
    "the Docker engine has no grafana/loki:3.7.3, and the registry does not answer this machine: run docker pull grafana/loki:3.7.3 to check whether the engine reaches it",
  ],
  [
    "a remote rootless engine",
    { engine: { ...ENGINE, securityOptions: ["rootless"] } },
    `the Docker engine is rootless and may not be allowed to lock all of OpenSearch's memory: if a node fails with "error setting rlimit", set raiseUlimits to false in environments/laptop.ts, or raise LimitMEMLOCK of user@.service to infinity`,
  ],
])("%s is a warning and not a problem", (_, machine, warning) => {
  const inspections = [{ machine: { ...READY, ...machine }, requirements: DEMAND }];
  expect(findWarnings(inspections)).toEqual([warning]);
  expect(findProblems(inspections)).toEqual([]);
});

test("a rootless engine that may lock all memory, or need not, is reported and no problem", () => {
  const rootless = { ...READY, engine: { ...ENGINE, securityOptions: ["rootless", "selinux"] } };
  const inspections = [
    { machine: { ...rootless, lockedMemoryMiB: Number.POSITIVE_INFINITY }, requirements: DEMAND },
    { machine: rootless, requirements: { ...DEMAND, raisesLimits: false } },
  ];
  for (const inspection of inspections) {
    expect([...findProblems([inspection]), ...findWarnings([inspection])]).toEqual([]);
    expect(checksOf([inspection])).toContainEqual(
      expect.objectContaining({ name: "security options", found: "rootless, SELinux" }),
    );
  }
});

test("a low limit of open files is no problem unless containers raise it", () => {
  expect(problemsOf({ ...READY, openFiles: 20_000 }, { ...DEMAND, raisesLimits: false })).toEqual(
    [],
  );
});

test("a small clock difference is no problem, nor any without TLS", () => {
  const behind = (seconds: number) => ({
    ...READY,
    engine: { ...ENGINE, clockAheadSeconds: -seconds },
  });
  expect(problemsOf(behind(200), DEMAND)).toEqual([]);
  expect(problemsOf(behind(4000), { ...DEMAND, isSecured: false })).toEqual([]);
});

test("every prerequisite is checked and listed", () => {
  expect(
    checksOf([{ machine: READY, requirements: DEMAND }]).map(
      ({ name, found }) => `${name}: ${found}`,
    ),
  ).toEqual([
    "Node: 20.20.2",
    "Terraform: Terraform 1.11.4",
    "Docker engine: 28.5.2, API 1.51",
    "provider: available",
    "images: 2, all available",
    "memory: 8000 MiB",
    "memory limits: enforced",
    "disk: 50000 MiB free",
    "vm.max_map_count: 262144",
    "open files: 1048576",
    "clock: same as this machine's",
    "ports: 2 free",
  ]);
});
