import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DOCKER_CLI_IMAGE } from "../../constructs";
import { askEngine, type Engine, tryDockerAt } from "../engine/docker";

/** What the content of a volume says. */
export interface Measure {
  /** Size on disk. @default - not known */
  readonly sizeBytes?: number;
  /** The newest modification of a file or folder in it, in ISO 8601. Its last user still ran then. @default - not known */
  readonly lastWrittenAt?: string;
}

/** The label of the short-lived containers that measure volumes. They use no volume in the sense of a listing. */
export const MEASURING_LABEL = "groundwork.volumes";

/** Age at which a measuring container that does not run is left over. */
const LEFT_OVER = "2m";

/** Removes measuring containers that an interrupted run left. Those that run end by themselves. */
export async function removeLeftOverMeasures(engine: Engine): Promise<void> {
  const filters = [`label=${MEASURING_LABEL}`, `until=${LEFT_OVER}`];
  await askEngine(
    engine,
    ...["container", "prune", "--force", ...filters.flatMap((filter) => ["--filter", filter])],
  );
}

/** Where the short-lived container has the volumes. */
const FOLDER = "/volumes";

/**
 * Measures volumes from inside a short-lived container of an image that every machine needs anyway. `docker system df` would measure every
 * image and container too, and knows no times. The engine keeps no record of when a volume was last mounted.
 */
export async function measure(
  engine: Engine,
  volumes: readonly string[],
): Promise<{ readonly measures: ReadonlyMap<string, Measure>; readonly problem?: string }> {
  if (volumes.length === 0) {
    return { measures: new Map() };
  }
  const { exitCode, output } = await tryDockerAt(
    engine,
    ...["run", "--rm", "--pull", "never", "--label", MEASURING_LABEL, "--network", "none"],
    ...["--read-only", "--security-opt", "no-new-privileges"],
    ...volumes.flatMap((name) => [
      "--mount",
      `type=volume,source=${name},target=${FOLDER}/${name},readonly,volume-nocopy`,
    ]),
    ...["--entrypoint", "sh", DOCKER_CLI_IMAGE],
    ...["-c", readFileSync(join(__dirname, "measure.sh"), "utf8"), "measure.sh", FOLDER],
    ...volumes,
  );
  if (exitCode !== 0) {
    const cause = output.split("\n").find((line) => line !== "") ?? `exit code ${exitCode}`;
    return {
      measures: new Map(),
      problem: `sizes and times are not known, since no container of ${DOCKER_CLI_IMAGE} ran: ${cause}`,
    };
  }
  return {
    measures: new Map(
      [...output.matchAll(/^(\S+) (\S+) (\S+)$/gm)].map(([, name, kib, newest]) => [
        name,
        {
          ...(kib !== "-" && { sizeBytes: Number(kib) * 1024 }),
          ...(newest !== "-" && { lastWrittenAt: new Date(Number(newest) * 1000).toISOString() }),
        },
      ]),
    ),
  };
}

/** The most that an empty folder takes on a disk. A node that has started writes more. */
const EMPTY_BYTES = 4096;

/** Whether no container ever wrote to a volume, as after a first deploy that failed. A volume that cannot be measured counts as used. */
export async function isUnused(engine: Engine, volume: string): Promise<boolean> {
  const { measures } = await measure(engine, [volume]);
  return (measures.get(volume)?.sizeBytes ?? Number.POSITIVE_INFINITY) <= EMPTY_BYTES;
}
