import { type Document, parseAllDocuments, stringify } from "yaml";
import { ValidationError } from "../../constructs/container/validation";
import { refusalOfTemplate } from "../../constructs/grafana/alert-template";
import { toSeconds } from "../../constructs/grafana/duration";
import { syntaxErrorOf, unnamedMetrics } from "../../constructs/grafana/query";
import { validateRecordingRule } from "../../constructs/prometheus/recording-rule";
import type { Json } from "../synthesis/tree";
import { CommandError } from "../terminal/terminal";
import { joinContainers } from "./container-metrics";
import { renderRunbook } from "./runbook";

/** The names that other rule files have. */
export interface TakenNames {
  readonly alerts: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
}

/** A rule file that the platform accepts. */
export interface ConvertedRules {
  readonly content: string;
  /** The runbooks that the alerts need, by path. */
  readonly runbooks: ReadonlyMap<string, string>;
  readonly alerts: number;
  readonly recordings: number;
  readonly changes: readonly string[];
  readonly lost: readonly string[];
}

/** Severities of other projects. */
const SEVERITIES: Readonly<Record<string, RegExp>> = {
  critical: /^(crit|page|emerg|fatal|error|high|major|disaster|p[01])/i,
  info: /^(info|none|low|notice|minor|p[45])/i,
};

const GROUP_KEYS = ["name", "interval", "rules", "labels"];
const ALERT_KEYS = ["alert", "expr", "for", "keep_firing_for", "labels", "annotations"];

/** Returns the groups of a rule file, or of Kubernetes' PrometheusRule, or undefined if a text is none. */
export function groupsIn(text: string): Json[] | undefined {
  const documents = parseAllDocuments(text, { merge: true }) as Document.Parsed[];
  const contents: Json[] = documents.map((document) => {
    const [error] = document.errors;
    if (error) {
      const { line, col } = error.linePos?.[0] ?? { line: 1, col: 1 };
      throw new CommandError(`${line}:${col} is not valid YAML: ${error.message.split("\n")[0]}`);
    }
    return document.toJS();
  });
  const found = contents.flatMap((content) => content?.groups ?? content?.spec?.groups ?? []);
  return found.length > 0 && found.every((group) => Array.isArray(group?.rules))
    ? found
    : undefined;
}

/** Converts the rules of another Prometheus. Those that cannot be converted stay in the file as a comment. */
export function convertRules(
  groups: readonly Json[],
  name: string,
  taken: TakenNames,
): ConvertedRules {
  return new Conversion(name, taken).result(groups);
}

class Conversion {
  private readonly changes = new Set<string>();
  private readonly lost: string[] = [];
  private readonly comments: string[] = [];
  private readonly runbooks = new Map<string, string>();
  private readonly alerts: Set<string>;
  private readonly groups: Set<string>;
  private recordings = 0;

  constructor(
    private readonly name: string,
    taken: TakenNames,
  ) {
    this.alerts = new Set(taken.alerts);
    this.groups = new Set(taken.groups);
  }

  result(groups: readonly Json[]): ConvertedRules {
    const converted = groups
      .map((group) => this.group(group))
      .filter(({ rules }) => rules.length > 0);
    if (converted.length === 0) {
      throw new CommandError(
        [`no rule of ${this.name} can be imported:`, ...this.lost.map((one) => `- ${one}`)].join(
          "\n",
        ),
      );
    }
    const comment = this.comments.join("\n").replace(/^/gm, "# ").replace(/ +$/gm, "");
    return {
      content: `${stringify({ groups: converted }, { lineWidth: 100 })}${this.comments.length > 0 ? `\n${comment}\n` : ""}`,
      runbooks: this.runbooks,
      alerts: this.runbooks.size,
      recordings: this.recordings,
      changes: [...this.changes],
      lost: this.lost,
    };
  }

  private group(group: Json): Json {
    const name = unique(
      String(group.name ?? this.name),
      this.groups,
      (one) => `${this.name}-${one}`,
    );
    const dropped = Object.keys(group).filter((key) => !GROUP_KEYS.includes(key));
    if (dropped.length > 0) {
      this.lost.push(`group "${name}": ${dropped.join(", ")}, which Grafana does not support`);
    }
    return {
      name,
      interval: this.interval(group.interval, name),
      rules: group.rules.flatMap((rule: Json) => this.rule(rule, group.labels) ?? []),
    };
  }

  /** Grafana evaluates every 10 s, or a multiple of that. */
  private interval(interval: unknown, group: string): string {
    const seconds = toSeconds(String(interval ?? "1m"));
    const rounded = Math.max(10, Math.ceil((seconds || 60) / 10) * 10);
    if (rounded === seconds) {
      return String(interval ?? "1m");
    }
    this.changes.add(`group "${group}": interval ${interval} -> ${rounded}s`);
    return `${rounded}s`;
  }

  private rule(rule: Json, groupLabels: Json): Json | undefined {
    try {
      return rule?.record === undefined
        ? this.alert(rule, groupLabels)
        : this.recording(rule, groupLabels);
    } catch (error) {
      if (!(error instanceof ValidationError)) {
        throw error;
      }
      this.lost.push(error.message);
      this.comments.push(`Not imported: ${error.message}`, stringify([rule]));
    }
  }

