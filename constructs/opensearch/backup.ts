import * as v from "valibot";
import { type Declared, object, strict } from "../container/declaration";

const TEXT = "a text that is not empty";
const textSchema = v.pipe(v.string(), v.nonEmpty(TEXT));

const MOUNT = "the absolute path of a mount, such as /mnt/backups";

const EVERY = 'a number of minutes, hours or days, such as "30m", "6h" or "1d"';

const KEEP = "a whole number from 1 to 1000";

const repositorySchema = v.variant("kind", [
  strict({
    /** The Docker volume `opensearch-backups` on the machine of the nodes, which all must run on one machine. `down --volumes` keeps it. */
    kind: v.literal("volume"),
  }),
  strict({
    /** A folder of the host in which the same storage is mounted on the machine of every node, such as NFS. */
    kind: v.literal("path"),
    /** Absolute path on the host. The user and group 1000 must be able to write there. */
    path: v.pipe(v.string(), v.regex(/^\/[^:$]*[^:$/]$/, MOUNT)),
  }),
  strict({
    /**
     * A bucket of any S3 API. `openSearch.image` must have the plugin `repository-s3`, which the default image lacks, and the credentials
     * in its keystore, or run on a machine whose role may use the bucket.
     */
    kind: v.literal("s3"),
    /** Name of the bucket. */
    bucket: textSchema,
    /**
     * AWS region of the bucket.
     *
     * @default "us-east-1" with an endpoint, else that of the machine
     */
    region: v.optional(textSchema),
    /** Base URL of an S3-compatible API. @default - Amazon S3 */
    endpoint: v.optional(textSchema),
    /**
     * Whether the bucket's name is part of the path instead of the host, as many S3-compatible APIs need it.
     *
     * @default false
     */
    pathStyleAccess: v.optional(v.boolean()),
  }),
]);

/** Where OpenSearch writes its backups. Each environment has a folder of its own in it, with the environment's name. */
export type BackupRepository = Declared<typeof repositorySchema>;

export const backupSchema = object({
  /**
   * Interval from the start of a backup to the next one: minutes (`m`), hours (`h`) or days (`d`).
   *
   * @default "1d"
   */
  every: v.optional(v.pipe(v.string(EVERY), v.regex(/^[1-9]\d{0,3}[mhd]$/, EVERY))),

  /**
   * Number of the newest good backups of the cluster that are kept, including those of `npm run backup`. Those of an earlier cluster stay.
   *
   * @default 14
   */
  keep: v.optional(
    v.pipe(v.number(KEEP), v.integer(KEEP), v.minValue(1, KEEP), v.maxValue(1000, KEEP)),
  ),

  /** Where the backups are. */
  repository: repositorySchema,
});

/** The backups of OpenSearch's indices and data streams. */
export type Backup = Declared<typeof backupSchema>;

const SECONDS: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400 };

/** Returns the interval between backups. */
export function intervalSecondsOf({ every = "1d" }: Backup): number {
  return Number(every.slice(0, -1)) * SECONDS[every.slice(-1)];
}

/** Returns the age at which the newest good backup is too old: half an interval late, or an hour if that is longer. */
export function maxAgeSecondsOf(backup: Backup): number {
  const interval = intervalSecondsOf(backup);
  return interval + Math.max(interval / 2, 3600);
}

/** The number of good backups that are kept. */
export function keptBackupsOf({ keep = 14 }: Backup): number {
  return keep;
}

/** The name of the snapshot repository in OpenSearch. */
export const REPOSITORY = "backups";

/** Where nodes mount a repository of files. */
export const REPOSITORY_DIR = "/usr/share/opensearch/backups";

/** The container that takes the backups, and the name in its certificate. */
export const BACKUP_PRINCIPAL = "os-backup";

/** The volume of a repository of kind `volume`. */
export const BACKUP_VOLUME = "opensearch-backups";
