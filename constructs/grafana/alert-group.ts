import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { ValidationError, validate } from "../service/validation";
import { syntaxErrorOf } from "./query";

/**
 * A group of alerting rules in Prometheus' own format
 * (https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/), so that `promtool` can check and test them.
 */
export interface AlertGroup {
  /** Unique among the groups. */
  readonly name: string;

  /** Between two evaluations, such as `30s`; a multiple of 10 s. */
  readonly interval: string;

  /** Evaluated together, one after the other. */
  readonly rules: readonly AlertRule[];
}

export interface AlertRule {
  /** Name of the alert, and of its runbook. */
  readonly alert: string;

  /** PromQL; every series of its result is an alert. */
  readonly expr: string;

  /**
   * How long the result has to stay before the alert fires.
   *
   * @default - at once
   */
  readonly for?: string;

  /**
   * How long the alert goes on firing when the result is gone.
   *
   * @default - it ends at once
   */
  readonly keep_firing_for?: string;

  /** What routes and mute timings look at. */
  readonly labels: { readonly severity: Severity; readonly [name: string]: string };

  readonly annotations: {
    /** One sentence that names the thing. */
    readonly summary: string;
    /** Page of this repository that says what to do. */
    readonly runbook: string;
    /** Of any other name, such as `description`: handed on. */
    readonly [name: string]: string;
  };
}

/** Of Prometheus' format what Grafana has too. */
const GROUP_KEYS = ["name", "interval", "rules"];
const RULE_KEYS = ["alert", "expr", "for", "keep_firing_for", "labels", "annotations"];

const SEVERITIES = ["critical", "warning", "info"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Every group of every `*.yml` of a directory. Runbooks are looked for from the repository's root. */
export function readAlertGroups(directory: string, repositoryRoot: string): AlertGroup[] {
  const files = readdirSync(directory)
    .filter((file) => file.endsWith(".yml"))
    .sort()
    .map((file) => join(directory, file));
  const groups = files.flatMap((file) => readAlertFile(file, repositoryRoot));
  const seen = new Set<string>();
  for (const { alert } of groups.flatMap(({ rules }) => rules)) {
    validate(
      !seen.has(alert),
      () => `alert "${alert}" in ${directory} is declared twice: rename one`,
    );
    seen.add(alert);
  }
  return groups;
}

function readAlertFile(path: string, repositoryRoot: string): AlertGroup[] {
  const document = parseDocument(readFileSync(path, "utf8"));
  const [error] = document.errors;
  if (error) {
    const { line, col } = error.linePos?.[0] ?? { line: 1, col: 1 };
    throw new ValidationError(
      `alert rules ${path}:${line}:${col} are not YAML: ${error.message.split("\n")[0]}`,
    );
  }
  const { groups } = (document.toJS() ?? {}) as { groups?: AlertGroup[] };
  validate(
    Array.isArray(groups) && groups.every(({ rules }) => Array.isArray(rules) && rules.length > 0),
    () => `alert rules ${path} have no groups with rules: it has to be a rule file of Prometheus`,
  );
  for (const group of groups) {
    const { name, interval, rules } = group;
    const unknown = Object.keys(group).find((key) => !GROUP_KEYS.includes(key));
    validate(
      unknown === undefined,
      () =>
        `group "${name}" in ${path} has "${unknown}", which Grafana would not get: allowed are ${GROUP_KEYS.join(", ")}`,
    );
    validate(
      toSeconds(interval ?? "") % 10 === 0,
      () =>
        `group "${name}" in ${path} has the interval "${interval}": Grafana evaluates every multiple of 10 s, such as 30s or 1m`,
    );
    for (const rule of rules) {
      for (const problem of problemsOf(rule, repositoryRoot)) {
        throw new ValidationError(`alert "${rule.alert}" in ${path} ${problem}`);
      }
    }
  }
  return groups;
}

function* problemsOf(rule: Partial<AlertRule>, repositoryRoot: string): Generator<string> {
  if (!/^[A-Z][A-Za-z0-9]{0,39}$/.test(rule.alert ?? "")) {
    yield "needs a name of at most 40 letters and digits, an upper-case letter first";
  }
  const error = syntaxErrorOf("PromQL", rule.expr ?? "");
  if (!rule.expr || error) {
    yield `has ${rule.expr ? `an expression that is ${error}` : "no expr"}: correct its query`;
  }
  const unknown = Object.keys(rule).find((key) => !RULE_KEYS.includes(key));
  if (unknown !== undefined) {
    yield `has "${unknown}", which Grafana would not get: allowed are ${RULE_KEYS.join(", ")}`;
  }
  for (const key of ["for", "keep_firing_for"] as const) {
    const value = rule[key];
    if (value !== undefined && Number.isNaN(toSeconds(value))) {
      yield `has ${key}: "${value}": allowed is a number with s, m or h`;
    }
  }
  if (!SEVERITIES.includes(rule.labels?.severity as Severity)) {
    yield `has the severity "${rule.labels?.severity}": allowed are ${SEVERITIES.join(", ")}`;
  }
  if (!rule.annotations?.summary) {
    yield "has no summary: say in one sentence what is wrong with which thing";
  }
  const runbook = rule.annotations?.runbook;
  if (!runbook || !existsSync(join(repositoryRoot, runbook))) {
    yield runbook
      ? `has the runbook "${runbook}", which does not exist: write it`
      : "has no runbook: name the page that says what to do, as in docs/runbooks/InitFailed.md";
  }
}

/** Seconds of a duration with one unit, or NaN. */
export function toSeconds(duration: string): number {
  const [, number, unit] = /^(\d+)([smh])$/.exec(duration) ?? [];
  return Number(number) * { s: 1, m: 60, h: 3600 }[unit as "s" | "m" | "h"];
}
