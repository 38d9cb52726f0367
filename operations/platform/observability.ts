import { type INetwork, lokiUrl } from "../../constructs";
import { GRAFANA_ASK } from "../../constructs/grafana/grafana";
import { promtoolAsChecks } from "../../constructs/prometheus/prometheus";
import type { Outcome } from "../engine/docker";
import type { Exec } from "./cluster";
import type { OpenSearch } from "./open-search";

/** Asks Prometheus, by the promtool of its image. */
export class Prometheus {
  constructor(private readonly props: { readonly secured: boolean; readonly exec: Exec }) {}

  /** What an instant query in PromQL answers, as JSON. */
  query(promQl: string): Promise<Outcome> {
    const { secured, exec } = this.props;
    const { switches, url } = promtoolAsChecks(secured);
    const promtool = ["promtool", "query", "instant", "--format", "json"];
    return exec("prometheus", [...promtool, ...switches, url, promQl]);
  }
}

export interface LokiProps {
  readonly infraNetwork: INetwork;
  readonly secured: boolean;
  /** Loki's image has no client. */
  readonly through: OpenSearch;
}

/** Asks Loki. */
export class Loki {
  constructor(private readonly props: LokiProps) {}

  /** What the HTTP API answers for a path. An HTTP error is a failure. */
  get(path: string): Promise<Outcome> {
    const { infraNetwork, secured, through } = this.props;
    return through.fetch(`${lokiUrl(secured, infraNetwork)}${path}`);
  }
}

/** Asks Grafana as its administrator, whose password stays inside the container. */
export class Grafana {
  constructor(private readonly exec: Exec) {}

  /** What the HTTP API answers for a path. */
  get(path: string): Promise<Outcome> {
    return this.exec("grafana", [...GRAFANA_ASK, path]);
  }
}
