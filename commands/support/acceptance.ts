import { type IndexTemplate, resolveTopic, type Topic } from "../../constructs";
import type { Environment } from "../../environments";
import type { Catalog } from "../../stacks/platform";
import type { SynthesizedResource } from "./cdktf";
import { askKafka, askOpenSearch } from "./clusters";
import { docker, tryDocker } from "./docker";
import { observabilityChecks } from "./observability-checks";

/** One requirement, looked at in the running platform. */
export interface AcceptanceRow {
  readonly requirement: string;
  readonly guarantee: string;
  /** What does not hold; none when the guarantee does. */
  readonly failures: readonly string[];
  /** The sidecar whose rerun may restore it. */
  readonly restoredBy?: string;
}

/** Checks the running platform against what the catalog and the synthesized stacks declare. */
export async function checkAcceptance(
  environment: Environment,
  catalog: Catalog,
  containers: readonly SynthesizedResource[],
): Promise<AcceptanceRow[]> {
  const [templates, topics, memory, observability] = await Promise.all([
    templateFailures(catalog.indexTemplates),
    topicFailures(environment, catalog.topics),
    memoryFailures(containers),
    Promise.all(observabilityChecks(environment, catalog, containers)),
  ]);
  return [
    {
      requirement: "AUT-001",
      guarantee: `index templates active and applied: ${catalog.indexTemplates.map(({ name }) => name).join(", ")}`,
      failures: templates,
      restoredBy: "os-init",
    },
    {
      requirement: "AUT-002",
      guarantee: `topics exist with their guarantees: ${catalog.topics.map(({ name }) => name).join(", ")}`,
      failures: topics,
      restoredBy: "kafka-init",
    },
    {
      requirement: "AUT-003",
      guarantee: `memory reservation in force on ${containers.length} containers`,
      failures: memory,
    },
    ...observability,
  ];
}

/** Runs every sidecar once more: nothing may be created, changed or found to differ. */
export async function checkIdempotency(sidecars: readonly string[]): Promise<AcceptanceRow> {
  const failures = await Promise.all(
    sidecars.map(async (sidecar) => {
      const { exitCode, created, reconciled, reason } = await rerunSidecar(sidecar);
      return exitCode !== 0 || created + reconciled > 0
        ? `${sidecar} run again: exit code ${exitCode}, ${created} created, ${reconciled} reconciled: ${reason}`
        : undefined;
    }),
  );
  return {
    requirement: "NFR-IDEM",
    guarantee: `run again, ${sidecars.join(" and ")} change nothing`,
    failures: failures.filter((failure) => failure !== undefined),
  };
}

/** The last line of a sidecar's log. */
export interface SidecarExit {
  readonly exitCode: number;
  readonly reason: string;
  readonly created: number;
  readonly reconciled: number;
}

/** Starts a finished sidecar again and waits until it has ended. */
export async function rerunSidecar(name: string): Promise<SidecarExit> {
  const { exitCode, output } = await tryDocker("start", "--attach", name);
  const last = output
    .split("\n")
    .map(parseLine)
    .find((line) => line?.event === "exit");
  return {
    exitCode,
    reason: last?.reason ?? output,
    created: last?.created ?? 0,
    reconciled: last?.reconciled ?? 0,
  };
}

function parseLine(line: string) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function templateFailures(templates: readonly IndexTemplate[]): Promise<string[]> {
  const failures = await Promise.all(
    templates
      .filter(({ onDrift }) => onDrift !== "ignore")
      .map(async ({ name, body }) => {
        const probe = body.index_patterns[0].replaceAll("*", "acceptance-probe");
        const simulated = await openSearch(`/_index_template/_simulate_index/${probe}`, "POST");
        if (simulated.error) {
          return [`${name}: ${JSON.stringify(simulated.error)}`];
        }
        const exists = (await openSearch(`/_index_template/${name}`)).index_templates?.length === 1;
        return exists
          ? missingFrom(simulated.template, body.template ?? {}, `${name}: `)
          : [`${name}: does not exist`];
      }),
  );
  return failures.flat();
}

// biome-ignore lint/suspicious/noExplicitAny: the answers of a REST API
async function openSearch(path: string, method = "GET"): Promise<any> {
  const { exitCode, output } = await askOpenSearch("opensearch-1", path, "--request", method);
  return exitCode === 0 ? JSON.parse(output) : { error: output };
}

/** Every scalar of `declared` that `actual` does not have, with OpenSearch's reading of numbers and booleans as strings. */
function missingFrom(actual: unknown, declared: unknown, path: string): string[] {
  if (typeof declared === "object" && declared !== null) {
    return Object.entries(declared).flatMap(([key, value]) =>
      missingFrom((actual as Record<string, unknown> | undefined)?.[key], value, `${path}.${key}`),
    );
  }
  return String(actual) === String(declared)
    ? []
    : [`${path}: declared ${declared}, in effect ${actual}`];
}

async function topicFailures(
  environment: Environment,
  declared: readonly Topic[],
): Promise<string[]> {
  const { exitCode, output } = await askKafka("kafka-1", environment, "kafka-topics.sh", [
    "--describe",
  ]);
  if (exitCode !== 0) {
    return [output];
  }
  const live = new Map(
    [
      ...output.matchAll(
        /^Topic: (\S+)\t.*PartitionCount: (\d+)\tReplicationFactor: (\d+)\tConfigs: ?(\S*)/gm,
      ),
    ].map(([, name, partitions, replicationFactor, configs]) => [
      name,
      { partitions: Number(partitions), replicationFactor: Number(replicationFactor), configs },
    ]),
  );
  return declared
    .map((topic) => resolveTopic(topic, environment.kafka.brokers))
    .filter(({ onDrift }) => onDrift !== "ignore")
    .flatMap(({ name, partitions, replicationFactor, configs }) => {
      const topic = live.get(name);
      if (!topic) {
        return [`${name}: does not exist`];
      }
      const wanted = `min.insync.replicas=${configs["min.insync.replicas"]}`;
      return [
        topic.partitions !== partitions &&
          `${name}: declared ${partitions} partitions, has ${topic.partitions}`,
        topic.replicationFactor !== replicationFactor &&
          `${name}: declared replication factor ${replicationFactor}, has ${topic.replicationFactor}`,
        !topic.configs.split(",").includes(wanted) &&
          `${name}: declared ${wanted}, has ${topic.configs}`,
      ].filter((failure) => failure !== false);
    });
}

async function memoryFailures(containers: readonly SynthesizedResource[]): Promise<string[]> {
  const declared = new Map(
    containers.map(({ body }) => [body.name as string, body.memory_reservation as number]),
  );
  const output = await docker(
    "inspect",
    "--format",
    "{{.Name}} {{.HostConfig.MemoryReservation}}",
    ...declared.keys(),
  );
  return output.split("\n").flatMap((line) => {
    const [path, bytes] = line.split(" ");
    const name = path.slice(1);
    const actual = Number(bytes) / 1024 / 1024;
    return actual === declared.get(name)
      ? []
      : [`${name}: declared ${declared.get(name)} MiB reserved, has ${actual} MiB`];
  });
}
