/** A Docker health check. A deploy waits until it succeeds. */
export interface HealthCheck {
  /** The command, run in the container without a shell. Exit code 0 means healthy. */
  readonly command: readonly string[];

  /**
   * The interval between checks in seconds.
   *
   * @default 2, so that a deploy continues as soon as the service is ready; the command must be cheap
   */
  readonly intervalSeconds?: number;

  /**
   * The timeout of one check in seconds.
   *
   * @default 5
   */
  readonly timeoutSeconds?: number;

  /**
   * The number of consecutive failures that make the container unhealthy.
   *
   * @default 5
   */
  readonly retries?: number;

  /**
   * Seconds after the start in which failures do not count. A deploy waits this long for the first success.
   *
   * @default 180
   */
  readonly startPeriodSeconds?: number;
}

/** Resolves the defaults of a health check. */
export function resolveHealthCheck(check: HealthCheck): Required<HealthCheck> {
  return {
    command: check.command,
    intervalSeconds: check.intervalSeconds ?? 2,
    timeoutSeconds: check.timeoutSeconds ?? 5,
    retries: check.retries ?? 5,
    startPeriodSeconds: check.startPeriodSeconds ?? 180,
  };
}

/** Renders seconds as a Go duration, as the provider reads it back from the Docker engine: 90 is "1m30s". */
export function renderDuration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return minutes > 0 ? `${minutes}m${seconds % 60}s` : `${seconds}s`;
}
