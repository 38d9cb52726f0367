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

  test("fails for an interval that Grafana does not know", () => {
    expect(() => readRule({}, { interval: "15s" })).toThrow(
      /^group "g" in .* has the interval "15s": Grafana evaluates every multiple of 10 s, such as 30s or 1m$/,
    );
  });
});
