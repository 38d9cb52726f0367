import * as v from "valibot";
import { checkDeclared, type Declared, object } from "../container/declaration";
import { all, validate } from "../container/validation";
import { NAMED_CONTAINERS, syntaxErrorOf, unnamedMetrics } from "../grafana/query";

const recordingRuleSchema = object(
  {
    /** The name of the metric that is recorded. */
    record: v.string(),

    /** A PromQL query. Its result is recorded. */
    expr: v.string("a PromQL query"),

    /**
     * The labels that every series gets.
     *
     * @default - only those of the result
     */
    labels: v.optional(v.record(v.string(), v.string())),
  },
  "an unsupported property",
);

/** A rule that records the result of a query as a metric (https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/). */
export type RecordingRule = Declared<typeof recordingRuleSchema>;

/** A group of recording rules that Prometheus evaluates one after another. */
export interface RecordingGroup {
  /** The name, unique among groups. */
  readonly name: string;
  /** The time between two evaluations, such as `30s`. */
  readonly interval: string;
  /** The rules, evaluated one at a time. */
  readonly rules: readonly RecordingRule[];
}

/** Throws if a recording rule is invalid. Messages start with `what`. */
export function validateRecordingRule(rule: RecordingRule, what: string): void {
  checkDeclared(recordingRuleSchema, rule, what);
  const { record, expr } = rule;
  const error = syntaxErrorOf("PromQL", expr);
  const [unnamed] = unnamedMetrics(expr);
  all(
    () =>
      validate(
        /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(record),
        () => `${what} needs a name of letters, digits, "_" and ":" that starts with no digit`,
      ),
    () =>
      validate(
        !record.startsWith("groundwork_"),
        () => `${what} has a name that Groundwork's own metrics have: start it with something else`,
      ),
    () =>
      validate(
        error === undefined,
        () => `${what} has an expression that is ${error}: correct expr`,
      ),
    () =>
      validate(
        unnamed === undefined,
        () =>
          `${what} reads ${unnamed} of every container of the Docker engine: limit it to the platform's containers with * ${NAMED_CONTAINERS}`,
      ),
  );
}

/** Renders a rule file of Prometheus, as JSON, which is valid YAML. */
export function renderRecordingGroups(groups: readonly RecordingGroup[]): string {
  return `${JSON.stringify({ groups }, null, 2)}\n`;
}

/** Parses what `renderRecordingGroups` renders. */
export function parseRecordingGroups(text: string): readonly RecordingGroup[] {
  return JSON.parse(text).groups;
}

/** The path of the rule file in Prometheus' container. */
export const RECORDING_FILE = "/etc/prometheus/recording.json";
