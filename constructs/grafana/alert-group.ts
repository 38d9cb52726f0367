import { statSync } from "node:fs";
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
import { filesIn } from "../container/file";
import { readTextFile } from "../container/text-file";
import {
  all,
  firstProblems,
  ValidationError,
  validate,
  validateDistinct,
} from "../container/validation";
import { type RecordingRule, validateRecordingRule } from "../prometheus/recording-rule";
import { refusalOfTemplate } from "./alert-template";
import { toSeconds } from "./duration";
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

    /**
     * The time between two evaluations, such as `30s`: a multiple of 10 s.
     *
     * @default "1m", Prometheus' default
     */
    interval: v.optional(v.string()),

    /** The alerting and recording rules, evaluated at the same interval, one at a time. */
    rules: v.array(anyObject<AlertRule | RecordingRule>()),
  },
  NOT_IN_GRAFANA,
);

export type AlertRule = Declared<typeof ruleSchema>;

/** A group as it is in a file, with both kinds of rules. */
type ParsedGroup = Declared<typeof groupSchema>;

/**
 * A group of rules in Prometheus' format
 * (https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/), which `promtool` can check and test.
 */
export interface AlertGroup {
  /** The name, unique among groups. */
  readonly name: string;
  /** The time between two evaluations. */
  readonly interval: string;
  /** The alerting rules, which Grafana evaluates. */
  readonly rules: readonly AlertRule[];
  /**
   * The recording rules, which Prometheus evaluates.
   *
   * @default - none
   */
  readonly recordingRules?: readonly RecordingRule[];
}

const EXTENSIONS = [".yml", ".yaml"];

/**
 * Returns every group of every `*.yml` and `*.yaml` of a directory and its subdirectories. Throws if a rule is invalid, a name is used
 * twice, a runbook does not exist below the repository's root, or another file is there.
 */
export function readAlertGroups(directory: string, repositoryRoot: string): AlertGroup[] {
  const files = filesIn(directory, EXTENSIONS, "alert rules");
  const groups = all(
    ...files.map(
      (file) => () =>
        firstProblems(`alert rules ${file}`, () => readAlertFile(file, repositoryRoot)),
    ),
  ).flat();
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
  const groups = parseRules(readTextFile(path, "alert rules"), path);
  return all(...groups.map((group) => () => validateGroup(group, path, repositoryRoot)));
}

/** Parses the groups of a rule file, without a look at the rules. */
function parseRules(text: string, path: string): ParsedGroup[] {
  // Prometheus reads merge keys, "<<".
  const document = parseDocument(text, { merge: true });
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
  return groups;
}

function contentOf(document: Document, path: string): { groups?: ParsedGroup[] } {
  try {
    return document.toJS() ?? {};
  } catch (error) {
    // Such as an undefined alias.
    throw new ValidationError(
      `alert rules ${path} are not valid YAML: ${(error as Error).message}`,
    );
  }
}

function validateGroup(group: ParsedGroup, path: string, repositoryRoot: string): AlertGroup {
  const { name, interval = "1m", rules } = group;
  checkDeclared(groupSchema, group, `group "${name}" in ${path}`);
  all(
    () =>
      validate(
        toSeconds(interval) > 0 && toSeconds(interval) % 10 === 0,
        () =>
          `group "${name}" in ${path} has the interval "${interval}": use a multiple of 10 s, such as 30s or 1m`,
      ),
    ...rules.map((rule, i) => () => {
      if ("record" in rule && !("alert" in rule)) {
        validateRecordingRule(rule, `recording rule "${rule.record}" in ${path}`);
      } else if ("alert" in rule && !("record" in rule)) {
        validateRule(rule, `alert "${rule.alert}" in ${path}`, repositoryRoot);
      } else {
        throw new ValidationError(
          `rule ${i + 1} of group "${name}" in ${path} needs either alert or record: name the alert, or the metric that it records`,
        );
      }
    }),
  );
  const recordingRules = rules.filter((rule) => "record" in rule);
  return {
    name,
    interval,
    rules: rules.filter((rule) => "alert" in rule),
    ...(recordingRules.length > 0 && { recordingRules }),
  };
}

function validateRule(rule: AlertRule, what: string, repositoryRoot: string): void {
  checkDeclared(ruleSchema, rule, what);
  const problems = [...problemsOf(rule, repositoryRoot)];
  if (problems.length > 0) {
    throw new ValidationError(problems.map((problem) => `${what} ${problem}`));
  }
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
    if (value !== undefined && !Number.isInteger(toSeconds(value))) {
      yield `has ${key} "${value}": use whole seconds, such as 30s, 5m or 1h30m`;
    }
  }
  for (const [key, texts] of Object.entries({ labels: rule.labels, annotations })) {
    for (const [name, template] of Object.entries(texts)) {
      const refusal = refusalOfTemplate(template);
      if (refusal) {
        yield `has ${key}.${name}, which ${refusal}`;
      }
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