  private recording(rule: Json, groupLabels: Json): Json {
    const labels = texts({ ...groupLabels, ...rule.labels });
    const recording = {
      record: String(rule.record),
      expr: this.expr(String(rule.expr)),
      ...(Object.keys(labels).length > 0 && { labels }),
    };
    validateRecordingRule(recording, `recording rule "${rule.record}"`);
    this.recordings += 1;
    return recording;
  }

  private alert(rule: Json, groupLabels: Json): Json {
    if (rule?.alert === undefined) {
      throw new ValidationError("a rule has neither alert nor record");
    }
    const what = `alert "${rule.alert}"`;
    const expr = this.expr(String(rule.expr ?? ""));
    const error = syntaxErrorOf("PromQL", expr);
    if (error || expr.trim() === "") {
      throw new ValidationError(`${what}: its expression is ${error ?? "missing"}`);
    }
    const [unnamed] = unnamedMetrics(expr);
    if (unnamed) {
      throw new ValidationError(
        `${what}: it reads ${unnamed} of every container, see docs/how-to/dashboard.md`,
      );
    }
    for (const key of ["for", "keep_firing_for"]) {
      if (rule[key] !== undefined && !Number.isInteger(toSeconds(String(rule[key])))) {
        throw new ValidationError(`${what}: ${key} is "${rule[key]}", which is no duration`);
      }
    }
    const labels = this.labels({ ...groupLabels, ...rule.labels }, what);
    const alert = this.alertName(String(rule.alert), labels.severity);
    const annotations = this.annotations(texts(rule.annotations ?? {}), alert, what);
    this.runbooks.set(annotations.runbook, renderRunbook(alert, expr, annotations));
    const dropped = Object.keys(rule).filter((key) => !ALERT_KEYS.includes(key));
    if (dropped.length > 0) {
      this.lost.push(`${what}: ${dropped.join(", ")}, which Grafana does not support`);
    }
    return {
      alert,
      expr,
      ...(rule.for !== undefined && { for: String(rule.for) }),
      ...(rule.keep_firing_for !== undefined && { keep_firing_for: String(rule.keep_firing_for) }),
      labels,
      annotations,
    };
  }

  private expr(given: string): string {
    const joined = joinContainers(given);
    if (joined !== given) {
      this.changes.add("container metrics are joined with groundwork_container_info");
    }
    return joined;
  }

  private labels(given: Json, what: string): Record<string, string> {
    const { severity, ...others } = this.supported(texts(given), what, "labels");
    const known = ["critical", "warning", "info"].includes(severity);
    const mapped = known
      ? severity
      : (Object.keys(SEVERITIES).find((one) => SEVERITIES[one].test(severity ?? "")) ?? "warning");
    if (!known) {
      this.changes.add(`severity ${severity ?? "missing"} -> ${mapped}`);
    }
    return { severity: mapped, ...others };
  }

  private alertName(name: string, severity: string): string {
    const camel = name
      .split(/[^A-Za-z0-9]+/)
      .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
      .join("")
      .replace(/^(?=\d|$)/, "Alert")
      .slice(0, 40);
    const suffix = severity.slice(0, 1).toUpperCase() + severity.slice(1);
    const alert = unique(
      camel,
      this.alerts,
      (one) => `${one.slice(0, 40 - suffix.length)}${suffix}`,
    );
    if (alert !== name) {
      this.changes.add(`alert "${name}" -> ${alert}`);
    }
    return alert;
  }

  private annotations(given: Record<string, string>, alert: string, what: string): Json {
    const { summary, runbook, ...others } = this.supported(given, what, "annotations");
    const [first] = [summary, others.message, others.title, others.description].filter((text) =>
      text?.trim(),
    );
    if (!summary?.trim()) {
      this.changes.add(
        "missing summaries: the message or the description of the alert, or its name",
      );
    }
    return {
      summary: first ?? `${alert} fires`,
      ...others,
      ...(runbook && /^https?:/.test(runbook) && { runbook_url: runbook }),
      runbook: `docs/runbooks/${alert}.md`,
    };
  }

  /** Returns the texts that Grafana renders. */
  private supported(
    given: Record<string, string>,
    what: string,
    where: string,
  ): Record<string, string> {
    return Object.fromEntries(
      Object.entries(given).filter(([name, text]) => {
        const refusal = refusalOfTemplate(text);
        if (refusal) {
          this.lost.push(`${what}: ${where}.${name}, which ${refusal}`);
          this.comments.push(`Not imported: ${what}: ${where}.${name}`, text);
        }
        return refusal === undefined;
      }),
    );
  }
}

/** Returns a name that is not taken, and takes it. */
function unique(name: string, taken: Set<string>, other: (name: string) => string): string {
  let free = taken.has(name) ? other(name) : name;
  for (let i = 2; taken.has(free); i++) {
    free = `${other(name).slice(0, 40 - String(i).length)}${i}`;
  }
  taken.add(free);
  return free;
}

/** Labels and annotations are texts, also those that YAML reads as numbers. */
function texts(given: Json): Record<string, string> {
  return Object.fromEntries(
    Object.entries(given ?? {})
      .filter(([, value]) => value !== null && typeof value !== "object")
      .map(([name, value]) => [name, String(value)]),
  );
}
