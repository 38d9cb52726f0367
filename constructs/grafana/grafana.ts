import { Construct } from "constructs";
import type { INetwork } from "../network/network";
import { readOwnFile } from "../service/file";
import { ServiceContainer } from "../service/service-container";
import { ServiceImage } from "../service/service-image";
import type { IDataVolume } from "../storage/data-volume";
import type { DashboardProvider } from "./dashboard-provider";
import { type DataSource, renderDataSources } from "./data-source";

export const GRAFANA_IMAGE = "grafana/grafana:13.1.0";

const PORT = 3000;

/** Where Grafana sends e-mail through. */
export interface Smtp {
  /** Host and port, as in `smtp.example.org:587`. */
  readonly host: string;

  /** Sender's address. */
  readonly fromAddress: string;
}

export interface GrafanaProps {
  /** Network on which it reaches its data sources. */
  readonly network: INetwork;

  /** Users, preferences and alert history. */
  readonly dataVolume: IDataVolume;

  /** What the dashboards query. */
  readonly dataSources: readonly DataSource[];

  /** What Grafana shows. */
  readonly dashboards: DashboardProvider;

  /** Password of the user `admin`, a value that Terraform computes; Grafana takes it over when its database is made. */
  readonly adminPassword: string;

  /**
   * Port on 127.0.0.1.
   *
   * @default - nothing is published on the host
   */
  readonly hostPort?: number;

  /**
   * Where it sends e-mail through.
   *
   * @default - Grafana sends no e-mail
   */
  readonly smtp?: Smtp;
}

/** Grafana with its dashboards and data sources from files. Container `grafana`. */
export class Grafana extends Construct {
  readonly container: ServiceContainer;

  constructor(scope: Construct, id: string, props: GrafanaProps) {
    super(scope, id);
    this.container = new ServiceContainer(this, "Container", {
      name: "grafana",
      image: ServiceImage.of(this, GRAFANA_IMAGE),
      tier: "small",
      metricsPort: PORT,
      networks: [props.network],
      volumes: { "/var/lib/grafana": props.dataVolume },
      ports: props.hostPort ? [{ containerPort: PORT, hostPort: props.hostPort }] : [],
      files: [
        { path: "/etc/grafana/grafana.ini", content: readOwnFile(__dirname, "grafana.ini") },
        {
          path: "/etc/grafana/provisioning/datasources/groundwork.yaml",
          content: renderDataSources(props.dataSources),
        },
        ...props.dashboards.files,
      ],
      env: {
        GF_SECURITY_ADMIN_PASSWORD: props.adminPassword,
        ...(props.smtp && {
          GF_SMTP_ENABLED: "true",
          GF_SMTP_HOST: props.smtp.host,
          GF_SMTP_FROM_ADDRESS: props.smtp.fromAddress,
        }),
      },
      healthCheck: {
        command: ["wget", "-q", "-O", "/dev/null", `http://127.0.0.1:${PORT}/api/health`],
      },
    });
  }
}
