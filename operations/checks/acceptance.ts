import { resolveTopic, type Topic } from "../../constructs";
import { removalOfConfigs } from "../../constructs/kafka/topic-config";
import { isSecured, retentionIn } from "../../environments";
import { isSameEngine } from "../../stacks/placement";
import type { Catalog } from "../../stacks/platform";
import type { Outcome } from "../engine/docker";
import { inspectContainers } from "../platform/containers";
import type { Platform } from "../platform/platform";
import { type SynthesizedContainer, sidecarsIn } from "../synthesis/container";
import { counted, listed } from "../terminal/terminal";
import { certificateChecks } from "./certificates";
import { loginFailures } from "./logins";
import { machineLossChecks } from "./machine-loss";
import { observabilityChecks } from "./observability";
import { checkPartitions } from "./partitions";
import type { AcceptanceRow } from "./row";
import { type Rerun, rerunSidecar } from "./sidecars";

/** How many names are shown. */
const NAMED = 3;

/**
 * Checks the running platform against its declaration. It runs the sidecars again: they report whether what they provision is in effect,
 * and restore what is missing, such as a topic that was deleted by hand.
 */
export async function checkAcceptance(
  platform: Platform,
  containers: readonly SynthesizedContainer[],
): Promise<AcceptanceRow[]> {
  // Imported late: the synth has validated it by now.
  const { catalog } = await import("../../catalog");
  const { applications, indexTemplates, topics } = catalog;
  const sidecars = sidecarsIn(containers);
  const [reruns, before, unchanging] = await Promise.all([
    rerunUntilSteady(platform, sidecars),
    platform.kafka.describeTopics(),
    checkWithoutChanges(platform, catalog, containers),
  ]);
  const failuresIn = (description: Outcome) => topicFailures(platform, topics, description);
  // kafka-init may have restored missing topics.
  const description =
    failuresIn(before).length > 0 ? await platform.kafka.describeTopics() : before;
  const names = topics.map(({ name }) => name);
  const partitions = await checkPartitions(platform, names, description);
  const osInit = reruns.find(({ sidecar }) => sidecar === "os-init");
  const retentionPolicies = retentionIn(platform.environment, catalog.retentionPolicies);
  return [
    {
      requirement: "AUT-001",
      guarantee: `index templates are active and applied: ${some(indexTemplates)}`,
      failures: osInit?.findings.filter((finding) => !ofRetention(finding)) ?? [],
    },
    ...(retentionPolicies.length > 0
      ? [
          {
            requirement: "NFR-RET",
            guarantee: `retention policies are applied: ${some(retentionPolicies)}`,
            failures: osInit?.findings.filter(ofRetention) ?? [],
            notes: osInit?.notes,
          },
        ]
      : []),
    {
      requirement: "AUT-002",
      guarantee: `topics exist with their guarantees: ${some(topics)}`,
      failures: [...failuresIn(description), ...partitions.failures],
      notes: [...partitions.notes, ...reruns.flatMap(describeUndeclared)],
    },
    ...unchanging,
    ...(isSecured(platform.environment)
      ? [
          {
            requirement: "NFR-SEC",
            guarantee: `applications have their passwords or certificates and exactly the declared permissions: ${some(applications)}`,
            failures: [
              ...reruns.flatMap(applicationFailures),
              // os-security may have restored passwords.
              ...(await loginFailures(platform, applications)),
            ],
          },
        ]
      : []),
    {
      requirement: "NFR-IDEM",
      guarantee: `${listed(sidecars)} change nothing when they run again`,
      failures: reruns.flatMap(idempotencyFailures),
    },
  ];
}

/** The part of the checks that only reads, and starts no sidecar. */
export async function checkWithoutChanges(
  platform: Platform,
  catalog: Catalog,
  containers: readonly SynthesizedContainer[],
): Promise<AcceptanceRow[]> {
  const [memory, ...others] = await Promise.all([
    memoryFailures(platform, containers),
    ...observabilityChecks(platform, catalog, containers),
    ...certificateChecks(platform, catalog.applications),
    ...machineLossChecks(platform),
  ]);
  return [
    {
      requirement: "AUT-003",
      guarantee: `memory reservation is set on ${counted(containers.length, "container")}`,
      failures: memory,
    },
    ...others,
  ];
}

