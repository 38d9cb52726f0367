import { type AlertGroup, DRIFT_RUN_LABELS } from "../constructs";
import type { Environment } from "../environments";

/**
 * Returns an alert on `npm run drift` that does not run any more, for an environment that declares how often it does. It fires after twice
 * that interval, so that one run may be late or fail. None without Alloy, which measures the runs.
 */
export function driftAlert({ drift, excludedServices = [] }: Environment): AlertGroup[] {
  if (drift === undefined || excludedServices.includes("alloy")) {
    return [];
  }
  const { everyHours } = drift;
  const { service, role } = DRIFT_RUN_LABELS;
  // Alloy forgets the gauge when it restarts. A platform that was never compared gets the same time for its first run.
  const selector = `job="integrations/self", service="${service}", role="${role}"`;
  const run = `max(last_over_time(groundwork_container_succeeded_timestamp_seconds{${selector}}[${2 * everyHours}h]))`;
  return [
    {
      // Not a name that rules from elsewhere may have, such as "drift".
      name: "groundwork-drift",
      interval: "1m",
      rules: [
        {
          alert: "DriftRunMissing",
          expr: `time() - (${run} or vector(0)) > ${everyHours} * 3600`,
          for: `${everyHours}h`,
          labels: { severity: "warning" },
          annotations: {
            summary: `npm run drift has not compared the platform for more than ${2 * everyHours} hours`,
            runbook: "docs/runbooks/DriftRunMissing.md",
          },
        },
      ],
    },
  ];
}
