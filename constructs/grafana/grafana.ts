import { Construct } from "constructs";
import { readOwnFile } from "../container/file";
import { ServiceContainer } from "../container/service-container";
import { ServiceImage } from "../container/service-image";
import { hostNamesOn } from "../network/host-name";
import type { INetwork } from "../network/network";
import { httpScheme, type Security, tlsFiles } from "../security/security";
import type { IDataVolume } from "../storage/data-volume";
import type { DashboardProvider } from "./dashboard-provider";
import { type DataSource, renderDataSources } from "./data-source";
import { type Oidc, renderOidc } from "./oidc";
import type { Smtp } from "./smtp";

export const GRAFANA_IMAGE = "grafana/grafana:13.1.0";

const PORT = 3000;

const ADMIN_PASSWORD_FILE = "/etc/grafana/admin-password";
const OIDC_CLIENT_SECRET_FILE = "/etc/grafana/oidc-client-secret";

const TLS_DIR = "/etc/grafana/tls";
const CA_BUNDLE = `${TLS_DIR}/ca-bundle.pem`;
const KEY_PAIR = `${TLS_DIR}/key-pair.pem`;

/** The command that requests a path of Grafana's API as the user `admin`, inside the container, and prints the response. */
export const GRAFANA_ASK = ["sh", "/groundwork/ask.sh"];

export interface GrafanaProps {
  /** The network on which Grafana reaches its data sources. */
  readonly network: INetwork;

  /** The volume for users, preferences and alert history. */
  readonly dataVolume: IDataVolume;

  /** The data sources that dashboards query. */
  readonly dataSources: readonly DataSource[];

  /** The dashboards that Grafana shows. */
  readonly dashboards: DashboardProvider;

  /**
   * The path of the file with the password of the user `admin`, relative to the stack's working folder: one line of printable
   * characters. Terraform reads it. A changed password takes effect once the container has been replaced.
   */
  readonly adminPasswordFile: string;

  /**
   * The image.
   *
   * @default GRAFANA_IMAGE
   */
  readonly image?: string;

  /**
   * The port on 127.0.0.1.
   *
   * @default - none: nothing is published on the host
   */
  readonly hostPort?: number;

  /**
   * The network through which the port is published, if `network` publishes none.
   *
   * @default - `network`
   */
  readonly hostNetwork?: INetwork;

  /**
   * The URL at which browsers reach Grafana, for links and logins.
   *
   * @default - the published port on `localhost`
   */
  readonly rootUrl?: string;

  /**
   * The identity provider with which people sign in. The user `admin` still signs in with its password. Terraform reads the client secret
   * from a file: its path is relative to the stack's working folder.
   *
   * @default - only the user `admin`, and users that it creates
   */
  readonly oidc?: Oidc & { readonly clientSecretFile: string };

  /**
   * The SMTP server for email.
   *
   * @default - Grafana sends no email
   */
  readonly smtp?: Smtp;

  /**
   * The certificates with which Grafana serves browsers and connects to its data sources, which must be secured with the same.
   *
   * @default - plaintext connections
   */
  readonly security?: Security;
}

/** Grafana, with dashboards and data sources from files. Container `grafana`. */
export class Grafana extends Construct {
  readonly container: ServiceContainer;

  constructor(scope: Construct, id: string, props: GrafanaProps) {
    super(scope, id);
    const { security } = props;
    const scheme = httpScheme(security !== undefined);
    const url = `${scheme}://127.0.0.1:${PORT}`;
    const published = props.hostPort && `${scheme}://localhost:${props.hostPort}`;
    const rootUrl = props.rootUrl ?? published;
    const tls = security && { caBundle: CA_BUNDLE, keyPair: KEY_PAIR };
    this.container = new ServiceContainer(this, "Container", {
      name: "grafana",
      image: ServiceImage.of(this, props.image ?? GRAFANA_IMAGE),
      tier: "small",
      metricsPort: PORT,
      networks: [
        ...new Set([
          ...(props.hostPort ? [props.hostNetwork ?? props.network] : []),
          props.network,
        ]),
      ],
      volumes: { "/var/lib/grafana": props.dataVolume },
      ports: props.hostPort ? [{ containerPort: PORT, hostPort: props.hostPort }] : [],
      files: [
        { path: "/etc/grafana/grafana.ini", content: readOwnFile(__dirname, "grafana.ini") },
        {
          path: "/etc/grafana/provisioning/datasources/groundwork.yaml",
          content: renderDataSources(props.dataSources, tls),
        },
        { path: "/groundwork/start.sh", content: readOwnFile(__dirname, "start.sh") },
        {
          path: "/groundwork/ask.sh",
          content: readOwnFile(__dirname, "ask.sh").replace("http:", `${scheme}:`),
        },
        ...(security
          ? [{ path: "/groundwork/.curlrc", content: readOwnFile(__dirname, "curlrc") }]
          : []),
        ...props.dashboards.files,
      ],
      // Grafana's user in its image is in root's group.
      secrets: [
        { path: ADMIN_PASSWORD_FILE, source: props.adminPasswordFile },
        ...(props.oidc
          ? [{ path: OIDC_CLIENT_SECRET_FILE, source: props.oidc.clientSecretFile }]
          : []),
        ...(security
          ? tlsFiles(security, "grafana", TLS_DIR, {
              hosts: hostNamesOn([props.network], "grafana"),
            })
          : []),
      ],
      entrypoint: ["sh", "/groundwork/start.sh", "/run.sh"],
      env: {
        // Grafana reads the file and expands nothing in it.
        GF_SECURITY_ADMIN_PASSWORD: `$__file{${ADMIN_PASSWORD_FILE}}`,
        ADMIN_PASSWORD_FILE,
        ...(security && {
          GF_SERVER_PROTOCOL: "https",
          GF_SERVER_CERT_FILE: KEY_PAIR,
          GF_SERVER_CERT_KEY: KEY_PAIR,
          GF_SECURITY_COOKIE_SECURE: "true",
          CURL_HOME: "/groundwork",
        }),
        ...(rootUrl && { GF_SERVER_ROOT_URL: `${rootUrl.replace(/\/$/, "")}/` }),
        ...(props.oidc && renderOidc(props.oidc, OIDC_CLIENT_SECRET_FILE)),
        ...(props.smtp && {
          GF_SMTP_ENABLED: "true",
          GF_SMTP_HOST: props.smtp.host,
          GF_SMTP_FROM_ADDRESS: props.smtp.fromAddress,
        }),
      },
      healthCheck: {
        command: security
          ? ["curl", "--fail", "--silent", "--output", "/dev/null", `${url}/api/health`]
          : ["wget", "-q", "-O", "/dev/null", `${url}/api/health`],
      },
    });
  }
}
