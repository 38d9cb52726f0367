import type { Notifications } from "../constructs";

/**
 * Who hears of alerts. Replace the address and give the environment an `smtp`, or use a webhook or Slack. What is only worth
 * knowing (severity info) is shown in Grafana and nobody is told.
 */
export const notifications: Notifications = {
  contactPoints: [{ name: "operators", email: { addresses: ["operators@example.org"] } }],
  muteTimings: [{ name: "always", intervals: [{ times: [{ start: "00:00", end: "24:00" }] }] }],
  policy: {
    contactPoint: "operators",
    routes: [{ labels: { severity: "info" }, contactPoint: "operators", muteTimings: ["always"] }],
  },
};
