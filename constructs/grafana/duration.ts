/** Prometheus' units (https://prometheus.io/docs/prometheus/latest/querying/basics/#float-literals-and-time-durations), in seconds. */
const UNITS = { y: 31536000, w: 604800, d: 86400, h: 3600, m: 60, s: 1, ms: 0.001 };

/** Returns the seconds of a duration of Prometheus, such as `5m` or `1h30m`, or NaN if it is invalid. */
export function toSeconds(duration: string): number {
  if (!/^(?=\d)(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$|^0$/.test(duration)) {
    return Number.NaN;
  }
  const milliseconds = [...duration.matchAll(/(\d+)(ms|[ywdhms])/g)].map(
    ([, number, unit]) => Number(number) * UNITS[unit as keyof typeof UNITS] * 1000,
  );
  return milliseconds.reduce((sum, one) => sum + one, 0) / 1000;
}
