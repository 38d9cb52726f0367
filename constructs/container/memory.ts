import type { IConstruct } from "constructs";
import { serviceSettingsOf } from "./settings";
import { validate } from "./validation";

/** The memory limit and reservation of a container. */
export interface Memory {
  /** The hard limit in MiB. The kernel kills a container that exceeds it. */
  readonly limitMiB: number;

  /** The soft limit in MiB, enforced under memory pressure. It must be below the hard limit. */
  readonly reservationMiB: number;
}

/**
 * The memory defaults of all containers. An environment scales them with `ServiceSettings.memoryScale`. The tiers `tool` and `job` are
 * fixed and `small` is never scaled down, since they do not depend on the load.
 */
export const MEMORY_TIERS = {
  /** The exit relay and the proxies. */
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

/** Returns the memory of a tier at the scale of the scope's environment. */
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
 * Returns the JVM heap of a container in MiB: half of the limit. Kafka and OpenSearch use the other half for the page cache and
 * off-heap buffers (https://docs.opensearch.org/latest/install-and-configure/install-opensearch/index/#important-settings).
 */
export function jvmHeapMiB({ limitMiB }: Memory): number {
  return Math.floor(limitMiB / 2);
}

export function validateMemory(scope: IConstruct, { limitMiB, reservationMiB }: Memory): void {
  validate(
    reservationMiB > 0 && reservationMiB < limitMiB,
    () =>
      `memoryReservationMiB is ${reservationMiB} and memoryLimitMiB is ${limitMiB}: the reservation must be above 0 and below the limit; lower the reservation or raise the limit`,
    scope,
  );
}
