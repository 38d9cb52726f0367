export interface Suite {
  /** The duration on an idle machine with two cores and the lab's images built. */
  readonly seconds: number;
  /** The files that it covers besides its own folder, as git pathspecs. A change there makes its last green run stale. */
  readonly covers: readonly string[];
}

/** The longest that a suite may take. Split one that takes longer. */
export const MOST_SECONDS = 300;

/** Everything that a platform with real servers consists of, and that runs it. */
const PLATFORM = [
  ...["catalog", "commands", "constructs", "environments", "lab", "operations", "packages"],
  ...["secrets", "stacks", "tools", "__tests__/support"],
  ...["cdktf.json", "main.ts", "package.json", "package-lock.json"],
];

/** Files only for documentation, the benchmark and hermetic tests. */
const NOT_RUN = [
  ...["commands/bench.ts", "commands/diagram.ts", "tools/lint-scripts.mjs"],
  ...["tools/lint-prose.mjs", "tools/lint-prose.yml"],
  ...["commands/reference.ts", "tools/test.mjs", "lab/README.md", "lab/alloy-fmt", "lab/bench"],
  ...["lab/promtool.sh", "tools/changed.ts", "tools/documentation", "__tests__/support/command.ts"],
  ...[
    ...["chain.test.ts", "container-state.ts", "dashboard-style.ts", "docs.ts"],
    ...["fake-index-management.ts", "fake-kafka.ts", "fake-opensearch.ts"],
    ...["kafka-cluster.ts", "kafka-init.ts", "open-search-shards.ts"],
    ...["policy-as-stored.ts", "policy-spellings.ts"],
    ...["own-secrets.ts", "patience.test.ts", "previews.ts", "programs.ts", "progress.ts"],
    ...["run.test.ts", "stack.ts", "stale.test.ts", "variables.ts"],
  ].map((name) => `__tests__/support/${name}`),
];

/** Files without effect in an environment with one machine. */
const MACHINES = [
  ...["commands/swarm.ts", "lab/machines.sh", "lab/registry.yml"],
  ...["operations/checks/machine-loss.ts", "operations/platform/replicated.ts"],
  "operations/scaling/moved-nodes.ts",
  ...["operations/machine/neighbours.sh", "operations/machine/neighbours.ts"],
  ...["operations/machine/ping.sh", "operations/swarm", "__tests__/support/machines.ts"],
  ...["__tests__/support/packet-capture.sh", "__tests__/support/packet-capture.ts"],
  "__tests__/support/secured-machines.ts",
];

/** Files without effect in a plaintext environment. */
const SECURITY = [
  ...["commands/credentials.ts", "commands/rotate.ts", "constructs/opensearch/os-security.sh"],
  ...["constructs/opensearch/opensearch-security.ts", "constructs/opensearch/security"],
  ...["constructs/loki/haproxy.cfg", "constructs/loki/loki-proxy.ts"],
  ...["configuration", "configuration.sh", "configuration.ts"].map(
    (name) => `constructs/opensearch/${name}`,
  ),
  ...["operations/checks/certificates.ts", "operations/checks/logins.ts"],
  ...["constructs/kafka/certificate-reload", "constructs/kafka/certificate-reload.jar"],
  "constructs/security/copy-certificates.sh",
  ...["secrets/certificates.ts", "secrets/rotation.ts"],
  ...["operations/credentials", "operations/deploy/foreign-ca.ts"],
  ...["operations/rotation", "__tests__/support/certificates.ts"],
  "__tests__/support/authorization-matrix.ts",
  ...["__tests__/support/loki-authorization.ts", "__tests__/support/loki-stand-in.cfg"],
  ...["__tests__/support/kafka-authorization", "__tests__/support/http-authorization.sh"],
  ...["__tests__/support/secured.ts", "__tests__/support/secured-machines.ts"],
  "__tests__/support/sample-application.ts",
];

const but = (...paths: readonly string[]) => paths.map((path) => `:(exclude)${path}`);

