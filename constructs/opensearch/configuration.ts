import { parse } from "yaml";
import { readOwnFile, type UploadedFile } from "../container/file";
import { SIDECAR_DIR } from "../init-sidecar/sidecar-dir";
import { configurationFile } from "./tls";

/** The directory with the configuration of the security plugin, which configuration.sh reads. */
export const CONFIGURATION_DIR = `${SIDECAR_DIR}/configuration`;

/** Renders the configuration that os-security applies, and the one that a cluster has from its first start. */
export function renderConfiguration(cluster: string): UploadedFile[] {
  const { http, authc } = parse(configurationFile("config", cluster)).config.dynamic;
  const { certificate, password } = authc;
  const listeners = Object.entries<object>(declared("authfailurelisteners"));
  return [
    renderFile("audit.config.part", declared("audit").config),
    renderFile("audit.config.initial", parse(configurationFile("audit", cluster)).config),
    renderFile(`${CERTIFICATE_DOMAIN}.part`, certificate),
    renderFile(`${CERTIFICATE_DOMAIN}.initial`, withoutSkippedUsers(certificate)),
    // Every version starts a cluster with these.
    ...Object.entries({ "authc.password": password, http }).flatMap(([name, body]) =>
      ["part", "initial"].map((kind) => renderFile(`${DYNAMIC}.${name}.${kind}`, body)),
    ),
    ...listeners.map(([name, body]) => renderFile(`authfailurelisteners.${name}.part`, body)),
  ];
}

/** The parts that say who a client is. */
const DYNAMIC = "securityconfig.config.dynamic";

/** The part that says which name a certificate gives its client. */
const CERTIFICATE_DOMAIN = `${DYNAMIC}.authc.certificate`;

/** Returns the domain of clusters that an earlier version started. It knew clients by their common name alone. */
function withoutSkippedUsers({ http_authenticator, ...domain }: CertificateDomain): object {
  const { skip_users: _, ...config } = http_authenticator.config;
  return { ...domain, http_authenticator: { ...http_authenticator, config } };
}

interface CertificateDomain {
  readonly http_authenticator: { readonly config: Readonly<Record<string, unknown>> };
}

// biome-ignore lint/suspicious/noExplicitAny: the configuration's schema is the security plugin's
const declared = (name: string): any => parse(readOwnFile(__dirname, `configuration/${name}.yml`));

const renderFile = (name: string, body: object): UploadedFile => ({
  path: `${CONFIGURATION_DIR}/${name}.json`,
  content: `${JSON.stringify(body, null, 2)}\n`,
});
