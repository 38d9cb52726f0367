import type { Loki } from "../loki/loki";
import type { Prometheus } from "../prometheus/prometheus";
import type { QueryLanguage } from "./query";

/** Where Grafana asks. The uid is fixed, so that dashboards and rules can refer to it. */
export interface DataSource {
  /** By which dashboards and alerts refer to it. */
  readonly uid: "prometheus" | "loki";
  /** What Grafana calls it. */
  readonly name: string;
  /** Base URL on Grafana's network. */
  readonly url: string;
}

/** The language of every data source that exists here, by uid. */
export const DATA_SOURCE_LANGUAGES: Readonly<Record<string, QueryLanguage>> = {
  prometheus: "PromQL",
  loki: "LogQL",
} satisfies Record<DataSource["uid"], QueryLanguage>;

export function prometheusDataSource({ url }: Prometheus): DataSource {
  return { uid: "prometheus", name: "Prometheus", url };
}

export function lokiDataSource({ url }: Loki): DataSource {
  return { uid: "loki", name: "Loki", url };
}

/** Grafana's provisioning file. JSON is YAML too. */
export function renderDataSources(dataSources: readonly DataSource[]): string {
  const file = {
    apiVersion: 1,
    // One that is not declared any more goes.
    prune: true,
    datasources: dataSources.map(({ uid, name, url }) => ({
      uid,
      name,
      url,
      type: uid,
      access: "proxy",
      isDefault: uid === "prometheus",
      editable: false,
      // Alloy's scrape interval: the least that a rate can be taken over.
      jsonData: uid === "prometheus" ? { httpMethod: "POST", timeInterval: "15s" } : {},
    })),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}
