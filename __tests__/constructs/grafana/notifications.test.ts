// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Terraform's templates are written so.
import { catalog } from "../../../catalog";
import type { HeartbeatProps, Notifications } from "../../../constructs";
import {
  ContactPoint,
  type ContactPointProps,
  MuteTiming,
  NotificationPolicy,
  validateNotifications,
} from "../../../constructs";
import { laptop } from "../../../environments/laptop";
import { type Json, resources, synthesize } from "../../support/platform";
import { testStack } from "../../support/stack";

describe("notifications", () => {
  const declare = (notifications: Partial<Notifications>) =>
    synthesize(laptop, {
      ...catalog,
      notifications: { ...catalog.notifications, ...notifications },
    }).stacks["laptop-alerting"];

  test("reach a webhook, Slack and email, with their secrets in variables", () => {
    const { resource, variable } = declare({
      contactPoints: [
        { name: "operators", email: { addresses: ["a@example.org", "b@example.org"] } },
        { name: "hook", webhook: { url: { variable: "alerts_hook" } } },
        { name: "chat", slack: { url: { variable: "alerts_slack" } } },
      ],
    });
    const points = Object.values<Json>(resource.grafana_contact_point);
    expect(points).toMatchObject([
      { name: "chat", slack: [{ url: "${var.alerts_slack}" }] },
      { name: "hook", webhook: [{ url: "${var.alerts_hook}" }] },
      { name: "operators", email: [{ addresses: ["a@example.org", "b@example.org"] }] },
    ]);
    expect(variable.alerts_slack).toEqual({
      type: "string",
      sensitive: true,
      nullable: false,
      description: 'The slack URL of contact point "chat": export TF_VAR_alerts_slack',
    });
  });

  test("share the variable of a secret that several of them have", () => {
    const url = { variable: "alerts_hook" };
    const { resource, variable } = declare({
      contactPoints: [
        { name: "chat", slack: { url } },
        { name: "hook", webhook: { url } },
      ],
      policy: { contactPoint: "chat" },
      heartbeat: { url },
    });
    const points = Object.values<Json>(resource.grafana_contact_point);
    expect(points.map(({ slack, webhook }) => (slack ?? webhook)[0].url)).toEqual(
      Array(3).fill("${var.alerts_hook}"),
    );
    expect(Object.keys(variable).filter((name) => name.includes("hook"))).toEqual(["alerts_hook"]);
    expect(variable.alerts_hook).toEqual({
      type: "string",
      sensitive: true,
      nullable: false,
      description:
        'The slack URL of contact point "chat"; The webhook URL of contact point "hook"; The URL of the heartbeat: export TF_VAR_alerts_hook',
    });
  });

  test("take no variable that has another value", () => {
    expect(() =>
      declare({
        contactPoints: [{ name: "hook", webhook: { url: { variable: "grafana_url" } } }],
        policy: { contactPoint: "hook" },
      }),
    ).toThrow(
      'The webhook URL of contact point "hook" has the variable "grafana_url", which Groundwork declares for another value: choose another name',
    );
  });

  test("have names that Terraform does not evaluate", () => {
    const name = "${TEAM} %{if}";
    const { resource } = declare({
      contactPoints: [{ name, email: { addresses: ["${a}@example.org"] } }],
      muteTimings: [{ name, intervals: [{ weekdays: ["sunday"] }] }],
      policy: {
        contactPoint: name,
        groupBy: [name],
        routes: [{ labels: { [name]: name }, contactPoint: name, muteTimings: [name] }],
      },
    });
    const escaped = "$${TEAM} %%{if}";
    const [point, timing, policy] = ["contact_point", "mute_timing", "notification_policy"].map(
      (type) => Object.values<Json>(resource[`grafana_${type}`])[0],
    );
    expect(point).toMatchObject({ name: escaped, email: [{ addresses: ["$${a}@example.org"] }] });
    expect(timing).toMatchObject({ name: escaped });
    expect(policy).toMatchObject({
      contact_point: escaped,
      group_by: [escaped],
      policy: [
        {
          contact_point: escaped,
          mute_timings: [escaped],
          matcher: [{ label: escaped, match: "=", value: escaped }],
        },
      ],
    });
  });

  test("go by severity, are repeated after four hours, and only what is worth knowing is muted", () => {
    expect(resources(synthesize(laptop).stacks, "grafana_notification_policy")).toMatchObject([
      {
        contact_point: "operators",
        group_by: ["alertname"],
        group_wait: "30s",
        repeat_interval: "4h",
        policy: [
          {
            contact_point: "operators",
            mute_timings: ["always"],
            matcher: [{ label: "severity", match: "=", value: "info" }],
          },
        ],
        depends_on: [
          expect.stringContaining("grafana_contact_point.contact-point-operators"),
          expect.stringContaining("grafana_mute_timing.mute-timing-always"),
        ],
      },
    ]);
  });

  describe("with a heartbeat", () => {
    const heartbeat = { url: { variable: "heartbeat_url" } };

    test("send the alert Watchdog to its address every 5 minutes, and nothing when it ends", () => {
      const { resource, variable } = declare({ heartbeat });
      const points = Object.values<Json>(resource.grafana_contact_point);
      expect(points.find(({ name }) => name === "groundwork-heartbeat")).toMatchObject({
        webhook: [{ url: "${var.heartbeat_url}", disable_resolve_message: true }],
      });
      expect(variable.heartbeat_url).toEqual({
        type: "string",
        sensitive: true,
        nullable: false,
        description: "The URL of the heartbeat: export TF_VAR_heartbeat_url",
      });
      const rules = Object.values<Json>(resource.grafana_rule_group).flatMap(({ rule }) => rule);
      expect(rules.filter(({ name }) => name === "Watchdog")).toHaveLength(1);
    });

    test("route it before every other route, and repeat it at every group interval", () => {
      const [policy] = Object.values<Json>(
        declare({ heartbeat: { ...heartbeat, interval: "2m" } }).resource
          .grafana_notification_policy,
      );
      expect(policy.policy).toHaveLength(2);
      expect(policy.policy[0]).toEqual({
        contact_point: "groundwork-heartbeat",
        matcher: [{ label: "alertname", match: "=", value: "Watchdog" }],
        group_by: ["alertname"],
        group_wait: "10s",
        group_interval: "120s",
        repeat_interval: "60s",
      });
      expect(policy.depends_on).toContainEqual(expect.stringContaining("heartbeat"));
    });

    test("are the only ones with the alert Watchdog", () => {
      const { resource } = declare({});
      expect(JSON.stringify(resource)).not.toMatch(/Watchdog|heartbeat/);
    });

    test.each<[string, HeartbeatProps, string]>([
      [
        "with the secret itself",
        { url: { variable: "https://example.org/T0KEN" } },
        'the heartbeat has no Terraform variable for its URL: set url to { variable: "heartbeat_url" } and export TF_VAR_heartbeat_url before you deploy',
      ],
      [
        "that is sent more often than rules are evaluated",
        { ...heartbeat, interval: "30s" },
        'the heartbeat has the interval "30s": use 1m to 1d, such as 5m',
      ],
      [
        "without a unit",
        { ...heartbeat, interval: "5" },
        'the heartbeat has the interval "5": use 1m to 1d, such as 5m',
      ],
      [
        "with an unknown property",
        { ...heartbeat, intervall: "5m" } as never,
        'the heartbeat has an unknown property "intervall": did you mean "interval"? allowed: url, interval',
      ],
    ])("fail for one %s", (_, props, message) => {
      const validated = () => validateNotifications({ ...catalog.notifications, heartbeat: props });
      expect(validated).toThrow(message);
      expect(() => declare({ heartbeat: props })).toThrow(message);
      expect(validated).not.toThrow("T0KEN");
    });

    test("fail for a contact point of the same name", () => {
      const { contactPoints } = catalog.notifications;
      const own = { ...contactPoints[0], name: "groundwork-heartbeat" };
      expect(() =>
        validateNotifications({ ...catalog.notifications, contactPoints: [...contactPoints, own] }),
      ).toThrow(
        'contact point "groundwork-heartbeat" has the name of the one for the heartbeat: rename yours',
      );
    });
  });

  test.each<[string, ContactPointProps, string]>([
    [
      "without the variable of its secret",
      { name: "chat", slack: {} as never },
      'contact point "chat" has no Terraform variable for its slack URL: set url to { variable: "slack_url" } and export TF_VAR_slack_url before you deploy (at test/point)',
    ],
    [
      "with the secret itself",
      { name: "hook", webhook: { url: { variable: "https://example.org/T0KEN" } } },
      'contact point "hook" has no Terraform variable for its webhook URL',
    ],
    [
      "without an integration",
      { name: "void" },
      'contact point "void" has no integration: set exactly one of email, webhook, slack (at test/point)',
    ],
    [
      "with two integrations",
      { name: "both", email: { addresses: ["a@b"] }, slack: { url: { variable: "x" } } },
      'contact point "both" has email and slack: set exactly one of email, webhook, slack',
    ],
    [
      "without addresses",
      { name: "nobody", email: { addresses: [] } },
      'contact point "nobody" has no email addresses: add at least one',
    ],
  ])("fail for a contact point %s", (_, props, message) => {
    expect(() => new ContactPoint(testStack(), "point", props)).toThrow(message);
  });

  test("fail for a policy that names an undeclared contact point or mute timing", () => {
    const known = { contactPoints: [], muteTimings: [] };
    expect(
      () => new NotificationPolicy(testStack(), "policy", { contactPoint: "ops" }, known),
    ).toThrow(
      'the notification policy refers to the undeclared contact point "ops": declare it, or use one of those declared: none (at test/policy)',
    );
    expect(() =>
      declare({
        policy: {
          contactPoint: "operators",
          routes: [{ labels: {}, contactPoint: "operators", muteTimings: ["night"] }],
        },
      }),
    ).toThrow(
      'refers to the undeclared mute timing "night": declare it, or use one of those declared: always',
    );
  });

  test("fail for a mute timing that ends before it starts", () => {
    expect(
      () =>
        new MuteTiming(testStack(), "night", {
          name: "night",
          intervals: [{ times: [{ start: "22:00", end: "06:00" }] }],
        }),
    ).toThrow(
      'mute timing "night" lasts from 22:00 to 06:00: use HH:MM, with the end after the start; split a night into two intervals (at test/night)',
    );
  });
});
