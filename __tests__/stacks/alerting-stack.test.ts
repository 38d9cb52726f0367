import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TerraformStack, Testing } from "cdktf";
import { catalog } from "../../catalog";
import type { Notifications } from "../../constructs";
import {
  ContactPoint,
  type ContactPointProps,
  MuteTiming,
  NotificationPolicy,
  readAlertGroups,
} from "../../constructs";
import { RuleGroup } from "../../constructs/grafana/rule-group";
import { environments } from "../../environments";
import { laptop } from "../../environments/laptop";
import { type Json, resources, synthesize } from "../support/platform";

const { stacks } = synthesize(laptop);
/** Those of an open platform on one machine. */
const alertGroups = catalog.alertGroups.filter(
  ({ name }) => !["machines", "security"].includes(name),
);
const alerting = stacks["laptop-alerting"];
const stack = () => new TerraformStack(Testing.app(), "test");

describe("the rules in Grafana", () => {
  const groups = resources(stacks, "grafana_rule_group");

  test("are those of the files, in one folder", () => {
    expect(groups.map(({ name, rule }) => [name, rule.map((r: Json) => r.name)])).toEqual(
      alertGroups.map(({ name, rules }) => [name, rules.map(({ alert }) => alert)]),
    );
    for (const { folder_uid, interval_seconds } of groups) {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Terraform's own reference
      expect(folder_uid).toBe("${grafana_folder.folder.uid}");
      expect(interval_seconds % 10).toBe(0);
    }
  });

  test("fire for every series of their query, as Prometheus would", () => {
    const rules = groups.flatMap(({ rule }) => rule);
    const sources = alertGroups.flatMap(({ rules: all }) => all);
    for (const [i, rule] of rules.entries()) {
      const [query, fires, threshold] = rule.data.map(({ model }: Json) => JSON.parse(model));
      expect(query).toEqual({
        refId: "query",
        expr: sources[i].expr,
        instant: true,
        range: false,
      });
      expect(rule.data.map((d: Json) => d.datasource_uid)).toEqual([
        "prometheus",
        "__expr__",
        "__expr__",
      ]);
      expect(fires.expression).toBe("is_number($query) || is_nan($query) || is_inf($query)");
      expect(threshold).toMatchObject({ expression: "fires", type: "threshold" });
      expect(rule).toMatchObject({
        uid: rule.name,
        condition: "threshold",
        no_data_state: "OK",
        exec_err_state: "Error",
        for: sources[i].for ?? "0s",
        labels: sources[i].labels,
      });
    }
  });

  test("say what their summary says, with Grafana's name for the value", () => {
    const [failed] = groups
      .flatMap(({ rule }) => rule)
      .filter(({ name }: Json) => name === "InitFailed");
    expect(failed.annotations).toEqual({
      summary:
        "{{ $labels.service }} ended with exit code {{ $values.query.Value }}: what it provisions may not be there",
      runbook: "docs/runbooks/InitFailed.md",
    });
  });
});

describe("the alerting stack", () => {
  test("talks to the Grafana that is published here, or to where a variable says", () => {
    expect(alerting.variable.grafana_url.default).toBe("http://localhost:3000");
    const production = synthesize(environments.production).stacks["production-alerting"];
    expect(production.variable.grafana_url).toEqual({
      type: "string",
      description: "Where Terraform reaches Grafana: export TF_VAR_grafana_url",
    });
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Terraform's own reference
    expect(production.provider.grafana[0].url).toBe("${var.grafana_url}");
  });

  test("logs in with the password as it is, spaces at its ends too, which the provider would cut off", () => {
    const read = 'trimsuffix(file("../../../.state/laptop/grafana-admin-password"), "\\n")';
    expect(alerting.provider.grafana).toMatchObject([
      {
        auth: `admin:\${sensitive(${read})}`,
        http_headers: {
          authorization: `Basic \${base64encode("admin:\${sensitive(${read})}")}`,
        },
      },
    ]);
  });

  test("is deployed after Grafana", () => {
    const { app } = synthesize(laptop);
    const child = app.node.findChild("laptop-alerting") as TerraformStack;
    expect(child.dependencies.map(({ node }) => node.id)).toContain("laptop-observability");
  });

  test("has a reader that may only look, with a token that is not shown", () => {
    expect(resources(stacks, "grafana_service_account")).toEqual([
      expect.objectContaining({ name: "groundwork-reader", role: "Viewer" }),
    ]);
    expect(alerting.output.reader_token).toMatchObject({ sensitive: true });
  });
});

