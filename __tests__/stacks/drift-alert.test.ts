import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { laptop } from "../../environments/laptop";
import { validateEnvironment } from "../../environments/validate";
import { driftAlert } from "../../stacks/drift-alert";
import { container, fileOf, type Json, resources, synthesize } from "../support/platform";
import { ROOT } from "../support/root";

const folder = mkdtempSync(join(tmpdir(), "drift-alert-"));
afterAll(() => rmSync(folder, { recursive: true }));

const promtool = execFileSync(join(ROOT, "lab", "promtool.sh"), { encoding: "utf8" }).trim();
const scheduled = { ...laptop, drift: { everyHours: 24 } };
const RUN =
  'groundwork_container_succeeded_timestamp_seconds{job="integrations/self", service="drift", role="run", container="groundwork-drift-laptop"}';
const DECLARED = "groundwork_declared_drift_interval_seconds";
const FIRING = [
  {
    exp_labels: { severity: "warning" },
    exp_annotations: {
      summary: "npm run drift has not compared the platform for more than 48 hours",
      runbook: "docs/runbooks/DriftRunMissing.md",
    },
  },
];

/** Returns promtool's complaint, if any, about the alert at these hours after 1970, with these values of the gauge in each hour. */
function complaint(
  series: Readonly<Record<string, string>>,
  firing: Readonly<Record<number, Json[]>>,
  environment = scheduled,
) {
  writeFileSync(join(folder, "rules.json"), JSON.stringify({ groups: driftAlert(environment) }));
  const test = {
    rule_files: ["rules.json"],
    evaluation_interval: "1h",
    tests: [
      {
        interval: "1h",
        input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
        alert_rule_test: Object.entries(firing).map(([hours, exp_alerts]) => ({
          alertname: "DriftRunMissing",
          eval_time: `${hours}h`,
          exp_alerts,
        })),
      },
    ],
  };
  writeFileSync(join(folder, "test.json"), JSON.stringify(test));
  const { status, output } = spawnSync(promtool, ["test", "rules", join(folder, "test.json")], {
    encoding: "utf8",
  });
  return status === 0 ? "" : output.join("");
}

/** Returns the gauge from hour 0 on, if a run ended in each of these hours. */
const runs = (...hours: number[]) =>
  Array.from({ length: 200 }, (_, hour) => {
    const last = hours.filter((at) => at <= hour).pop();
    return last === undefined ? "_" : String(last * 3600);
  }).join(" ");

test("a run that is missing for twice the interval alerts, and the next one clears it", () => {
  const firing = { 52: [], 80: [], 99: [], 101: FIRING, 130: FIRING, 151: [] };
  const series = { [DECLARED]: "86400x200", [RUN]: runs(4, 28, 51, 150) };
  expect(complaint(series, firing)).toBe("");
});

test("a run that Alloy forgot when it restarted counts as long as it is fresh", () => {
  const series = { [DECLARED]: "86400x200", [RUN]: "0 3600 stale _x100" };
  expect(complaint(series, { 20: [], 24: [], 48: [], 60: FIRING })).toBe("");
});

test("so it does with the longest interval for which Prometheus keeps its metric", () => {
  const seldom = { ...laptop, drift: { everyHours: 180 } };
  validateEnvironment("laptop", seldom);
  const [{ exp_annotations, ...labels }] = FIRING;
  const summary = exp_annotations.summary.replace("48", "360");
  const firing = [{ ...labels, exp_annotations: { ...exp_annotations, summary } }];
  // Until the run has been missing for twice the interval, the metric is as old as what Prometheus keeps.
  expect(
    complaint(
      { [DECLARED]: "648000x500", [RUN]: "0 3600 stale _x500" },
      { 200: [], 355: [], 365: firing },
      seldom,
    ),
  ).toBe("");
});

test("a platform that was never compared alerts after twice the interval from the deploy that declares it", () => {
  const silent = { 24: [], 36: [], 47: [] };
  expect(complaint({ [DECLARED]: "86400x200" }, { ...silent, 60: FIRING })).toBe("");
  const later = { 100: [], 124: [], 136: [], 147: [], 160: FIRING };
  expect(complaint({ [DECLARED]: "_x100 86400x100" }, later)).toBe("");
});

test("an interval that was shortened or declared again counts from then on", () => {
  const silent = { 105: [], 120: [], 147: [], 160: FIRING };
  const shortened = { [DECLARED]: "604800x99 86400x100", [RUN]: runs(20) };
  expect(complaint(shortened, silent)).toBe("");
  const again = { [DECLARED]: "86400x9 _x89 86400x100", [RUN]: runs(5) };
  expect(complaint(again, silent)).toBe("");
});

test("the first run is in time within twice the interval", () => {
  const series = { [DECLARED]: "86400x200", [RUN]: runs(45) };
  expect(complaint(series, { 44: [], 60: [], 90: [], 100: FIRING })).toBe("");
});

test("Prometheus records the interval where drift is scheduled, and nothing of it elsewhere", () => {
  const rulesOf = (environment: Parameters<typeof synthesize>[0]) => {
    const prometheus = container(synthesize(environment).stacks, "prometheus");
    return JSON.parse(fileOf(prometheus, "/etc/prometheus/declared.json")).groups[0].rules;
  };
  expect(rulesOf(scheduled)).toContainEqual({ record: DECLARED, expr: "vector(86400)" });
  expect(rulesOf(laptop).filter(({ record }: Json) => record === DECLARED)).toEqual([]);
});

test("a container of an application that is named like the run counts for nothing", () => {
  const own = RUN.replace("integrations/self", "applications");
  const series = { [DECLARED]: "86400x200", [own]: runs(4, 28, 51, 75, 99) };
  expect(complaint(series, { 100: FIRING })).toBe("");
});

test("the alert is where drift is scheduled and Alloy measures it, and nowhere else", () => {
  const alertsOf = (environment: Parameters<typeof synthesize>[0]) =>
    resources(synthesize(environment).stacks, "grafana_rule_group")
      .flatMap(({ rule }) => rule)
      .map(({ name }: Json) => name);
  expect(alertsOf(scheduled)).toContain("DriftRunMissing");
  expect(alertsOf(laptop)).not.toContain("DriftRunMissing");
  expect(driftAlert({ ...scheduled, excludedServices: ["alloy"] })).toEqual([]);
  expect(driftAlert({ ...scheduled, excludedServices: ["loki"] })).toEqual([]);
});

test("its runbook says what it means, how to look, what to do and when it clears", () => {
  const [{ rules }] = driftAlert(scheduled);
  const text = readFileSync(join(ROOT, rules[0].annotations.runbook), "utf8");
  for (const heading of ["What it means", "Look", "Do", "When it clears"]) {
    expect(text).toContain(`\n## ${heading}\n`);
  }
});
