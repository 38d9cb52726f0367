import type { Loki } from "../loki/loki";
import type { Prometheus } from "../prometheus/prometheus";
import type { QueryLanguage } from "./query";

/** A data source of Grafana. Its uid is fixed, so that dashboards and rules can refer to it. */
export interface DataSource {
  /** The uid by which dashboards and alerts refer to it. */
  readonly uid: "prometheus" | "loki";
  /** Its name in Grafana. */
  readonly name: string;
  /** The base URL on Grafana's network. */
  readonly url: string;
}

/** The TLS files with which Grafana connects to a secured data source: paths of PEM files in Grafana's container. */
export interface DataSourceTls {
  readonly caBundle: string;
  /** The private key and the certificate. */
  readonly keyPair: string;
}

/** The query language of every data source, by uid. */
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

/** Renders Grafana's provisioning file, as JSON, which is valid YAML. */
export function renderDataSources(dataSources: readonly DataSource[], tls?: DataSourceTls): string {
  const file = {
    apiVersion: 1,
    // Deletes data sources that are no longer declared.
    prune: true,
    datasources: dataSources.map(({ uid, name, url }) => ({
      uid,
      name,
      url,
      type: uid,
      access: "proxy",
      isDefault: uid === "prometheus",
      editable: false,
      // Alloy's scrape interval, the minimum step of a rate.
      jsonData: {
        ...(uid === "prometheus" && { httpMethod: "POST", timeInterval: "15s" }),
        ...(tls && { tlsAuth: true, tlsAuthWithCACert: true }),
      },
      ...(tls && {
        // Grafana reads the files.
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
