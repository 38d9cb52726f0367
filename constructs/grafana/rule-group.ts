import { RuleGroup as RuleGroupResource } from "@cdktf/provider-grafana/lib/rule-group";
import { Construct } from "constructs";
import { escapeTemplate } from "../container/file";
import type { AlertGroup, AlertRule } from "./alert-group";
import { toGrafanaTemplate } from "./alert-template";
import { toSeconds } from "./duration";

export interface RuleGroupProps {
  /** The group of rules. */
  readonly group: AlertGroup;

  /** The uid of the folder in which Grafana shows the rules. */
  readonly folderUid: string;

  /** The uid of the data source for PromQL. */
  readonly dataSourceUid: string;
}

/** A group of Prometheus' alerting rules that Grafana evaluates. */
export class RuleGroup extends Construct {
  constructor(scope: Construct, id: string, { group, folderUid, dataSourceUid }: RuleGroupProps) {
    super(scope, id);
    new RuleGroupResource(this, "Resource", {
      name: escapeTemplate(group.name),
      folderUid,
      intervalSeconds: toSeconds(group.interval),
      rule: group.rules.map((rule) => renderRule(rule, dataSourceUid)),
    });
  }
}

/**
 * Renders a rule as Grafana imports one from Prometheus
 * (https://grafana.com/docs/grafana/latest/alerting/alerting-rules/alerting-migration/): every series of the query's result fires,
 * whatever its value. No series means no alert.
 */
function renderRule(
  { alert, expr, for: hold, keep_firing_for: keepFiringFor, labels, annotations }: AlertRule,
  dataSourceUid: string,
) {
  const fires = "is_number($query) || is_nan($query) || is_inf($query)";
  return {
    uid: alert,
    name: alert,
    for: toGoDuration(hold ?? "0s"),
    keepFiringFor: keepFiringFor && toGoDuration(keepFiringFor),
    condition: "threshold",
    noDataState: "OK",
    // A data source that does not answer is an alert too.
    execErrState: "Error",
    missingSeriesEvalsToResolve: 1,
    labels: renderTexts(labels),
    annotations: renderTexts(annotations),
    data: [
      {
        refId: "query",
        datasourceUid: dataSourceUid,
        relativeTimeRange: { from: 600, to: 0 },
        model: renderModel({ refId: "query", expr, instant: true, range: false }),
      },
      {
        refId: "fires",
        datasourceUid: "__expr__",
        relativeTimeRange: { from: 0, to: 0 },
        model: renderModel({ refId: "fires", type: "math", expression: fires }),
      },
      {
        refId: "threshold",
        datasourceUid: "__expr__",
        relativeTimeRange: { from: 0, to: 0 },
        model: renderModel({
          refId: "threshold",
          type: "threshold",
          expression: "fires",
          conditions: [{ evaluator: { type: "gt", params: [0] } }],
        }),
      },
    ],
  };
}

/** Terraform would evaluate keys and values. */
function renderTexts(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [
      escapeTemplate(name),
      escapeTemplate(toGrafanaTemplate(text)),
    ]),
  );
}

/** Renders what Go does not parse, such as `1d`, in seconds. */
function toGoDuration(duration: string): string {
  return /^\d+[smh]$/.test(duration) ? duration : `${toSeconds(duration)}s`;
}

function renderModel(model: object): string {
  return escapeTemplate(JSON.stringify(model));
}
