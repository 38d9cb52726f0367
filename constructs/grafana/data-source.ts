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

/** By which Grafana knows a secured data source, and shows it who it is: paths of PEM files in its container. */
export interface DataSourceTls {
  readonly caBundle: string;
  /** Key and certificate. */
  readonly keyPair: string;
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
export function renderDataSources(dataSources: readonly DataSource[], tls?: DataSourceTls): string {
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
      jsonData: {
        ...(uid === "prometheus" && { httpMethod: "POST", timeInterval: "15s" }),
        ...(tls && { tlsAuth: true, tlsAuthWithCACert: true }),
      },
      ...(tls && {
        // Grafana itself reads the files.
        secureJsonData: {
          tlsCACert: `$__file{${tls.caBundle}}`,
          tlsClientCert: `$__file{${tls.keyPair}}`,
          tlsClientKey: `$__file{${tls.keyPair}}`,
        },
      }),
    })),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}
