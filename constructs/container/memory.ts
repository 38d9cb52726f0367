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
 * The one table of memory defaults. An environment scales it as a whole (`ServiceSettings.memoryScale`), but for what does not
 * depend on the load: a command-line tool's share is fixed, a small service's is not scaled down.
 */
export const MEMORY_TIERS = {
  /** The exit relay and the engine's proxy. */
  tool: { limitMiB: 128, reservationMiB: 64 },
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
  const scale = scaleOf(tier, serviceSettingsOf(scope).memoryScale ?? 1);
  const { limitMiB, reservationMiB } = MEMORY_TIERS[tier];
  return {
    limitMiB: Math.round(limitMiB * scale),
    reservationMiB: Math.round(reservationMiB * scale),
  };
}

function scaleOf(tier: MemoryTier, memoryScale: number): number {
  if (tier === "tool" || tier === "job") {
    return 1;
  }
  return tier === "small" ? Math.max(1, memoryScale) : memoryScale;
}

/**
 * The JVM heap of a container: half of the limit, since the other half is what Kafka and OpenSearch use through the page cache
 * and off-heap buffers (https://docs.opensearch.org/latest/install-and-configure/install-opensearch/index/#important-settings).
 */
export function jvmHeapMiB({ limitMiB }: Memory): number {
  return Math.floor(limitMiB / 2);
}

export function validateMemory(scope: IConstruct, { limitMiB, reservationMiB }: Memory): void {
  validate(
    reservationMiB > 0 && reservationMiB < limitMiB,
    () =>
      `memoryReservationMiB is ${reservationMiB} and memoryLimitMiB is ${limitMiB}: the reservation has to be above 0 and below the limit; lower the reservation or raise the limit`,
    scope,
  );
}
