import type { RecordingRule } from "../../../../constructs";
import { laptop } from "../../../../environments/laptop";
import { EXIT_CHANGES } from "../../../../operations/changes/report";
import {
  BASE,
  catalog,
  synthesis,
  testPreviews,
  withDashboards,
  withNotifications,
  withRules,
} from "../../../support/previews";

const withRecordings = (...recordingRules: RecordingRule[]) =>
  withRules((groups) => {
    groups[0].recordingRules = recordingRules;
  });

testPreviews([
  [
    "a dashboard's panels",
    EXIT_CHANGES,
    () => [
      BASE,
      withDashboards((files) => {
        const kafka = files["Messaging/kafka.json"];
        kafka.panels[0].title = "Alive";
        kafka.panels[1].description = "Another one.";
        kafka.panels.pop();
        kafka.refresh = "1m";
      }),
    ],
  ],
  [
    "a dashboard added",
    EXIT_CHANGES,
    () => [
      BASE,
      withDashboards((files) => {
        files["Team/orders.json"] = {
          ...files["Platform/logs.json"],
          uid: "orders",
          title: "Orders",
        };
      }),
    ],
  ],
  [
    "a dashboard removed",
    EXIT_CHANGES,
    () => [
      BASE,
      withDashboards((files) => {
        delete files["Platform/logs.json"];
      }),
    ],
  ],
  [
    "recording rules added, changed and removed",
    EXIT_CHANGES,
    () => [
      withRecordings(
        { record: "job:up:sum", expr: "sum by (job) (up)" },
        { record: "job:up:max", expr: "max by (job) (up)" },
        { record: "job:up:min", expr: "min by (job) (up)" },
      ),
      withRecordings(
        { record: "job:up:max", expr: "max by (job) (up)" },
        { record: "job:up:min", expr: "min by (job) (up > 0)" },
        { record: "job:up:avg", expr: "avg by (job) (up)" },
      ),
    ],
  ],
  [
    "an alert's query, severity and patience",
    EXIT_CHANGES,
    () => [
      BASE,
      withRules((groups) => {
        Object.assign(groups[0].rules[0], {
          expr: "up == 0",
          for: "5m",
          labels: { severity: "warning" },
        });
      }),
    ],
  ],
  [
    "alerts added and removed",
    EXIT_CHANGES,
    () => [
      BASE,
      withRules((groups) => {
        groups[0].rules = [{ ...groups[0].rules[0], alert: "AlloyGone" }, groups[0].rules[1]];
        groups[1].interval = "30s";
      }),
    ],
  ],
  [
    "a contact point",
    EXIT_CHANGES,
    () => [
      BASE,
      withNotifications({
        contactPoints: [
          ...catalog.notifications.contactPoints,
          { name: "chat", slack: { url: { variable: "alerts_slack" } } },
        ],
      }),
    ],
  ],
  [
    "who is notified",
    EXIT_CHANGES,
    () => [
      BASE,
      withNotifications({ policy: { ...catalog.notifications.policy, repeatInterval: "1h" } }),
    ],
  ],
  [
    "e-mail from Grafana",
    EXIT_CHANGES,
    () => [
      BASE,
      synthesis({
        ...laptop,
        grafana: { ...laptop.grafana, smtp: { host: "smtp:25", fromAddress: "a@b" } },
      }),
    ],
  ],
]);
