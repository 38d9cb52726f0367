import { BACKUP_VOLUME } from "../../constructs/opensearch/backup";
import type { Environment } from "../../environments";
import { fileOf } from "../synthesis/environment";
import { counted, listed, renderSize, table } from "../terminal/terminal";
import type { Listing, VolumeOnMachine } from "./volumes";

/** The renderers of a listing, by the name of the format. */
export const RENDERERS = {
  terminal: renderTerminal,
  json: (_: Environment, { volumes }: Listing) => JSON.stringify(volumes, null, 2),
} as const;

export type Format = keyof typeof RENDERERS;

function renderTerminal(environment: Environment, { volumes }: Listing): string {
  const { name, machines } = environment;
  if (volumes.length === 0) {
    return `environment "${name}" has no volumes; npm run up creates them`;
  }
  const row = (volume: string, machine: string, ...others: readonly string[]) => [
    volume,
    ...(machines ? [machine] : []),
    ...others,
  ];
  const orphans = volumes.filter(({ orphan }) => orphan);
  return [
    table([
      row("volume", "machine", "belongs to", "size", "state"),
      ...volumes.map((volume) =>
        row(
          ...[volume.name, volume.machine ?? "", volume.container, sizeOf(volume)],
          stateOf(volume),
        ),
      ),
    ]),
    ...volumes
      .filter(({ declared }) => !declared)
      .map((volume) => `\n${volume.name}: ${remedyFor(environment, volume)}`),
    ...(orphans.length > 0
      ? [
          "\nAn orphan was still in use when it was last written: that is the newest modification of a file or folder in it.",
          `npm run volumes -- --remove-orphans removes ${counted(orphans.length, "orphan")} and the data (${renderTotal(orphans)}).`,
        ]
      : []),
  ].join("\n");
}

function sizeOf({ sizeBytes }: VolumeOnMachine): string {
  return sizeBytes === undefined ? "not known" : renderSize(sizeBytes);
}

function stateOf({ declared, mountedBy, lastWrittenAt }: VolumeOnMachine): string {
  if (mountedBy.length > 0) {
    return `${declared ? "" : "no longer declared, "}used by ${listed(mountedBy)}`;
  }
  return declared ? "not used: no container mounts it" : `orphan, ${renderTime(lastWrittenAt)}`;
}

/** Renders when a volume was last written. */
export function renderTime(lastWrittenAt: string | undefined): string {
  return lastWrittenAt === undefined
    ? "last written at an unknown time"
    : `last written ${lastWrittenAt.slice(0, 16).replace("T", " ")} UTC`;
}

/** Says how the data of a volume that is not declared comes back. */
function remedyFor(environment: Environment, volume: VolumeOnMachine): string {
  const { container, declaredOn, machine, mountedBy } = volume;
  const file = fileOf(environment.name);
  if (declaredOn !== undefined) {
    return `${container} is declared on machine ${declaredOn}, with a volume of its own there. To use this one, set placement to { "${container}": "${machine}" } in ${file}, and run npm run up`;
  }
  const users = listed(mountedBy.filter((name) => name !== container));
  if (users !== "") {
    return `${container} is no longer declared. Remove ${users} first: ${mountedBy.length === 1 ? "it mounts" : "they mount"} the volume`;
  }
  if (mountedBy.length > 0) {
    return `${container} is no longer declared. npm run up removes the container and keeps the volume`;
  }
  return `to get its data back, ${declarationOf(container)} in ${file}, and run npm run up, which uses this volume again`;
}

/** Says what declares a container. */
function declarationOf(container: string): string {
  if (container === BACKUP_VOLUME) {
    return `set backup to { repository: { kind: "volume" } }`;
  }
  const [, prefix, suffix] = /^(kafka|opensearch|alloy)-(\w+)$/.exec(container) ?? [];
  switch (prefix) {
    case "kafka":
      return `set kafka.brokers to ${suffix} or more`;
    case "opensearch":
      return `set openSearch.nodes to ${suffix} or more`;
    case "alloy":
      return `declare machine ${suffix}`;
    default:
      return `declare ${container}`;
  }
}

/** Renders the size of volumes together: `3.4 GiB`, `at least 3.4 GiB`, or `size not known`. */
export function renderTotal(volumes: readonly VolumeOnMachine[]): string {
  const known = volumes.flatMap(({ sizeBytes }) => sizeBytes ?? []);
  if (known.length === 0) {
    return "size not known";
  }
  const total = renderSize(known.reduce((sum, size) => sum + size, 0));
  return known.length < volumes.length ? `at least ${total}` : total;
}
