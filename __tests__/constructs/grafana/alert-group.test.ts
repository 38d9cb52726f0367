import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Testing } from "cdktf";
import { readAlertGroups } from "../../../constructs";
import { RuleGroup } from "../../../constructs/grafana/rule-group";
import type { Json } from "../../support/platform";
import { testStack } from "../../support/stack";

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

  test("is read unchanged", () => {
    expect(readRule({})).toEqual([{ name: "g", interval: "1m", rules: [rule()] }]);
  });

  test("fails for invalid YAML, with file, line and column", () => {
    expect(() => read("groups:\n  - name: [a\n")).toThrow(
      /^alert rules .*rules\.yml:3:1 are not valid YAML: /,
    );
  });

  test("fails without groups", () => {
    expect(() => read("rules: []")).toThrow(
      /rules\.yml have no groups with rules: write a Prometheus rule file$/,
    );
  });

  test("fails when an alert is declared twice", () => {
    expect(() =>
      read(JSON.stringify({ groups: [{ name: "g", interval: "1m", rules: [rule(), rule()] }] })),
    ).toThrow(/^alert "Sound" in .* is declared twice: rename one$/);
  });

  test.each<[string, object, RegExp]>([
    [
      "an invalid PromQL query",
      { expr: "sum(up" },
      /^alert "Sound" in .*rules\.yml has an expression that is not valid PromQL at character 7, "": correct expr$/,
    ],
    [
      "a metric of every container of the engine",
      { expr: "container_memory_working_set_bytes > 5" },
      /^alert "Sound" in .*rules\.yml reads container_memory_working_set_bytes of every container of the Docker engine: limit it to the platform's containers with \* on \(container_id\) group_left/,
    ],
    ["no query", { expr: undefined }, /: expr is missing: it must be a PromQL query$/],
    [
      "no runbook",
      { annotations: { summary: "s" } },
      /: annotations\.runbook is missing: it must be the path of its runbook, such as docs\/runbooks\/InitFailed\.md$/,
    ],
    [
      "a runbook that does not exist",
      { annotations: { summary: "s", runbook: "docs/none.md" } },
      /has the runbook "docs\/none\.md", which does not exist: write that page$/,
    ],
    [
      "no summary",
      { annotations: { runbook: "page.md" } },
      /: annotations\.summary is missing: it must be a sentence that says what is wrong and what is affected$/,
    ],
    [
      "an empty summary and an empty runbook",
      { annotations: { summary: "", runbook: "" } },
      /: annotations\.summary is "": it must be a sentence that says what is wrong and what is affected\n.*: annotations\.runbook is "": it must be the path of its runbook, such as docs\/runbooks\/InitFailed\.md$/,
    ],
    ["no labels", { labels: undefined }, /: labels is missing: it must be an object$/],
    [
      "an unknown severity",
      { labels: { severity: "urgent" } },
      /: labels\.severity is "urgent": it must be "critical", "warning" or "info"$/,
    ],
    [
      "an invalid duration",
      { for: "soon" },
      /has for "soon": use a number with s, m or h, such as 5m$/,
    ],
    [
      "an invalid keep_firing_for",
      { keep_firing_for: "long" },
      /has keep_firing_for "long": use a number with s, m or h, such as 5m$/,
    ],
    [
      "what Prometheus does not have",
      { notify: "me" },
      /has an unsupported property "notify": allowed: alert, expr, for, keep_firing_for, labels, annotations$/,
    ],
    [
      "an invalid name",
      { alert: "sound-rule" },
      /alert "sound-rule" in .* needs a name of at most 40 letters and digits that starts with an uppercase letter$/,
    ],
  ])("fails for a rule with %s", (_, change, message) => {
    expect(() => readRule(change)).toThrow(message);
  });

  test.each([
    ["an interval of nothing", { interval: "0s" }, /has the interval "0s": use a multiple of 10 s/],
    ["no name", { name: "" }, /: name is "": it must be a name$/],
    ["a rule that is none", { rules: [null] }, /: rules\[0\] is null: it must be an object$/],
  ])("fails for a group with %s", (_, change, message) => {
    expect(() => readRule({}, change)).toThrow(message);
  });

  test("fails for a field of Prometheus' groups that Grafana does not support", () => {
    expect(() => readRule({}, { limit: 3 })).toThrow(
      /^group "g" in .* has an unsupported property "limit": allowed: name, interval, rules$/,
    );
  });

  test("reaches Grafana with every field", () => {
    const [group] = readRule({
      for: "5m",
      keep_firing_for: "10m",
      labels: { severity: "info", team: "data" },
      annotations: { summary: "Down", runbook: "page.md", description: "At {{ $value }}" },
    });
    const scope = testStack();
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

  test("fails for an interval that Grafana does not support", () => {
    expect(() => readRule({}, { interval: "15s" })).toThrow(
      /^group "g" in .* has the interval "15s": use a multiple of 10 s, such as 30s or 1m$/,
    );
  });
});
