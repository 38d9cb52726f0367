import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { selectorsOf, withoutJob } from "../support/jobs";
import { ROOT } from "../support/root";
import {
  shippedAlerts as alerts,
  shippedAlertFiles as files,
  ALERT_TESTS as TESTS,
} from "../support/shipped";

/** Promtool from the PATH, else Debian's. */
const promtool = execFileSync(join(ROOT, "lab", "promtool.sh"), { encoding: "utf8" }).trim();

/** Promtool's result for each file. */
const told = new Map(
  spawnSync(promtool, ["test", "rules", ...files.map((file) => join(TESTS, file))], {
    encoding: "utf8",
  })
    .output.join("")
    .split(/^Unit Testing: +/m)
    .map((part) => {
      const [file, ...lines] = part.trim().split("\n");
      return [file, lines.join("\n").trim()] as const;
    }),
);

test("the shipped alerts are these", () => {
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
    expect(told.get(join(TESTS, file))).toBe("SUCCESS");
  },
);

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

test.each(alerts.map(({ alert, expr }) => [alert, expr] as const))(
  "%s names the job of every series, so that no application's metrics can silence or raise it",
  (_, expr) => {
    expect(selectorsOf(expr).length).toBeGreaterThan(0);
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
