import type { SynthesizedContainer } from "../synthesis/container";

/** A limit of what Loki or Prometheus keeps. */
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
];

/** Whether a container keeps logs or metrics for as long as the environment says. */
export const keepsTelemetry = ({ name }: SynthesizedContainer) =>
  LIMITS.some(({ container }) => container === name);

/** Describes the logs and metrics that a changed container deletes sooner. */
export function deletedTelemetry(
  before: SynthesizedContainer,
  after: SynthesizedContainer,
): string[] {
  return LIMITS.filter(({ container }) => container === after.name).flatMap((limit) => {
    const [was, is] = [before, after].map((body) => limitIn(body, limit));
    return is < was ? [limit.deleted(is, was)] : [];
  });
}

function limitIn({ env = [], command = [] }: SynthesizedContainer, { number, unset }: Limit) {
  const [, found] = number.exec([...env, ...command].join("\n")) ?? [];
  return found === undefined ? unset : Number(found);
}
