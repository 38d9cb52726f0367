import { readOwnFile, type SecretFile, type UploadedFile } from "../container/file";
import { hostNamesOn } from "../network/host-name";
import type { INetwork } from "../network/network";
import { type Security, tlsFiles } from "../security/security";

/** What a container has, beside its own, to take part in a secured cluster. */
interface TlsParts {
  readonly env: Readonly<Record<string, string>>;
  readonly files: readonly UploadedFile[];
  readonly secrets: readonly SecretFile[];
}

/** Who provisions users and roles: the plugin lets this name do everything, without a role. */
export const ADMIN_PRINCIPAL = "os-admin";

const CONFIG_DIR = "/usr/share/opensearch/config";
const CERTIFICATES_DIR = `${CONFIG_DIR}/certificates`;

/** All but the audit's have to be there at a cluster's first start, the only one that reads them; os-security changes roles later. */
const INITIAL_CONFIGURATION = [
  "action_groups",
  "audit",
  "config",
  "internal_users",
  "roles",
  "roles_mapping",
  "tenants",
];

/** Key and certificate of the node that a container is. */
const NODE_FILE = `${CERTIFICATES_DIR}/node.pem`;

const CA_BUNDLE_FILE = `${CERTIFICATES_DIR}/ca-bundle.pem`;

const AS_CHECKS = ["--cert", `${CERTIFICATES_DIR}/checks.pem`];

/** What curl needs in a node, to ask it as the node itself. */
export const CURL_AS_NODE = ["--cacert", CA_BUNDLE_FILE, "--cert", NODE_FILE];

/** What curl needs in a node, to ask other services as whoever checks the platform. */
export const CURL_AS_CHECKS = ["--cacert", CA_BUNDLE_FILE, ...AS_CHECKS];

/**
 * The same, to ask the node itself: its own certificate is the only one that is trusted. Nodes of every version have these files, and one
 * that did not answer would be taken for one that does not serve.
 */
export const CURL_NODE_AS_CHECKS = ["--cacert", NODE_FILE, ...AS_CHECKS];

/** A node whose HTTP and transport are encrypted and ask who is there. */
export function nodeOverTls(
  node: string,
  cluster: string,
  networks: readonly INetwork[],
  security: Security,
): TlsParts {
  const listener = (layer: "http" | "transport") => ({
    [`plugins.security.ssl.${layer}.pemcert_filepath`]: "certificates/node.pem",
    [`plugins.security.ssl.${layer}.pemkey_filepath`]: "certificates/node.pem",
    [`plugins.security.ssl.${layer}.pemtrustedcas_filepath`]: "certificates/ca-bundle.pem",
  });
  return {
    env: {
      "plugins.security.ssl.http.enabled": "true",
      ...listener("http"),
      ...listener("transport"),
      // Java takes no name with an underscore, such as one on infra_net, for a host's. Who has no node's certificate is refused all the same.
      "plugins.security.ssl.transport.enforce_hostname_verification": "false",
      "plugins.security.nodes_dn": `CN=${cluster}-*`,
      "plugins.security.authcz.admin_dn": `CN=${ADMIN_PRINCIPAL}`,
      "plugins.security.allow_default_init_securityindex": "true",
      "plugins.security.audit.type": "log4j",
    },
    files: INITIAL_CONFIGURATION.map((name) => ({
      path: `${CONFIG_DIR}/opensearch-security/${name}.yml`,
      content: configurationFile(name, cluster),
    })),
    secrets: [
      secret(CA_BUNDLE_FILE, security.caBundle),
      secret(NODE_FILE, security.keyPairOf(node, hostNamesOn(networks, node, cluster))),
      secret(`${CERTIFICATES_DIR}/checks.pem`, security.keyPairOf("checks")),
    ],
  };
}

/** A file of the security plugin's configuration, in which the nodes of a cluster are known by the cluster's name. */
export function configurationFile(name: string, cluster: string): string {
  return readOwnFile(__dirname, `security/${name}.yml`).replaceAll("opensearch-*", `${cluster}-*`);
}

/** A sidecar whose curl shows who it is, and knows whom to trust, by itself. */
export function sidecarOverTls(directory: string, principal: string, security: Security): TlsParts {
  return {
    env: { CURL_HOME: directory },
    files: [{ path: `${directory}/.curlrc`, content: readOwnFile(__dirname, "curlrc") }],
    // A sidecar is not in root's group.
    secrets: tlsFiles(security, principal, directory, { readableBy: "everyone" }),
  };
}

/** The nodes do not run in root's group. */
function secret(path: string, source: string): SecretFile {
  return { path, source, readableBy: "everyone" };
}
