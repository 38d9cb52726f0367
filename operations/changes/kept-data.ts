import { BACKUP_PRINCIPAL } from "../../constructs/opensearch/backup";
import type { SynthesizedContainer } from "../synthesis/container";

/** A limit of what Loki, Prometheus or os-backup keeps. */
interface Limit {
  readonly container: string;
  /** Finds the number in the container's variables and command. */
  readonly number: RegExp;
  /** What an unset one is. */
  readonly unset: number;
  readonly deleted: (now: number, formerly: number) => string;
}

const formerly = (limit: number, unit: string) =>
  Number.isFinite(limit) ? `formerly ${limit} ${unit}` : "formerly without a limit of size";

const LIMITS: readonly Limit[] = [
  {
    container: "loki",
    number: /^LOG_RETENTION=(\d+)h$/m,
    unset: 14 * 24,
    deleted: (now, was) => `Loki deletes logs older than ${now} h, ${formerly(was, "h")}`,
  },
  {
    container: "prometheus",
    number: /^--storage\.tsdb\.retention\.time=(\d+)d$/m,
    unset: 15,
    deleted: (now, was) =>
      `Prometheus deletes metrics older than ${now} days, ${formerly(was, "days")}`,
  },
  {
    container: "prometheus",
    number: /^--storage\.tsdb\.retention\.size=(\d+)GB$/m,
    unset: Number.POSITIVE_INFINITY,
    deleted: (now, was) =>
      `Prometheus deletes the oldest metrics beyond ${now} GiB, ${formerly(was, "GiB")}`,
  },
  {
    container: BACKUP_PRINCIPAL,
    number: /^BACKUP_KEEP=(\d+)$/m,
    unset: Number.POSITIVE_INFINITY,
    deleted: (now, was) =>
      `${BACKUP_PRINCIPAL} removes good backups beyond the newest ${now}, formerly ${was}`,
  },
];

/** Whether a container keeps logs, metrics or backups for as long as the environment says. */
export const keepsData = ({ name }: SynthesizedContainer) =>
  LIMITS.some(({ container }) => container === name);

/** Describes the logs, metrics and backups that a changed container deletes sooner. */
export function deletedData(before: SynthesizedContainer, after: SynthesizedContainer): string[] {
  return LIMITS.filter(({ container }) => container === after.name).flatMap((limit) => {
    const [was, is] = [before, after].map((body) => limitIn(body, limit));
    return is < was ? [limit.deleted(is, was)] : [];
  });
}

function limitIn({ env = [], command = [] }: SynthesizedContainer, { number, unset }: Limit) {
  const [, found] = number.exec([...env, ...command].join("\n")) ?? [];
  return found === undefined ? unset : Number(found);
}