const ONE_MACHINE = [...PLATFORM, ...but(...NOT_RUN, ...MACHINES, ...SECURITY)];
const ONE_MACHINE_SECURED = [...PLATFORM, ...but(...NOT_RUN, ...MACHINES)];
const SEVERAL_MACHINES = [...PLATFORM, ...but(...NOT_RUN, ...SECURITY)];
const SEVERAL_MACHINES_SECURED = [...PLATFORM, ...but(...NOT_RUN)];
/** For every environment, including services without an image in the lab. */
const SYNTHESIS = [...SEVERAL_MACHINES_SECURED, "alerts", "dashboards"];
const PAGES = [...PLATFORM, ...but(...MACHINES, ...SECURITY), "README.md", "docs"];

const suite = (seconds: number, covers: readonly string[] = ONE_MACHINE): Suite => ({
  seconds,
  covers,
});

/** Every suite. Each is a folder. */
export const SUITES: Readonly<Record<string, Suite>> = {
  state: suite(40),
  smoke: suite(85),
  small: suite(90),
  examples: suite(15, [...ONE_MACHINE, "examples"]),
  docs: suite(85, PAGES),
  declared: suite(90),
  templates: suite(250, ONE_MACHINE_SECURED),
  retention: suite(240),
  "cdk-terrain": suite(35, SYNTHESIS),
  "enable-tls": suite(100, ONE_MACHINE_SECURED),
  "rotation-ca": suite(150, ONE_MACHINE_SECURED),
  remote: suite(70),
  "machines-adopt": suite(195, SEVERAL_MACHINES),
  "machines-grows": suite(290, SEVERAL_MACHINES),
  "machines-loss": suite(210, SEVERAL_MACHINES),
  "machines-replaced": suite(190, SEVERAL_MACHINES),
  "machines-rolling": suite(275, SEVERAL_MACHINES),
  "engine-proxy": suite(65, ONE_MACHINE_SECURED),
  "machines-upgrades": suite(290, SEVERAL_MACHINES),
  machines: suite(140, SEVERAL_MACHINES),
  "machines-killed": suite(250, SEVERAL_MACHINES),
  "machines-secured": suite(140, SEVERAL_MACHINES_SECURED),
  "killed-containers": suite(215),
  "killed-engine": suite(210),
  "secured-sidecars": suite(105, ONE_MACHINE_SECURED),
  "machines-authorization": suite(195, SEVERAL_MACHINES_SECURED),
  rotation: suite(270, ONE_MACHINE_SECURED),
  "rotation-interrupted": suite(265, ONE_MACHINE_SECURED),
  backup: suite(280),
  "backup-secured": suite(280, ONE_MACHINE_SECURED),
  lifecycle: suite(145),
  inventory: suite(200),
  applies: suite(170),
  "applies-secured": suite(200, ONE_MACHINE_SECURED),
  observability: suite(210, [...ONE_MACHINE, "alerts", "dashboards"]),
  "secured-adopt": suite(140, ONE_MACHINE_SECURED),
  adopt: suite(115),
  lock: suite(150),
  hello: suite(250, ONE_MACHINE_SECURED),
  engines: suite(185),
  rolling: suite(165),
  upgrades: suite(250),
  "upgrades-secured": suite(250, ONE_MACHINE_SECURED),
  "grows-opensearch": suite(240),
  "grows-opensearch-killed": suite(290),
  shrinks: suite(240),
  "grows-secured": suite(270, ONE_MACHINE_SECURED),
  "grows-kafka": suite(240),
  "grows-kafka-killed": suite(180),
  "shrinks-kafka-killed": suite(260),
  secured: suite(210, ONE_MACHINE_SECURED),
  streams: suite(240, ONE_MACHINE_SECURED),
  certificates: suite(240, ONE_MACHINE_SECURED),
};

/** The names of the suites, the shortest first. */
export const SHORTEST_FIRST: readonly string[] = Object.keys(SUITES).sort(
  (a, b) => SUITES[a].seconds - SUITES[b].seconds,
);

/** Returns everything that a suite covers, as git pathspecs. */
export function coveredBy(name: string): string[] {
  return [`__tests__/e2e/${name}`, ...SUITES[name].covers];
}
