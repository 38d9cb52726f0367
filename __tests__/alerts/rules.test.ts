import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parse } from "yaml";
import { selectorsOf, withoutJob } from "../support/jobs";
import { ROOT } from "../support/root";
import {
  shippedAlerts as alerts,
  shippedAlertFiles as files,
  shippedAlertGroups,
  ALERT_TESTS as TESTS,
} from "../support/shipped-catalog";

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

/**
 * Returns the same series as an application sends them. The labels of Alloy's scrape replace the application's own, and the scrape adds
 * `up`, on each machine of the series.
 */
function forge(all: readonly Series[], value: string): Series[] {
  const scraped = ["job", "container", "service"];
  const target = 'job="applications", container="forger", service="forger"';
  const forged = all.map(({ series }) => {
    const [name, labels = ""] = series.replace("}", "").split("{");
    const others = labels
      .split(/,\s*(?=\w+=)/)
      .filter((label) => label && !scraped.includes(label.split("=")[0]));
    return `${name}{${[target, 'forged="1"', ...others].join(", ")}}`;
  });
  const machines = forged.map((series) => /, machine="[^"]*"/.exec(series)?.[0] ?? "");
  return [
    ...[...new Set(forged)].map((series) => ({ series, values: value })),
    ...[...new Set(["", ...machines])].map((machine) => ({
      series: `up{${target}${machine}}`,
      values: "1x2000",
    })),
  ];
}

test("the shipped alerts are these", () => {
  expect(alerts.map(({ alert, labels }) => `${alert} (${labels.severity})`)).toEqual([
    "BackupTooOld (critical)",
    "BackupMissing (critical)",
    "AlloyDown (critical)",
    "LogsStopped (warning)",
    "LogsDropped (warning)",
    "LogsRefused (warning)",
    "ScrapeTargetDown (warning)",
    "ScrapeTargetMissing (warning)",
    "MetricsLost (warning)",
    "PrometheusRulesFailing (critical)",
    "LokiRetentionFailing (warning)",
    "MemoryAboveReservation (info)",
    "ContainerRestarting (warning)",
    "ContainerRestartingOften (info)",
    "ContainerOutOfMemory (warning)",
    "ContainerMissing (critical)",
    "ApplicationFailing (warning)",
    "HostDiskFillingUp (warning)",
    "HostDiskFull (critical)",
    "HostInodesLow (warning)",
    "HostMemoryHigh (warning)",
    "HostMajorPageFaults (warning)",
    "HostCpuHigh (info)",
    "HostSaturated (warning)",
    "HostDiskSaturated (warning)",
    "HostFileDescriptorsHigh (warning)",
    "HostRaidDegraded (critical)",
    "InitFailed (critical)",
    "InitNeverSucceeded (critical)",
    "KafkaConsumerLag (warning)",
    "KafkaBrokerMissing (critical)",
    "KafkaUnderReplicated (warning)",
    "KafkaUnderMinIsr (critical)",
    "KafkaPartitionOffline (critical)",
    "KafkaLeaderSkew (warning)",
    "KafkaRequestsSlow (warning)",
    "MachineMissing (critical)",
    "MachineClockWrong (warning)",
    "NotificationsFailing (critical)",
    "OpenSearchStatusRed (critical)",
    "OpenSearchStatusYellow (warning)",
    "OpenSearchNodeMissing (critical)",
    "DiskWatermark (warning)",
    "OpenSearchDiskFillingUp (warning)",
    "OpenSearchHeapHigh (critical)",
    "OpenSearchRequestsRejected (warning)",
    "CertificateExpiring (warning)",
    "TlsConnectionFailing (critical)",
    "LoginsFailing (warning)",
    "RequestsDenied (warning)",
    "Watchdog (info)",
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
  ["a huge and growing number", "1e15+1e12x2000"],
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

// The watchdog always fires.
test.each(alerts.map(({ alert }) => alert).filter((alert) => alert !== "Watchdog"))(
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

const recorded = shippedAlertGroups.flatMap(({ recordingRules = [] }) => recordingRules);

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

test("the page that compares them with others' alerts names only alerts that exist", () => {
  const known = [...alerts.map(({ alert }) => alert), "ClientCertificateExpiring"];
  const rows = readFileSync(join(ROOT, "docs", "alerts.md"), "utf8").match(/^\| .+ \|$/gm) ?? [];
  const named = rows
    .map((row) => row.split("|")[2].trim())
    .filter((here) => !here.startsWith("no: ") && !/^(here|-+)$/.test(here))
    .map((here) => here.match(/\b(?:[A-Z][a-z]+){2,}\b|\bOpenSearch\w+\b|\bWatchdog\b/g) ?? []);
  expect(named.length).toBeGreaterThan(50);
  for (const names of named) {
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => name !== "OpenSearch" && !known.includes(name))).toEqual([]);
  }
});
