/** How the engine finds out that a service works. A deploy waits for it. */
export interface HealthCheck {
  /** The command, run inside the container without a shell; exit status 0 is healthy. */
  readonly command: readonly string[];

  /**
   * Seconds between two checks.
   *
   * @default 2, so that a deploy goes on soon after the service is ready; the command has to be cheap
   */
  readonly intervalSeconds?: number;

  /**
   * Seconds after which a check that has not ended counts as failed.
   *
   * @default 5
   */
  readonly timeoutSeconds?: number;

  /**
   * Failures in a row that make the container unhealthy.
   *
   * @default 5
   */
  readonly retries?: number;

  /**
   * Seconds after the start in which failures do not count; also how long a deploy waits for the first success.
   *
   * @default 180
   */
  readonly startPeriodSeconds?: number;
}

/** The health check with every default filled in. */
export function resolveHealthCheck(check: HealthCheck): Required<HealthCheck> {
  return {
    command: check.command,
    intervalSeconds: check.intervalSeconds ?? 2,
    timeoutSeconds: check.timeoutSeconds ?? 5,
    retries: check.retries ?? 5,
    startPeriodSeconds: check.startPeriodSeconds ?? 180,
  };
}

/** Seconds in the spelling that the provider reads back from the engine, Go's: 90 is "1m30s". */
export function renderDuration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return minutes > 0 ? `${minutes}m${seconds % 60}s` : `${seconds}s`;
}
