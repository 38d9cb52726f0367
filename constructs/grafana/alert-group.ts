import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { type Document, parseDocument } from "yaml";
import {
  anyObject,
  checkDeclared,
  type Declared,
  object,
  objectWith,
} from "../container/declaration";
import { readTextFile } from "../container/text-file";
import { all, ValidationError, validate, validateDistinct } from "../container/validation";
import { NAMED_CONTAINERS, syntaxErrorOf, unnamedMetrics } from "./query";

const severitySchema = v.picklist(["critical", "warning", "info"]);

export type Severity = Declared<typeof severitySchema>;

const NOT_IN_GRAFANA = "an unsupported property";

/** The fields of Prometheus' rule format that Grafana supports. */
const ruleSchema = object(
  {
    /** The name of the alert, and of its runbook. */
    alert: v.string(),

    /** A PromQL query. Every series of its result is an alert. */
    expr: text("a PromQL query"),

    /**
     * How long the query must return the series before the alert fires.
     *
     * @default - the alert fires at once
     */
    for: v.optional(v.string()),

    /**
     * How long the alert keeps firing after the series is gone.
     *
     * @default - it resolves at once
     */
    keep_firing_for: v.optional(v.string()),

    /** The labels that notification routes match. Other names are allowed. */
    labels: objectWith(
      {
        /** The severity, by which routes choose the contact point. */
        severity: severitySchema,
      },
      v.string(),
    ),

    /** The texts of a notification. Other names, such as `description`, are allowed. */
    annotations: objectWith(
      {
        /** A sentence that says what is wrong and what is affected. */
        summary: text("a sentence that says what is wrong and what is affected"),
        /** The path of the runbook in this repository. */
        runbook: text("the path of its runbook, such as docs/runbooks/InitFailed.md"),
      },
      v.string(),
    ),
  },
  NOT_IN_GRAFANA,
);

const groupSchema = object(
  {
    /** The name, unique among groups. */
    name: text("a name"),

    /** The time between two evaluations, such as `30s`: a multiple of 10 s. */
    interval: v.string(),

    /** The rules, evaluated at the same interval, one at a time. */
    rules: v.array(anyObject<AlertRule>()),
  },
  NOT_IN_GRAFANA,
);

export type AlertRule = Declared<typeof ruleSchema>;

/**
 * A group of alerting rules in Prometheus' format
 * (https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/), which `promtool` can check and test.
 */
export type AlertGroup = Declared<typeof groupSchema>;

/**
 * Returns every group of every `*.yml` of a directory. Throws if a rule is invalid, a name is used twice, or a runbook does not exist below
 * the repository's root.
 */
export function readAlertGroups(directory: string, repositoryRoot: string): AlertGroup[] {
  const files = readdirSync(directory)
    .filter((file) => file.endsWith(".yml"))
    .sort()
    .map((file) => join(directory, file));
  const groups = all(...files.map((file) => () => readAlertFile(file, repositoryRoot))).flat();
  all(
    () =>
      validateDistinct(
        groups.flatMap(({ rules }) => rules.map(({ alert }) => alert)),
        (alert) => `alert "${alert}" in ${directory} is declared twice: rename one`,
      ),
    () =>
      validateDistinct(
        groups.map(({ name }) => name),
        (name) => `group "${name}" in ${directory} is declared twice: rename one`,
      ),
  );
  return groups;
}

function readAlertFile(path: string, repositoryRoot: string): AlertGroup[] {
  const document = parseDocument(readTextFile(path, "alert rules"));
  const [error] = document.errors;
  if (error) {
    const { line, col } = error.linePos?.[0] ?? { line: 1, col: 1 };
    throw new ValidationError(
      `alert rules ${path}:${line}:${col} are not valid YAML: ${error.message.split("\n")[0]}`,
    );
  }
  const { groups } = contentOf(document, path);
  validate(
    Array.isArray(groups) &&
      groups.every((group) => Array.isArray(group?.rules) && group.rules.length > 0),
    () => `alert rules ${path} have no groups with rules: write a Prometheus rule file`,
  );
  all(...groups.map((group) => () => validateGroup(group, path, repositoryRoot)));
  return groups;
}

function contentOf(document: Document, path: string): { groups?: AlertGroup[] } {
  try {
    return document.toJS() ?? {};
  } catch (error) {
    // Such as an undefined alias.
    throw new ValidationError(
      `alert rules ${path} are not valid YAML: ${(error as Error).message}`,
    );
  }
}

function validateGroup(group: AlertGroup, path: string, repositoryRoot: string): void {
  const { name, interval, rules } = group;
  checkDeclared(groupSchema, group, `group "${name}" in ${path}`);
  all(
    () =>
      validate(
        toSeconds(interval) > 0 && toSeconds(interval) % 10 === 0,
        () =>
          `group "${name}" in ${path} has the interval "${interval}": use a multiple of 10 s, such as 30s or 1m`,
      ),
    ...rules.map((rule) => () => {
      const what = `alert "${rule?.alert}" in ${path}`;
      checkDeclared(ruleSchema, rule, what);
      const problems = [...problemsOf(rule, repositoryRoot)];
      if (problems.length > 0) {
        throw new ValidationError(problems.map((problem) => `${what} ${problem}`));
      }
    }),
  );
}

function* problemsOf(
  { alert, expr, annotations, ...rule }: AlertRule,
  repositoryRoot: string,
): Generator<string> {
  if (!/^[A-Z][A-Za-z0-9]{0,39}$/.test(alert)) {
    yield "needs a name of at most 40 letters and digits that starts with an uppercase letter";
  }
  const error = syntaxErrorOf("PromQL", expr);
  if (error) {
    yield `has an expression that is ${error}: correct expr`;
  }
  const [unnamed] = unnamedMetrics(expr);
  if (unnamed) {
    yield `reads ${unnamed} of every container of the Docker engine: limit it to the platform's containers with * ${NAMED_CONTAINERS}`;
  }
  for (const key of ["for", "keep_firing_for"] as const) {
    const value = rule[key];
    if (value !== undefined && Number.isNaN(toSeconds(value))) {
      yield `has ${key} "${value}": use a number with s, m or h, such as 5m`;
    }
  }
  const runbook = statSync(join(repositoryRoot, annotations.runbook), { throwIfNoEntry: false });
  if (!runbook?.isFile()) {
    yield `has the runbook "${annotations.runbook}", which does not exist: write that page`;
  }
}

/** A text that is not empty. */
function text(expected: string) {
  return v.pipe(v.string(expected), v.nonEmpty(expected));
}

/** Returns the seconds of a duration with one unit, such as `5m`, or NaN if it is invalid. */
export function toSeconds(duration: string): number {
  const [, number, unit] = /^(\d+)([smh])$/.exec(duration) ?? [];
  return Number(number) * { s: 1, m: 60, h: 3600 }[unit as "s" | "m" | "h"];
}
