import { GRAFANA_IMAGE } from "../../constructs";
import { imageVersion } from "../../constructs/container/image-reference";
import type { ClusterName } from "../../environments";
import { jsonIn } from "../platform/open-search-answer";
import type { Platform } from "../platform/platform";
import { CommandError, table } from "../terminal/terminal";
import { declaredImage, TRIED_IMAGES } from "./declared";
import { servingOf } from "./serving";

/** The versions of a service. */
export interface ServiceVersions {
  readonly service: string;
  readonly image: string;
  /** By container; undefined for one that does not answer. */
  readonly running: ReadonlyMap<string, string | undefined>;
  /** The finalized version of the metadata, and the newest that the running nodes support. */
  readonly metadata?: { readonly finalized: string; readonly supported: string };
  /** The newest image that Groundwork was tried with. */
  readonly tried: string;
}

/** Asks every node of every service whose image an environment sets. */
export async function versionsOf(platform: Platform): Promise<ServiceVersions[]> {
  const { environment, kafka } = platform;
  const brokers = await ofCluster(platform, "Kafka", "kafka");
  const [broker] = await servingOf(platform, "kafka");
  return [
    await ofCluster(platform, "OpenSearch", "opensearch"),
    broker === undefined ? brokers : { ...brokers, metadata: await kafka.metadataVersion(broker) },
    ...(environment.excludedServices?.includes("grafana") ? [] : [await ofGrafana(platform)]),
  ];
}

async function ofCluster(
  platform: Platform,
  service: string,
  cluster: ClusterName,
): Promise<ServiceVersions> {
  const serving = await servingOf(platform, cluster);
  const versions =
    serving.length === 0 ? new Map() : await platform.clusters[cluster].versions(serving);
  return {
    service,
    image: declaredImage(platform.environment, cluster),
    running: new Map(platform.nodes(cluster).map((node) => [node, versions.get(node)])),
    tried: TRIED_IMAGES[cluster],
  };
}

async function ofGrafana({ environment, grafana }: Platform): Promise<ServiceVersions> {
  const { exitCode, output } = await grafana.get("/api/health");
  const version: string | undefined = exitCode === 0 ? jsonIn(output)?.version : undefined;
  return {
    service: "Grafana",
    image: environment.grafana.image ?? GRAFANA_IMAGE,
    running: new Map([["grafana", version]]),
    tried: GRAFANA_IMAGE,
  };
}

/** Renders a table, and below it what to do about versions that differ. */
export function renderVersions(services: readonly ServiceVersions[]): string {
  const rows = services.map(({ service, image, running, metadata, tried }) => [
    ...[service, image, shown(running), metadata?.finalized ?? "-"],
    imageVersion(tried) ?? tried,
  ]);
  const notes = services.flatMap(notesOn);
  return [
    table([["service", "image", "running", "finalized", "tried with"], ...rows]),
    ...(notes.length > 0 ? ["", ...notes] : []),
  ].join("\n");
}

/** Renders one version, or every version with its nodes: `4.2.0 (kafka-1), 4.3.1 (kafka-2, kafka-3)`. */
function shown(running: ServiceVersions["running"]): string {
  const versions = [...new Set(running.values())];
  const named = (version: string | undefined) => version ?? "no answer";
  return versions.length === 1
    ? named(versions[0])
    : versions
        .map((version) => `${named(version)} (${nodesWith(running, version).join(", ")})`)
        .join(", ");
}

function nodesWith(running: ServiceVersions["running"], version: string | undefined): string[] {
  return [...running].filter(([, own]) => own === version).map(([node]) => node);
}

function notesOn({ service, image, running, metadata, tried }: ServiceVersions): string[] {
  const declared = imageVersion(image);
  const versions = new Set(running.values());
  const others = [...running]
    .filter(([, version]) => version !== undefined && version !== declared)
    .map(([node]) => node);
  return [
    ...(declared !== undefined && others.length > 0
      ? [`${service}: ${others.join(", ")} will have version ${declared} after npm run up`]
      : []),
    ...(metadata && metadata.finalized !== metadata.supported && versions.size === 1
      ? [
          `${service}: npm run finalize raises metadata.version from ${metadata.finalized} to ${metadata.supported}. Until then, the previous image can come back`,
        ]
      : []),
    ...(image === tried ? [] : [`${service}: Groundwork was tried with ${tried}, not ${image}`]),
  ];
}

/** Throws if the brokers that run are not all there with one version. Returns that version. */
export function oneVersion(running: ServiceVersions["running"]): string {
  const [version, ...others] = new Set(running.values());
  if (version === undefined || others.length > 0) {
    throw new CommandError(
      `the brokers do not all run one version: ${shown(running)}. Nothing was changed. Run npm run up to replace the others, then run the same command again`,
    );
  }
  return version;
}
