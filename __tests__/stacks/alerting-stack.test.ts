import type { TerraformStack } from "cdktf";
import { catalog } from "../../catalog";
import { environments } from "../../environments";
import { laptop } from "../../environments/laptop";
import { type Json, resources, synthesize } from "../support/platform";

const { stacks } = synthesize(laptop);
/** The alert groups of a plaintext platform on one machine without a heartbeat, an SMTP server or backups. */
const alertGroups = catalog.alertGroups.filter(
  ({ name, rules }) =>
    !["backup", "machines", "notifications", "security", "watchdog"].includes(name) &&
    rules.length > 0,
);
const alerting = stacks["laptop-alerting"];

describe("the rules in Grafana", () => {
  const groups = resources(stacks, "grafana_rule_group");

  test("come from the files and are in one folder", () => {
    expect(groups.map(({ name, rule }) => [name, rule.map((r: Json) => r.name)])).toEqual(
      alertGroups.map(({ name, rules }) => [name, rules.map(({ alert }) => alert)]),
    );
    for (const { folder_uid, interval_seconds } of groups) {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Terraform's own reference
      expect(folder_uid).toBe("${grafana_folder.folder.uid}");
      expect(interval_seconds % 10).toBe(0);
    }
  });

  test("fire for every series of their query, as in Prometheus", () => {
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

  test("keep their summary, with Grafana's name for the value", () => {
    const [failed] = groups
      .flatMap(({ rule }) => rule)
      .filter(({ name }: Json) => name === "InitFailed");
    expect(failed.annotations).toEqual({
      summary:
        "{{ $labels.service }} failed with exit code {{ $values.query.Value }}: topics, index templates or applications may be missing",
      runbook: "docs/runbooks/InitFailed.md",
    });
  });
});

describe("the alerting stack", () => {
  test("connects to the published Grafana, or to the URL in a variable", () => {
    expect(alerting.variable.grafana_url.default).toBe("http://localhost:3000");
    const production = synthesize(environments.production).stacks["production-alerting"];
    expect(production.variable.grafana_url).toEqual({
      type: "string",
      description: "URL at which Terraform reaches Grafana: export TF_VAR_grafana_url",
    });
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Terraform's own reference
    expect(production.provider.grafana[0].url).toBe("${var.grafana_url}");
  });

  test("logs in with the exact password, including spaces that the provider would trim", () => {
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

  test("has a read-only service account with a hidden token", () => {
    expect(resources(stacks, "grafana_service_account")).toEqual([
      expect.objectContaining({ name: "groundwork-reader", role: "Viewer" }),
    ]);
    expect(alerting.output.reader_token).toMatchObject({ sensitive: true });
  });

  test("gives the account a token that expires after 90 days, and a new one with the first deploy of a month", () => {
    const [token] = resources(stacks, "grafana_service_account_token");
    expect(token).toMatchObject({
      // The provider replaces a token whose name changes. Known in the plan, so other deploys of the month change nothing.
      name: `groundwork-reader-\${formatdate("YYYY-MM", plantimestamp())}`,
      seconds_to_live: 90 * 24 * 3600,
      lifecycle: { create_before_destroy: true },
    });
  });
});

describe("the alert NotificationsFailing", () => {
  const smtp = { host: "smtp.example.org:587", fromAddress: "groundwork@example.org" };
  const withSmtp = { ...laptop, grafana: { ...laptop.grafana, smtp } };
  const slack = { name: "chat", slack: { url: { variable: "slack_url" } } };
  const { notifications } = catalog;
  const contactPoints = [...notifications.contactPoints, slack];
  const withSlack = { ...catalog, notifications: { ...notifications, contactPoints } };
  const rulesOf = (...of: Parameters<typeof synthesize>) =>
    resources(synthesize(...of).stacks, "grafana_rule_group").flatMap(({ rule }) =>
      rule.map(({ name }: Json) => name),
    );

  test("is not deployed if no contact point can be reached, since it would keep itself alive", () => {
    expect(rulesOf(laptop)).not.toContain("NotificationsFailing");
  });

  test("is deployed with an SMTP server, or with a contact point that needs none", () => {
    expect(rulesOf(withSmtp)).toContain("NotificationsFailing");
    expect(rulesOf(laptop, withSlack)).toContain("NotificationsFailing");
  });
});
