import type { Notifications } from "../constructs";

/**
 * Notifications of alerts. Replace the address and set `grafana.smtp` in the environment, or use a webhook or Slack. Alerts of severity
 * info are only shown in Grafana.
 *
 * To notice that no alert is sent any more, add `heartbeat: { url: { variable: "heartbeat_url" } }` (docs/how-to/alert.md).
 */
export const notifications: Notifications = {
  contactPoints: [{ name: "operators", email: { addresses: ["operators@example.org"] } }],
  muteTimings: [{ name: "always", intervals: [{ times: [{ start: "00:00", end: "24:00" }] }] }],
  policy: {
    contactPoint: "operators",
    routes: [{ labels: { severity: "info" }, contactPoint: "operators", muteTimings: ["always"] }],
  },
};
