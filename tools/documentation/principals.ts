import { parse } from "yaml";
import { APPLICATIONS_FILE, parseApplications } from "../../constructs/kafka/declared-applications";
import { LOKI_PROXY } from "../../constructs/loki/loki-proxy";
import {
  applicationFile,
  parseRole,
  type Role,
} from "../../constructs/opensearch/declared-applications";
import type { Environment } from "../../environments";
import type { SynthesizedContainer } from "../../operations/synthesis/container";
import { containersIn, type Json, type Synthesis } from "../../operations/synthesis/tree";
import { principalsOf } from "../../secrets/platform-secrets";

const EVERYTHING = "everything";
const NOTHING = "nothing";

/**
 * Renders the certificates of a secured environment and their permissions, as its stacks configure them in Kafka, OpenSearch,
 * Prometheus and Loki.
 */
export function renderPrincipals(environment: Environment, synthesis: Synthesis): string {
  const containers = new Map(containersIn(synthesis).map((body) => [body.name, body]));
  const services = [
    kafkaAuthorization,
    openSearchAuthorization,
    prometheusAuthorization,
    lokiAuthorization,
  ].map((authorization) => authorization(containers));
  const rows = [...principalsOf(environment).keys()].map((name) => [
    `\`${name}\``,
    ...services.map((permissionsOf) => permissionsOf(name)),
  ]);
  const table = [
    ["principal", "Kafka", "OpenSearch", "Prometheus", "Loki"],
    ["-", "-", "-", "-", "-"],
    ...rows,
  ];
  return `# What each certificate allows

The certificates of environment \`${environment.name}\` (\`CN=<principal>\`) and their permissions. [Security](../security.md) explains why. An application has a password,
or a certificate with its own name, and [catalog/applications.ts](../../catalog/applications.ts) declares its permissions. Generated from the stacks by \`npm run reference\`.

${table.map((row) => `| ${row.join(" | ")} |`).join("\n")}
`;
}

/** Containers by name. */
type Containers = ReadonlyMap<string, SynthesizedContainer>;

/** Returns the permissions of a principal in one service, as text. */
type Authorization = (principal: string) => string;

function kafkaAuthorization(containers: Containers): Authorization {
  const superUsers = envOf(containers, "kafka-1", "KAFKA_SUPER_USERS").split(";");
  const { monitors } = parseApplications(fileOf(containers, "kafka-init", APPLICATIONS_FILE));
  return (principal) =>
    superUsers.includes(`User:${principal.replace(/^kafka-\d+$/, "kafka")}`)
      ? EVERYTHING
      : monitors.includes(principal)
        ? "describe topics and groups"
        : NOTHING;
}

function openSearchAuthorization(containers: Containers): Authorization {
  const configuration = (name: string): Json =>
    parse(
      fileOf(
        containers,
        "opensearch-1",
        `/usr/share/opensearch/config/opensearch-security/${name}.yml`,
      ),
    );
  const [roles, mappings] = [configuration("roles"), configuration("roles_mapping")];
  const administrator = envOf(containers, "opensearch-1", "plugins.security.authcz.admin_dn");
  const nodes = envOf(containers, "opensearch-1", "plugins.security.nodes_dn");
  return (principal) => {
    if (administrator === `CN=${principal}`) {
      return EVERYTHING;
    }
    const provisioned = fileIfThere(containers, "os-security", applicationFile(principal, "role"));
    const own: Role[] = Object.keys(mappings)
      .filter((role) => mappings[role].users?.some((user: string) => matches(user, principal)))
      .map((role) => roles[role]);
    const permissions = [...own, ...(provisioned ? [parseRole(provisioned)] : [])].flatMap(
      ({ cluster_permissions = [], index_permissions = [] }) => [
        ...cluster_permissions,
        ...index_permissions.flatMap(({ index_patterns, allowed_actions }) =>
          allowed_actions.map((action) => `${action} on ${index_patterns.join(", ")}`),
        ),
      ],
    );
    const asNode = matches(nodes, `CN=${principal}`) ? ["everything between nodes"] : [];
    return [...asNode, ...permissions.map((action) => `\`${action}\``)].join(", ") || NOTHING;
  };
}

function prometheusAuthorization(containers: Containers): Authorization {
  const { tls_server_config } = parse(fileOf(containers, "prometheus", "/etc/prometheus/web.yml"));
  return (principal) =>
    tls_server_config.client_allowed_sans.includes(principal) ? "write and read" : NOTHING;
}

/** What the requests allow that Loki's proxy knows. */
const LOKI_REQUESTS: Readonly<Record<string, string>> = {
  push: "write",
  metrics: "read Loki's metrics",
  query: "read",
  tail: "follow",
};

function lokiAuthorization(containers: Containers): Authorization {
  const rules = fileOf(containers, LOKI_PROXY, "/groundwork/haproxy.cfg");
  return (principal) =>
    [...rules.matchAll(/^ *http-request allow if METH_\w+ (\w+) (\w+)/gm)]
      .flatMap(([, name, request]) => (name === principal ? LOKI_REQUESTS[request] : []))
      .join(", ") || NOTHING;
}

/** Returns whether a name matches a pattern: a name, a prefix with `*`, or a regular expression between slashes. */
function matches(pattern: string, name: string): boolean {
  const [, expression] = /^\/(.*)\/$/.exec(pattern) ?? [];
  if (expression !== undefined) {
    return new RegExp(`^(?:${expression})$`).test(name);
  }
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}

function containerNamed(containers: Containers, name: string): SynthesizedContainer {
  return containers.get(name) as SynthesizedContainer;
}

function envOf(containers: Containers, name: string, variable: string): string {
  const entry = containerNamed(containers, name).env?.find((candidate) =>
    candidate.startsWith(`${variable}=`),
  ) as string;
  return entry.slice(variable.length + 1);
}

function fileIfThere(containers: Containers, name: string, path: string): string | undefined {
  return containerNamed(containers, name).upload?.find(({ file }) => file === path)?.content;
}

function fileOf(containers: Containers, name: string, path: string): string {
  return fileIfThere(containers, name, path) as string;
}
