import coerce from "semver/functions/coerce";
import gt from "semver/functions/gt";
import lt from "semver/functions/lt";
import major from "semver/functions/major";
import { imageVersion } from "../../constructs/container/image-reference";
import { machineOf } from "../../stacks/placement";
import type { Platform } from "../platform/platform";
import { fileOf } from "../synthesis/environment";
import { listed } from "../terminal/terminal";
import { declaredImage } from "./declared";
import { servingOf } from "./serving";
import { startedVersions } from "./started";

/** The oldest version from which OpenSearch goes to a major version (https://docs.opensearch.org/latest/migrate-or-upgrade/). */
const OLDEST_BEFORE: Readonly<Record<number, string>> = { 3: "2.19.0" };

/**
 * Describes why the declared versions of these clusters are not to be deployed: their data is of a newer version, or of one that is too old.
 * A cluster without a node that answers and without a container describes nothing: its servers refuse the data themselves.
 */
export async function describeVersionRefusals(
  platform: Platform,
  clusters: readonly string[],
): Promise<string[]> {
  return [
    ...(clusters.includes("opensearch") ? await ofOpenSearch(platform) : []),
    ...(clusters.includes("kafka") ? await ofKafka(platform) : []),
  ];
}

async function ofOpenSearch(platform: Platform): Promise<string[]> {
  const { openSearch } = platform;
  const image = declaredImage(platform.environment, "opensearch");
  const declared = imageVersion(image);
  const [node] = await servingOf(platform, "opensearch");
  if (declared === undefined) {
    return [];
  }
  const joined = node === undefined ? new Map() : await openSearch.versions([node]);
  const running: [string, string][] = [...joined].sort(([a], [b]) => (a < b ? -1 : 1));
  const from = `the image of OpenSearch is ${image}, but `;
  const set = (allowed: string) =>
    `set openSearch.image of environment "${platform.environment.name}" in ${fileOf(platform.environment.name)} to ${allowed}`;
  const newer = running.filter(([, version]) => gt(version, declared));
  if (newer.length > 0) {
    return [
      `${from}${shown(newer)}: OpenSearch cannot return to an older version with the same data; ${set(`version ${newestOf(newer)} or newer`)}`,
    ];
  }
  const silent = platform.nodes("opensearch").filter((name) => !joined.has(name));
  const stamped = (await startedVersions(platform, silent)).filter(([, version]) =>
    gt(version, declared),
  );
  if (stamped.length > 0) {
    return [
      `${from}${stamped.map(([name, version]) => `${name}, which does not answer, was started with ${version}`).join(" and ")}: a node cannot return to an older version with the same data; ${set(`version ${newestOf(stamped)} or newer`)}${node === undefined ? "" : `, or ${describeRefill(platform, stamped)}`}. If its log shows that it ended before it opened its data, run docker rm --force ${stamped.map(([name]) => name).join(" ")} and npm run up`,
    ];
  }
  const oldest = running
    .map(([, version]) => version)
    .reduce((a, b) => (lt(a, b) ? a : b), declared);
  const far = running.filter(([, version]) => major(declared) - major(version) > 1);
  if (far.length > 0) {
    return [
      `${from}${shown(far)}: OpenSearch cannot skip a major version; ${set(`the last version ${major(oldest) + 1}, run npm run up, then upgrade again`)}`,
    ];
  }
  const before = OLDEST_BEFORE[major(declared)];
  const old = running.filter(
    ([, version]) => major(version) < major(declared) && before && lt(version, before),
  );
  return old.length === 0
    ? []
    : [
        `${from}${shown(old)}: OpenSearch ${major(declared)} needs data of version ${before} or newer; ${set(`version ${before}, run npm run up, then upgrade again`)}`,
      ];
}

/** Nodes with the version that they run or were started with. */
type Versions = readonly (readonly [name: string, version: string])[];

function newestOf(nodes: Versions): string {
  return nodes.map(([, version]) => version).reduce((a, b) => (gt(a, b) ? a : b));
}

/** Says how nodes start again without their data, which the other nodes have. */
function describeRefill({ environment }: Platform, nodes: Versions): string {
  const names = nodes.map(([name]) => name);
  const machines = names.flatMap((name) => machineOf(environment, name)?.name ?? []);
  const where = machines.length > 0 ? `, on ${listed(machines)},` : "";
  const volumes = names.map((name) => `${name}-data`);
  return `if the other nodes have copies of all its shards, run${where} docker rm --force ${names.join(" ")}, docker volume rm ${volumes.join(" ")} and npm run up, which fills it again`;
}

async function ofKafka(platform: Platform): Promise<string[]> {
  const { environment, kafka } = platform;
  const image = declaredImage(environment, "kafka");
  const declared = imageVersion(image);
  const [broker] = await servingOf(platform, "kafka");
  const running = broker && (await kafka.versions([broker])).get(broker);
  // The finalized version is one that every broker supports.
  if (!broker || !declared || !running || !lt(declared, running)) {
    return [];
  }
  const { finalized } = await kafka.metadataVersion(broker);
  const [least] = finalized.split("-");
  return lt(declared, coerce(least) ?? declared)
    ? [
        `the image of Kafka is ${image}, but metadata.version is finalized at ${finalized}: brokers before version ${least} cannot read the cluster's metadata; set kafka.image of environment "${environment.name}" in ${fileOf(environment.name)} to version ${least}.0 or newer`,
      ]
    : [];
}

/** Renders nodes with their versions: `opensearch-1 runs 3.8.0 and opensearch-2 runs 3.7.0`. */
function shown(nodes: Versions): string {
  return nodes.map(([name, version]) => `${name} runs ${version}`).join(" and ");
}
