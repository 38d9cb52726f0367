import { type AlertGroup, DRIFT_RUN_LABELS } from "../constructs";
import type { Environment } from "../environments";

/**
 * Returns an alert on `npm run drift` that does not run any more, for an environment that declares how often it does. It fires after twice
 * that interval and an hour, so that one run may fail and the next one be late. A platform that was never compared gets the same time,
 * from the deploy that declares the interval. None without Alloy, which measures the runs, and which needs Loki.
 */
export function driftAlert({ drift, excludedServices = [] }: Environment): AlertGroup[] {
  if (
    drift === undefined ||
    excludedServices.includes("alloy") ||
    excludedServices.includes("loki")
  ) {
    return [];
  }
  const hours = 2 * drift.everyHours;
  const { service, role } = DRIFT_RUN_LABELS;
  // Alloy forgets the gauge when it restarts.
  const selector = `job="integrations/self", service="${service}", role="${role}"`;
  const run = `max(last_over_time(groundwork_container_succeeded_timestamp_seconds{${selector}}[${hours}h]))`;
  // Neither an earlier, longer interval nor a time without one counts.
  const declared = `(max(last_over_time(groundwork_declared_drift_interval_seconds{job=""}[1h] offset ${hours}h)) == ${drift.everyHours * 3600})`;
  return [
    {
      // Not a name that rules from elsewhere may have, such as "drift".
      name: "groundwork-drift",
      interval: "1m",
      rules: [
        {
          alert: "DriftRunMissing",
          expr: `(time() - ${run} > ${hours} * 3600 and on () ${declared}) or (${declared} unless on () ${run})`,
          for: "1h",
          labels: { severity: "warning" },
          annotations: {
            summary: `npm run drift has not compared the platform for more than ${hours} hours`,
            runbook: "docs/runbooks/DriftRunMissing.md",
          },
        },
      ],
    },
  ];
}
