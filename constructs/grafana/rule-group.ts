import { RuleGroup as RuleGroupResource } from "@cdktf/provider-grafana/lib/rule-group";
import { Construct } from "constructs";
import { escapeTemplate } from "../container/file";
import { type AlertGroup, type AlertRule, toSeconds } from "./alert-group";

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
      name: group.name,
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
    for: hold ?? "0s",
    keepFiringFor,
    condition: "threshold",
    noDataState: "OK",
    // A data source that does not answer is an alert too.
    execErrState: "Error",
    missingSeriesEvalsToResolve: 1,
    labels: { ...labels },
    // Grafana's templates name the value of each query.
    annotations: Object.fromEntries(
      Object.entries(annotations).map(([name, text]) => [
        name,
        escapeTemplate(text.replaceAll("$value", "$values.query.Value")),
      ]),
    ),
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

function renderModel(model: object): string {
  return escapeTemplate(JSON.stringify(model));
}
