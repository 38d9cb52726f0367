import { type INetwork, lokiUrl } from "../../constructs";
import { GRAFANA_ASK } from "../../constructs/grafana/grafana";
import { promtoolAsChecks } from "../../constructs/prometheus/prometheus";
import type { Outcome } from "../engine/docker";
import type { Exec } from "./cluster";
import type { OpenSearch } from "./open-search";

/** Queries Prometheus with the promtool of its image. */
export class Prometheus {
  constructor(private readonly props: { readonly secured: boolean; readonly exec: Exec }) {}

  /** Returns the result of an instant PromQL query as JSON. */
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
  /** Sends the requests, since Loki's image has no HTTP client. */
  readonly through: OpenSearch;
}

/** Queries Loki. */
export class Loki {
  constructor(private readonly props: LokiProps) {}

  /** Returns the response of the HTTP API for a path. An HTTP error is a failure. */
  get(path: string): Promise<Outcome> {
    const { infraNetwork, secured, through } = this.props;
    return through.fetch(`${lokiUrl(secured, infraNetwork)}${path}`);
  }
}

/** Queries Grafana as its administrator, whose password stays inside the container. */
export class Grafana {
  constructor(private readonly exec: Exec) {}

  /** Returns the response of the HTTP API for a path. */
  get(path: string): Promise<Outcome> {
    return this.exec("grafana", [...GRAFANA_ASK, path]);
  }
}
