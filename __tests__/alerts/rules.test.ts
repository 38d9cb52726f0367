import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parse } from "yaml";
import { catalog } from "../../catalog";
import { selectorsOf, withoutJob } from "../support/jobs";
import { ROOT } from "../support/root";

const TESTS = join(__dirname, "rules");
const files = readdirSync(join(ROOT, "alerts")).sort();
const alerts = catalog.alertGroups.flatMap(({ rules }) => rules);

/** Promtool from the PATH, else Debian's. */
const promtool = execFileSync(join(ROOT, "lab", "promtool.sh"), { encoding: "utf8" }).trim();

/** Returns promtool's result for each file. */
function tested(paths: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    spawnSync(promtool, ["test", "rules", ...paths], { encoding: "utf8" })
      .output.join("")
      .split(/^Unit Testing: +/m)
      .map((part) => {
        const [file, ...lines] = part.trim().split("\n");
        return [basename(file), lines.join("\n").trim()] as const;
      }),
  );
}

const told = tested(files.map((file) => join(TESTS, file)));

interface Series {
  readonly series: string;
  readonly values: string;
}

/** Returns the same series as an application sends them: Alloy's scrape sets the job. */
function forge(all: readonly Series[], value: string): Series[] {
  const isTaken = new Set(all.map(({ series }) => series));
  return all
    .map(({ series }) => {
      const [name, labels = ""] = series.replace("}", "").split("{");
      const others = labels.split(/,\s*(?=\w+=)/).filter((label) => !/^(job=|$)/.test(label));
      return { series: `${name}{${['job="applications"', ...others].join(", ")}}`, values: value };
    })
    .filter(({ series }, i, forged) => {
      const first = forged.findIndex((other) => other.series === series);
      return first === i && !isTaken.has(series);
    });
}

test("the alerts are these", () => {
  expect(alerts.map(({ alert, labels }) => `${alert} (${labels.severity})`)).toEqual([
    "AlloyDown (critical)",
    "LogsStopped (warning)",
    "MemoryAboveReservation (info)",
    "ContainerRestarting (warning)",
    "ApplicationFailing (warning)",
    "InitFailed (critical)",
    "InitNeverSucceeded (critical)",
    "KafkaBrokerMissing (critical)",
    "KafkaUnderReplicated (warning)",
    "KafkaUnderMinIsr (critical)",
    "MachineMissing (critical)",
    "OpenSearchStatusRed (critical)",
    "OpenSearchStatusYellow (warning)",
    "OpenSearchNodeMissing (critical)",
    "DiskWatermark (warning)",
    "CertificateExpiring (warning)",
    "LoginsFailing (warning)",
    "RequestsDenied (warning)",
  ]);
});

test.each(files)(
  "the rules of %s fire when they should, stay silent otherwise and resolve",
  (file) => {
    expect(told.get(file)).toBe("SUCCESS");
  },
);

test.each([
  ["0", "0x2000"],
  ["a huge number", "1e15x2000"],
  ["a growing number", "0+1e9x2000"],
])("no alert changes if an application sends %s as every series that it reads", (_, value) => {
  const folder = mkdtempSync(join(tmpdir(), "forged-"));
  const paths = files.map((file) => {
    const content = parse(readFileSync(join(TESTS, file), "utf8"));
    const tests = content.tests.map((one: { input_series: Series[] }) => ({
      ...one,
      input_series: [...one.input_series, ...forge(one.input_series, value)],
    }));
    expect(tests).not.toEqual(content.tests);
    const path = join(folder, file);
    const rules = content.rule_files.map((rule: string) => join(TESTS, rule));
    writeFileSync(path, JSON.stringify({ ...content, rule_files: rules, tests }));
    return path;
  });
  const results = tested(paths);
  rmSync(folder, { recursive: true });
  expect(files.map((file) => [file, results.get(file)])).toEqual(
    files.map((file) => [file, "SUCCESS"]),
  );
});

test.each(alerts.map(({ alert }) => alert))(
  "%s is tested before, while and after it fires",
  (alert) => {
    const moments = files
      .flatMap((file) => parse(readFileSync(join(TESTS, file), "utf8")).tests)
      .map(({ alert_rule_test: cases }: { alert_rule_test: Moment[] }) =>
        cases
          .filter(({ alertname }) => alertname === alert)
          .map(({ exp_alerts: expected }) => (expected.length > 0 ? "fires" : "silent"))
          .join(" "),
      );
    expect(moments.some((sequence) => /silent.*fires.*silent/.test(sequence))).toBe(true);
  },
);

const recorded = catalog.alertGroups.flatMap(({ recordingRules = [] }) => recordingRules);

test.each([
  ...alerts.map(({ alert, expr }) => [alert, expr] as const),
  ...recorded.map(({ record, expr }) => [record, expr] as const),
])(
  "%s names the job of every series, so that no application's metrics can silence or raise it",
  (_, expr) => {
    expect(selectorsOf(expr).length > 0 || expr.trim() === "vector(1)").toBe(true);
    expect(withoutJob(expr)).toEqual([]);
  },
);

interface Moment {
  readonly alertname: string;
  readonly exp_alerts: readonly unknown[];
}

test.each(alerts.map(({ alert, annotations }) => [alert, annotations.runbook]))(
  "%s has a runbook that says what it means, how to look, what to do and when it clears",
  (alert, runbook) => {
    const text = readFileSync(join(ROOT, runbook), "utf8");
    expect(text.split("\n")[0]).toBe(`# ${alert}`);
    for (const heading of ["## What it means", "## Look", "## Do", "## When it clears"]) {
      expect(text).toContain(`\n${heading}\n`);
    }
  },
);
