import { parse } from "yaml";
import { convertRules, groupsIn } from "../../../operations/import/rules";
import type { Json } from "../../support/platform";

const NONE = { alerts: new Set<string>(), groups: new Set<string>() };

const convert = (group: object, taken = NONE) => {
  const converted = convertRules([{ name: "g", ...group }], "file", taken);
  const { groups } = parse(converted.content);
  return { ...converted, group: groups[0] as Json };
};
const rule = (change: object = {}) => ({
  alert: "TargetDown",
  expr: "up == 0",
  labels: { severity: "warning" },
  annotations: { summary: "It is down" },
  ...change,
});
const convertRule = (change: object) => convert({ rules: [rule(change)] });

test("an alert gets a runbook and an interval, and keeps the rest", () => {
  const { group, runbooks, changes, lost, alerts } = convert({
    rules: [
      rule({ for: "5m", annotations: { summary: "Down", runbook_url: "https://example.org/a" } }),
    ],
  });
  expect(group).toEqual({
    name: "g",
    interval: "1m",
    rules: [
      {
        alert: "TargetDown",
        expr: "up == 0",
        for: "5m",
        labels: { severity: "warning" },
        annotations: {
          summary: "Down",
          runbook_url: "https://example.org/a",
          runbook: "docs/runbooks/TargetDown.md",
        },
      },
    ],
  });
  expect([changes, lost, alerts]).toEqual([[], [], 1]);
  const page = runbooks.get("docs/runbooks/TargetDown.md") as string;
  expect(page.split("\n")[0]).toBe("# TargetDown");
  for (const part of [
    "## What it means\n\nDown\n",
    "## Look\n",
    "```promql\nup == 0\n```",
    "## Do\n\nFollow [the runbook of the alert's authors](https://example.org/a).",
    "## When it clears\n",
  ]) {
    expect(page).toContain(part);
  }
});

test.each([
  ["page", "critical"],
  ["high", "critical"],
  ["P1", "critical"],
  ["none", "info"],
  ["minor", "info"],
  ["average", "warning"],
  [undefined, "warning"],
])("the severity %s becomes %s", (severity, expected) => {
  const { group, changes } = convertRule({ labels: { team: "a", ...(severity && { severity }) } });
  expect(group.rules[0].labels).toEqual({ severity: expected, team: "a" });
  expect(changes).toEqual([`severity ${severity ?? "missing"} -> ${expected}`]);
});

test.each([
  ["target-down", "TargetDown"],
  ["etcd: no leader", "EtcdNoLeader"],
  ["5xx", "Alert5xx"],
  [`A${"b".repeat(60)}`, `A${"b".repeat(39)}`],
])("the alert %s becomes %s", (alert, expected) => {
  const { group, changes } = convertRule({ alert });
  expect(group.rules[0].alert).toBe(expected);
  expect(changes).toEqual([`alert "${alert}" -> ${expected}`]);
});

test("alerts of one name, also of another file, get their severity and a number", () => {
  const { group } = convert(
    { rules: [rule(), rule({ labels: { severity: "critical" } }), rule()] },
    { alerts: new Set(["TargetDown"]), groups: new Set(["g"]) },
  );
  expect(group.name).toBe("file-g");
  expect(group.rules.map(({ alert }: Json) => alert)).toEqual([
    "TargetDownWarning",
    "TargetDownCritical",
    "TargetDownWarning2",
  ]);
});

test.each([
  [{ message: "From a message" }, "From a message"],
  [{ description: "From a description" }, "From a description"],
  [{}, "TargetDown fires"],
  [undefined, "TargetDown fires"],
])("an alert with the annotations %j gets a summary", (annotations, summary) => {
  const { group } = convertRule({ annotations });
  expect(group.rules[0].annotations.summary).toBe(summary);
});

test.each([
  ["15s", "20s"],
  ["1m30s", "1m30s"],
  ["2m", "2m"],
  [undefined, "1m"],
])("the interval %s becomes %s", (interval, expected) => {
  expect(convert({ interval, rules: [rule()] }).group.interval).toBe(expected);
});

test("labels of a group become those of its rules", () => {
  const { group } = convert({
    labels: { team: "a", site: 1 },
    rules: [rule({ labels: { team: "b" } })],
  });
  expect(group.rules[0].labels).toEqual({ severity: "warning", team: "b", site: "1" });
});

test("recording rules stay", () => {
  const recording = { record: "job:up:sum", expr: "sum by (job) (up)" };
  const { group, recordings } = convert({ rules: [recording, rule()] });
  expect(group.rules[0]).toEqual(recording);
  expect(recordings).toBe(1);
});

test.each([
  [
    'container_memory_rss{name!=""} > 5',
    'container_memory_rss{job="integrations/cadvisor"}',
    ', name!=""',
  ],
  ["container_memory_rss > 5", 'container_memory_rss{job="integrations/cadvisor"}', ""],
  [
    "rate(container_cpu_usage_seconds_total[5m]) > 5",
    'rate(container_cpu_usage_seconds_total{job="integrations/cadvisor"}[5m])',
    "",
  ],
])(
  "metrics of containers are joined with the containers' names, and get their job: %s",
  (expr, measured, names) => {
    const info = `groundwork_container_info{job="integrations/self"${names}}[1d]`;
    const { group } = convertRule({ expr });
    expect(group.rules[0].expr).toBe(
      `(${measured} * on (container_id) group_left (name) group by (container_id, name) (last_over_time(${info}))) > 5`,
    );
  },
);

test("what cannot be imported is named, and stays in the file as a comment", () => {
  const { content, group, lost } = convert({
    limit: 3,
    rules: [
      rule({ annotations: { summary: "Down", description: '{{ query "up" }}' } }),
      rule({ alert: "Broken", expr: "sum(" }),
      rule({ alert: "Pods", expr: 'container_memory_rss{pod="a"}' }),
    ],
  });
  expect(group.rules).toHaveLength(1);
  expect(group.rules[0].annotations).toEqual({
    summary: "Down",
    runbook: "docs/runbooks/TargetDown.md",
  });
  expect(lost).toEqual([
    'group "g": limit, which Grafana does not support',
    'alert "TargetDown": annotations.description, which uses query in a template: Grafana returns nothing for it: put the query into expr, or link a dashboard',
    'alert "Broken": its expression is not valid PromQL at character 5, ""',
    'alert "Pods": it reads container_memory_rss of every container, see docs/how-to/dashboard.md',
  ]);
  expect(content).toContain('\n# Not imported: alert "Broken": its expression is not valid PromQL');
  expect(content).toContain("\n# - alert: Broken\n#   expr: sum(\n");
});

test("a file of which nothing can be imported is refused", () => {
  expect(() => convertRule({ expr: "sum(" })).toThrow(
    'no rule of file can be imported:\n- alert "TargetDown": its expression is not valid PromQL at character 5, ""',
  );
});

test("groups are found in rule files, in Kubernetes' resources and in several documents", () => {
  const group = "groups: [{ name: a, rules: [] }]";
  expect(groupsIn(group)).toEqual([{ name: "a", rules: [] }]);
  expect(groupsIn(`kind: PrometheusRule\nspec: { ${group} }\n---\n${group}`)).toHaveLength(2);
  expect(groupsIn("a: 1")).toBeUndefined();
  expect(() => groupsIn("groups:\n  - [a\n")).toThrow(/^3:1 is not valid YAML: /);
});
