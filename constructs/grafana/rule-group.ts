import { RuleGroup as RuleGroupResource } from "@cdktf/provider-grafana/lib/rule-group";
import { Construct } from "constructs";
import { escapeTemplate } from "../container/file";
import { type AlertGroup, type AlertRule, toSeconds } from "./alert-group";

export interface RuleGroupProps {
  /** The rules. */
  readonly group: AlertGroup;

  /** Uid of the folder that Grafana shows the rules in. */
  readonly folderUid: string;

  /** Uid of the data source that answers PromQL. */
  readonly dataSourceUid: string;
}

/** A group of Prometheus' alerting rules, evaluated by Grafana. */
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
 * As Grafana itself takes over a rule of Prometheus
 * (https://grafana.com/docs/grafana/latest/alerting/alerting-rules/alerting-migration/): every series of the query's result
 * fires, whatever its value, and no series is no alert.
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
    // The data source does not answer: that is an alert too.
    execErrState: "Error",
    missingSeriesEvalsToResolve: 1,
    labels: { ...labels },
    // Grafana's templates have the value of each query by its name.
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
