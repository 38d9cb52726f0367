import { readdirSync, readFileSync, statSync } from "node:fs";
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
import { all, ValidationError, validate, validateDistinct } from "../container/validation";
import { NAMED_CONTAINERS, syntaxErrorOf, unnamedMetrics } from "./query";

const severitySchema = v.picklist(["critical", "warning", "info"]);

export type Severity = Declared<typeof severitySchema>;

const NOT_IN_GRAFANA = "Grafana would not get";

/** What Grafana has too of Prometheus' format. */
const ruleSchema = object(
  {
    /** Name of the alert, and of its runbook. */
    alert: v.string(),

    /** PromQL; every series of its result is an alert. */
    expr: text("a PromQL query"),

    /**
     * How long the result has to stay before the alert fires.
     *
     * @default - at once
     */
    for: v.optional(v.string()),

    /**
     * How long the alert goes on firing when the result is gone.
     *
     * @default - it ends at once
     */
    keep_firing_for: v.optional(v.string()),

    /** What routes look at; of any other name, too. */
    labels: objectWith(
      {
        /** How bad it is, and so who is told. */
        severity: severitySchema,
      },
      v.string(),
    ),

    /** Of any other name, such as `description`, too: they are handed on. */
    annotations: objectWith(
      {
        /** One sentence that names the thing. */
        summary: text("a sentence that says what is wrong and what is affected"),
        /** Page of this repository that says what to do. */
        runbook: text("the path of its runbook, such as docs/runbooks/InitFailed.md"),
      },
      v.string(),
    ),
  },
  NOT_IN_GRAFANA,
);

const groupSchema = object(
  {
    /** Unique among the groups. */
    name: text("a name"),

    /** Between two evaluations, such as `30s`; a multiple of 10 s. */
    interval: v.string(),

    /** Evaluated together, one after the other. */
    rules: v.array(anyObject<AlertRule>()),
  },
  NOT_IN_GRAFANA,
);

export type AlertRule = Declared<typeof ruleSchema>;

/**
 * A group of alerting rules in Prometheus' own format
 * (https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/), so that `promtool` can check and test them.
 */
export type AlertGroup = Declared<typeof groupSchema>;

/** Every group of every `*.yml` of a directory. Runbooks are looked for from the repository's root. */
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
  const document = parseDocument(readFileSync(path, "utf8"));
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
    // Such as an alias of nothing.
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

/** A text that says something. */
function text(expected: string) {
  return v.pipe(v.string(expected), v.nonEmpty(expected));
}

/** Seconds of a duration with one unit, or NaN. */
export function toSeconds(duration: string): number {
  const [, number, unit] = /^(\d+)([smh])$/.exec(duration) ?? [];
  return Number(number) * { s: 1, m: 60, h: 3600 }[unit as "s" | "m" | "h"];
}
