import type { IConstruct } from "constructs";
import { serviceSettingsOf } from "./settings";
import { validate } from "./validation";

/** What a container may use and what the engine keeps free for it. */
export interface Memory {
  /** Hard limit in MiB: above it the kernel kills the container. */
  readonly limitMiB: number;

  /** Soft limit in MiB that the engine falls back to under memory pressure; below the hard limit. */
  readonly reservationMiB: number;
}

/**
 * The one table of memory defaults. An environment scales it as a whole (`ServiceSettings.memoryScale`), but for jobs: what a
 * command-line tool needs does not depend on the load.
 */
export const MEMORY_TIERS = {
  /** Init sidecars. */
  job: { limitMiB: 256, reservationMiB: 128 },
  /** Grafana, Alloy. */
  small: { limitMiB: 512, reservationMiB: 256 },
  /** Loki, Prometheus. */
  medium: { limitMiB: 1024, reservationMiB: 512 },
  /** Each Kafka node. */
  broker: { limitMiB: 1536, reservationMiB: 1024 },
  /** Each OpenSearch node. */
  search: { limitMiB: 2048, reservationMiB: 1024 },
} as const satisfies Record<string, Memory>;

export type MemoryTier = keyof typeof MEMORY_TIERS;

/** The tier's memory at the scale of the environment that the scope belongs to. */
export function memoryOf(scope: IConstruct, tier: MemoryTier): Memory {
  const scale = tier === "job" ? 1 : (serviceSettingsOf(scope).memoryScale ?? 1);
  const { limitMiB, reservationMiB } = MEMORY_TIERS[tier];
  return {
    limitMiB: Math.round(limitMiB * scale),
    reservationMiB: Math.round(reservationMiB * scale),
  };
}

/**
 * The JVM heap for a tier: half of the limit, since the other half is what Kafka and OpenSearch use through the page cache
 * and off-heap buffers (https://docs.opensearch.org/latest/install-and-configure/install-opensearch/index/#important-settings).
 */
export function jvmHeapMiB(scope: IConstruct, tier: MemoryTier): number {
  return memoryOf(scope, tier).limitMiB / 2;
}

export function validateMemory(scope: IConstruct, { limitMiB, reservationMiB }: Memory): void {
  validate(
    reservationMiB > 0 && reservationMiB < limitMiB,
    () =>
      `memoryReservationMiB is ${reservationMiB} and memoryLimitMiB is ${limitMiB}: the reservation has to be above 0 and below the limit; lower the reservation or raise the limit`,
    scope,
  );
}