/** Runs the sidecars again, and once more those that restored something. */
async function rerunUntilSteady(platform: Platform, sidecars: readonly string[]): Promise<Rerun[]> {
  const reruns = await Promise.all(sidecars.map((sidecar) => rerunSidecar(platform, sidecar)));
  return Promise.all(
    reruns.map((rerun) => {
      const { sidecar, created, reconciled } = rerun;
      if (created + reconciled === 0) {
        return rerun;
      }
      console.log(
        `  ${sidecar} restored missing or changed resources: ${created} created, ${reconciled} reconciled`,
      );
      return rerunSidecar(platform, sidecar);
    }),
  );
}

/** Lists the configs that a topic has and its declaration does not, one line per topic. */
export function describeUndeclared({ undeclared }: Pick<Rerun, "undeclared">): string[] {
  return [...new Set(undeclared.map(({ resource }) => resource))].map((topic) => {
    const configs = undeclared.filter(({ resource }) => resource === topic);
    const listing = configs.map(({ field, actual }) => `${field}=${actual}`).join(", ");
    const keys = configs.map(({ field }) => field);
    return `topic ${topic} has undeclared configs, left unchanged: ${listing}. Declare them, or remove them with ${removalOfConfigs(topic, keys)}`;
  });
}

/** Whether a finding of os-init is about a retention policy. */
const ofRetention = (finding: string) => /^retention.policy/.test(finding);

/** Returns the findings about applications: kafka-init also reports topics. */
function applicationFailures({ sidecar, findings }: Rerun): readonly string[] {
  return sidecar === "os-security"
    ? findings
    : findings.filter((finding) => finding.includes("application/"));
}

function idempotencyFailures({ sidecar, exitCode, reason, created, reconciled }: Rerun): string[] {
  return exitCode !== 0 || created + reconciled > 0
    ? [
        `${sidecar} ran again and exited with ${exitCode}: ${created} created, ${reconciled} reconciled: ${reason}`,
      ]
    : [];
}

/** Names all, or counts them and names the first few. */
function some(declared: readonly { readonly name: string }[]): string {
  const names = declared.map(({ name }) => name);
  return names.length <= NAMED
    ? names.join(", ") || "none declared"
    : `${names.length}, ${names.slice(0, NAMED).join(", ")} and ${names.length - NAMED} more`;
}

function topicFailures(
  platform: Platform,
  declared: readonly Topic[],
  { exitCode, output }: Outcome,
): string[] {
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
    .map((topic) => resolveTopic(topic, platform.environment.kafka.brokers))
    .filter(({ onDrift }) => onDrift !== "ignore")
    .flatMap(({ name, partitions, replicationFactor, configs }) => {
      const topic = live.get(name);
      if (!topic) {
        return [`${name}: does not exist`];
      }
      const wanted = configs["min.insync.replicas"];
      const [, minInsync] = /(?:^|,)min\.insync\.replicas=([^,]*)/.exec(topic.configs) ?? [];
      return [
        topic.partitions !== partitions &&
          `${name}: declared ${partitions} partitions, has ${topic.partitions}`,
        topic.replicationFactor !== replicationFactor &&
          `${name}: declared replication factor ${replicationFactor}, has ${topic.replicationFactor}`,
        // Compared as numbers: "02" is valid.
        Number(minInsync) !== Number(wanted) &&
          `${name}: declared min.insync.replicas=${wanted}, has ${topic.configs}`,
      ].filter((failure) => failure !== false);
    });
}

async function memoryFailures(
  platform: Platform,
  containers: readonly SynthesizedContainer[],
): Promise<string[]> {
  const declared = new Map(
    containers.map(({ name, memory_reservation }) => [name, memory_reservation]),
  );
  const { states, gone } = await inspectContainers(platform, [...declared.keys()]);
  const isGone = (name: string) =>
    gone.some(({ engine }) => isSameEngine(engine, platform.engineOf(name)));
  const actual = new Map(
    states.map(({ Name, HostConfig }) => [
      Name.slice(1),
      HostConfig.MemoryReservation / 1024 / 1024,
    ]),
  );
  const failures = [...declared].flatMap(([name, wanted]) => {
    const found = actual.get(name);
    return found === wanted || isGone(name)
      ? []
      : [
          found === undefined
            ? `${name}: the container does not exist`
            : `${name}: declared memory reservation ${wanted} MiB, has ${found} MiB`,
        ];
  });
  return [...gone.map(({ description }) => description), ...failures];
}