describe("notifications", () => {
  const declare = (notifications: Partial<Notifications>) =>
    synthesize(laptop, {
      ...catalog,
      notifications: { ...catalog.notifications, ...notifications },
    }).stacks["laptop-alerting"];

  test("reach a webhook, Slack and e-mail, with their secrets in variables", () => {
    const { resource, variable } = declare({
      contactPoints: [
        { name: "operators", email: { addresses: ["a@example.org", "b@example.org"] } },
        { name: "hook", webhook: { url: { variable: "alerts_hook" } } },
        { name: "chat", slack: { url: { variable: "alerts_slack" } } },
      ],
    });
    const points = Object.values<Json>(resource.grafana_contact_point);
    expect(points).toMatchObject([
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Terraform's own reference
      { name: "chat", slack: [{ url: "${var.alerts_slack}" }] },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Terraform's own reference
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

  test("go by severity, are repeated after four hours, and only what is worth knowing is muted", () => {
    expect(resources(stacks, "grafana_notification_policy")).toMatchObject([
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

  test.each<[string, ContactPointProps, string]>([
    [
      "without its secret",
      { name: "chat", slack: {} as never },
      'contact point "chat" has no secret for its slack URL: set url to { variable: "name_of_it" } and export TF_VAR_name_of_it when you deploy (at test/point)',
    ],
    [
      "with the secret itself",
      { name: "hook", webhook: { url: { variable: "https://example.org/T0KEN" } } },
      'contact point "hook" has no secret for its webhook URL',
    ],
    [
      "that nobody is behind",
      { name: "void" },
      'contact point "void" has no way to be reached: it needs exactly one of email, webhook, slack (at test/point)',
    ],
    [
      "of two kinds",
      { name: "both", email: { addresses: ["a@b"] }, slack: { url: { variable: "x" } } },
      'contact point "both" has email and slack: it needs exactly one of email, webhook, slack',
    ],
    [
      "without addresses",
      { name: "nobody", email: { addresses: [] } },
      'contact point "nobody" has no e-mail addresses: name at least one',
    ],
  ])("fail for a contact point %s", (_, props, message) => {
    expect(() => new ContactPoint(stack(), "point", props)).toThrow(message);
  });

  test("fail for a policy that names what is not declared", () => {
    const known = { contactPoints: [], muteTimings: [] };
    expect(() => new NotificationPolicy(stack(), "policy", { contactPoint: "ops" }, known)).toThrow(
      'the notification policy refers to contact point "ops": declared are none (at test/policy)',
    );
    expect(() =>
      declare({
        policy: {
          contactPoint: "operators",
          routes: [{ labels: {}, contactPoint: "operators", muteTimings: ["night"] }],
        },
      }),
    ).toThrow('refers to mute timing "night": declared are always');
  });

  test("fail for a mute timing that ends before it starts", () => {
    expect(
      () =>
        new MuteTiming(stack(), "night", {
          name: "night",
          intervals: [{ times: [{ start: "22:00", end: "06:00" }] }],
        }),
    ).toThrow(
      'mute timing "night" lasts from 22:00 to 06:00: both have to be HH:MM, the end after the start; write a night as two intervals (at test/night)',
    );
  });
});

describe("a file of rules", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "alerts-"));
    writeFileSync(join(root, "page.md"), "");
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const rule = (change: object = {}) => ({
    alert: "Sound",
    expr: "up == 0",
    labels: { severity: "info" },
    annotations: { summary: "It is down", runbook: "page.md" },
    ...change,
  });
  const read = (text: string) => {
    writeFileSync(join(root, "rules.yml"), text);
    return readAlertGroups(root, root);
  };
  const readRule = (change: object, group: object = {}) =>
    read(
      JSON.stringify({ groups: [{ name: "g", interval: "1m", rules: [rule(change)], ...group }] }),
    );

  test("is read as it is", () => {
    expect(readRule({})).toEqual([{ name: "g", interval: "1m", rules: [rule()] }]);
  });

  test("fails when it is not YAML, with file and place", () => {
    expect(() => read("groups:\n  - name: [a\n")).toThrow(
      /^alert rules .*rules\.yml:3:1 are not YAML: /,
    );
  });

  test("fails without groups", () => {
    expect(() => read("rules: []")).toThrow(
      /rules\.yml have no groups with rules: it has to be a rule file of Prometheus$/,
    );
  });

  test("fails when an alert is declared twice", () => {
    expect(() =>
      read(JSON.stringify({ groups: [{ name: "g", interval: "1m", rules: [rule(), rule()] }] })),
    ).toThrow(/^alert "Sound" in .* is declared twice: rename one$/);
  });

  test.each<[string, object, RegExp]>([
    [
      "a query that is no PromQL",
      { expr: "sum(up" },
      /^alert "Sound" in .*rules\.yml has an expression that is no PromQL from character 7, "": correct its query$/,
    ],
    [
      "containers of somebody else's",
      { expr: "container_memory_working_set_bytes > 5" },
      /^alert "Sound" in .*rules\.yml counts container_memory_working_set_bytes of every container of the engine: join it with the platform's own, \* on \(container_id\) group_left/,
    ],
    ["no query", { expr: undefined }, /has no expr: it has to be a query in PromQL$/],
    [
      "no runbook",
      { annotations: { summary: "s" } },
      /has no annotations\.runbook: it has to be the page that says what to do, as in docs\/runbooks\/InitFailed\.md$/,
    ],
    [
      "a runbook that does not exist",
      { annotations: { summary: "s", runbook: "docs/none.md" } },
      /has the runbook "docs\/none\.md", which does not exist: write it$/,
    ],
    [
      "no summary",
      { annotations: { runbook: "page.md" } },
      /has no annotations\.summary: it has to be a sentence that says what is wrong with which thing$/,
    ],
    [
      "an empty summary and an empty runbook",
      { annotations: { summary: "", runbook: "" } },
      /has annotations\.summary "": it has to be a sentence that says what is wrong with which thing\n.* has annotations\.runbook "": it has to be the page that says what to do, as in docs\/runbooks\/InitFailed\.md$/,
    ],
    ["no labels", { labels: undefined }, /has no labels: it has to be an object$/],
    [
      "an unknown severity",
      { labels: { severity: "urgent" } },
      /has labels\.severity "urgent": it has to be "critical", "warning" or "info"$/,
    ],
    [
      "a duration that is none",
      { for: "soon" },
      /has for: "soon": allowed is a number with s, m or h$/,
    ],
    [
      "a duration to go on that is none",
      { keep_firing_for: "long" },
      /has keep_firing_for: "long": allowed is a number with s, m or h$/,
    ],
    [
      "what Prometheus does not have",
      { notify: "me" },
      /has "notify", which Grafana would not get: allowed are alert, expr, for, keep_firing_for, labels, annotations$/,
    ],
    [
      "an illegal name",
      { alert: "sound-rule" },
      /alert "sound-rule" in .* needs a name of at most 40 letters and digits, an upper-case letter first$/,
    ],
  ])("fails for a rule with %s", (_, change, message) => {
    expect(() => readRule(change)).toThrow(message);
  });

  test.each([
    ["an interval of nothing", { interval: "0s" }, /has the interval "0s": Grafana evaluates/],
    ["no name", { name: "" }, /has name "": it has to be a name$/],
    ["a rule that is none", { rules: [null] }, /has rules\[0\] null: it has to be an object$/],
  ])("fails for a group with %s", (_, change, message) => {
    expect(() => readRule({}, change)).toThrow(message);
  });

  test("fails for what Prometheus' groups have and Grafana's have not", () => {
    expect(() => readRule({}, { limit: 3 })).toThrow(
      /^group "g" in .* has "limit", which Grafana would not get: allowed are name, interval, rules$/,
    );
  });

  test("reaches Grafana with every field that it has", () => {
    const [group] = readRule({
      for: "5m",
      keep_firing_for: "10m",
      labels: { severity: "info", team: "data" },
      annotations: { summary: "Down", runbook: "page.md", description: "At {{ $value }}" },
    });
    const scope = stack();
    new RuleGroup(scope, "group", { group, folderUid: "f", dataSourceUid: "prometheus" });
    const [{ rule }] = Object.values<Json>(
      JSON.parse(Testing.synth(scope)).resource.grafana_rule_group,
    );
    expect(rule[0]).toMatchObject({
      for: "5m",
      keep_firing_for: "10m",
      labels: { severity: "info", team: "data" },
      annotations: {
        summary: "Down",
        runbook: "page.md",
        description: "At {{ $values.query.Value }}",
      },
    });
  });

  test("fails for an interval that Grafana does not know", () => {
    expect(() => readRule({}, { interval: "15s" })).toThrow(
      /^group "g" in .* has the interval "15s": Grafana evaluates every multiple of 10 s, such as 30s or 1m$/,
    );
  });
});
