import { basename } from "node:path";
import { readOwnFile, type SecretFile, type UploadedFile } from "../container/file";
import { hostNamesOn } from "../network/host-name";
import type { INetwork } from "../network/network";
import { type Security, tlsFiles } from "../security/security";

/** The additional environment, files and secrets of a container in a secured cluster. */
interface TlsParts {
  readonly env: Readonly<Record<string, string>>;
  readonly files: readonly UploadedFile[];
  readonly secrets: readonly SecretFile[];
}

/** The administrator, which provisions users and roles. The security plugin allows it everything, without a role. */
export const ADMIN_PRINCIPAL = "os-admin";

const CONFIG_DIR = "/usr/share/opensearch/config";

/** The folder of a node's certificates. */
export const CERTIFICATES_DIR = `${CONFIG_DIR}/certificates`;

/**
 * Only the first start of a cluster reads these files, and it requires all but `audit`. os-security changes roles, the audit trail, the
 * limits of failed logins and the names of clients later: a change of these files replaces every node.
 */
const INITIAL_CONFIGURATION = [
  "action_groups",
  "audit",
  "config",
  "internal_users",
  "roles",
  "roles_mapping",
  "tenants",
];

/** The key pair of a node. */
const NODE_FILE = `${CERTIFICATES_DIR}/node.pem`;

const CA_BUNDLE_FILE = `${CERTIFICATES_DIR}/ca-bundle.pem`;

const CHECKS_FILE = `${CERTIFICATES_DIR}/checks.pem`;

const AS_CHECKS = ["--cert", CHECKS_FILE];

/** The options of curl in a node's container, to send requests as the node. */
export const CURL_AS_NODE = ["--cacert", CA_BUNDLE_FILE, "--cert", NODE_FILE];

/** The options of curl in a node's container, to send requests as a client that has a password and no certificate. */
export const CURL_AS_APPLICATION = ["--cacert", CA_BUNDLE_FILE];

/** The options of curl in a node's container, to send requests to other services as `checks`. */
export const CURL_AS_CHECKS = ["--cacert", CA_BUNDLE_FILE, ...AS_CHECKS];

/**
 * The options of curl in a node's container, to send requests to the node itself: curl trusts only the node's own certificate. Nodes of
 * every version have this file.
 */
export const CURL_NODE = ["--cacert", NODE_FILE];

/**
 * The same, as `checks`, whose file nodes of every version have too. A check that failed for want of a file would look like a node that
 * does not serve.
 */
export const CURL_NODE_AS_CHECKS = [...CURL_NODE, ...AS_CHECKS];

/** Returns the sources of a node's certificates, by their names in `CERTIFICATES_DIR`. */
export function nodeCertificateSources(
  node: string,
  cluster: string,
  networks: readonly INetwork[],
  security: Security,
): Record<string, string> {
  return {
    [basename(CA_BUNDLE_FILE)]: security.caBundle,
    [basename(NODE_FILE)]: security.keyPairOf(node, hostNamesOn(networks, node, cluster)),
    [basename(CHECKS_FILE)]: security.keyPairOf("checks"),
  };
}

/** Returns the settings of a node with TLS and authentication for HTTP and transport. */
export function nodeOverTls(cluster: string): Pick<TlsParts, "env" | "files"> {
  const listener = (layer: "http" | "transport") => ({
    [`plugins.security.ssl.${layer}.pemcert_filepath`]: "certificates/node.pem",
    [`plugins.security.ssl.${layer}.pemkey_filepath`]: "certificates/node.pem",
    [`plugins.security.ssl.${layer}.pemtrustedcas_filepath`]: "certificates/ca-bundle.pem",
    // Otherwise a node keeps its certificate if the new one has another CA or other host names.
    [`plugins.security.ssl.${layer}.enforce_cert_reload_dn_verification`]: "false",
  });
  return {
    env: {
      "plugins.security.ssl.http.enabled": "true",
      // Within 5 seconds.
      "plugins.security.ssl.certificates_hot_reload.enabled": "true",
      ...listener("http"),
      ...listener("transport"),
      // Java rejects host names with an underscore, such as those on infra_net. A client without a node's certificate is refused anyway.
      "plugins.security.ssl.transport.enforce_hostname_verification": "false",
      "plugins.security.nodes_dn": nodeSubjects(cluster),
      "plugins.security.authcz.admin_dn": `CN=${ADMIN_PRINCIPAL}`,
      "plugins.security.allow_default_init_securityindex": "true",
      "plugins.security.audit.type": "log4j",
      // os-security applies which names certificates give their clients. As the rest of this API, it is for the administrator alone.
      "plugins.security.unsupported.restapi.allow_securityconfig_modification": "true",
    },
    files: INITIAL_CONFIGURATION.map((name) => ({
      path: `${CONFIG_DIR}/opensearch-security/${name}.yml`,
      content: configurationFile(name, cluster),
    })),
  };
}

/**
 * Returns the pattern of the nodes' subjects, whole and with any number, so that nodes can be added. A wildcard would also match
 * `CN=opensearch-any` and `CN=opensearch-1,O=other`, which a company's CA may issue to somebody else.
 */
function nodeSubjects(cluster: string): string {
  return `/CN=${nodeNames(cluster)}/`;
}

/** Returns the regular expression of the nodes' names. */
function nodeNames(cluster: string): string {
  return `${cluster.replaceAll(".", "\\.")}-[1-9][0-9]*`;
}

/** Returns a file of the security plugin's configuration, with the pattern of the nodes' names. */
export function configurationFile(name: string, cluster: string): string {
  return readOwnFile(__dirname, `security/${name}.yml`).replaceAll(
    "opensearch-*",
    `/${nodeNames(cluster)}/`,
  );
}

/** Returns the settings of a sidecar whose curl uses the CA bundle and its key pair by default. */
export function sidecarOverTls(directory: string, principal: string, security: Security): TlsParts {
  return {
    env: { CURL_HOME: directory },
    files: [{ path: `${directory}/.curlrc`, content: readOwnFile(__dirname, "curlrc") }],
    // A sidecar's user is not in root's group.
    secrets: tlsFiles(security, principal, directory, { readableBy: "everyone" }),
  };
}
