import { Testing } from "cdktf";
import {
  DataVolume,
  IndexTemplate,
  Network,
  OpenSearchCluster,
  OpenSearchInit,
  OpenSearchSecurity,
} from "../../../constructs";
import type { Application } from "../../../constructs/security/application";
import type { Security } from "../../../constructs/security/security";
import { envOf, type Json } from "../../support/platform";
import { testStack } from "../../support/stack";

const security: Security = {
  caBundle: "secrets/ca.pem",
  keyPairOf: (principal) => `secrets/${principal}.pem`,
  credentialsOf: (application) => ({
    password: `secrets/${application}.password`,
    passwordHash: `secrets/${application}.hash`,
  }),
};

const applications: Application[] = [
  { name: "orders", indices: { "logs-*": "write" } },
  { name: "consumer", topics: { "infra-events": "read" } },
  { name: "audit", indices: { "logs-*": "read" }, authentication: "certificate" },
];

/** The containers of a cluster of three with its sidecars, by name. */
function synthesize(secured: boolean): Record<string, Json> {
  const stack = testStack();
  const infraNetwork = new Network(stack, "infra", { name: "infra_net" });
  const cluster = new OpenSearchCluster(stack, "os", {
    infraNetwork,
    projectNetwork: new Network(stack, "project", { name: "project_net" }),
    nodes: [1, 2, 3].map((n) => ({
      dataVolume: new DataVolume(stack, `v-${n}`, { name: `data-${n}` }),
    })),
    ...(secured && { security, image: "opensearchproject/opensearch:3.4.0" }),
  });
  const openSearchSecurity = secured
    ? new OpenSearchSecurity(stack, "os-security", { cluster, applications })
    : undefined;
  new OpenSearchInit(stack, "os-init", {
    cluster,
    indexTemplates: [IndexTemplate.fromFile("catalog/index-templates/logs_template.json")],
    openSearchSecurity,
  });
  const { resource } = JSON.parse(Testing.synth(stack));
  return Object.fromEntries(
    Object.values<Json>(resource.docker_container).map((body) => [body.name, body]),
  );
}

/** Where a container's secrets come from, by where they lie in it. */
function secretsOf(body: Json): Record<string, string> {
  const secrets = body.upload.filter(({ source_hash }: Json) => source_hash);
  return Object.fromEntries(secrets.map(({ file, source }: Json) => [file, source]));
}

function filesOf(body: Json): Record<string, string> {
  return Object.fromEntries(body.upload.map(({ file, content }: Json) => [file, content]));
}

test("os-init starts after os-security, which gives it the permissions that an upgrade adds", () => {
  expect(synthesize(true)["os-init"].depends_on).toEqual(
    expect.arrayContaining([expect.stringMatching(/^docker_container\.os-security_/)]),
  );
});

test("os-init gets what retention policies may do only if it provisions some, and with it their failures are not for lack of permission", () => {
  const filesWith = (hasRetention?: boolean) => {
    const stack = testStack();
    const cluster = new OpenSearchCluster(stack, "os", { nodeCount: 1, security });
    new OpenSearchSecurity(stack, "os-security", { cluster, applications: [], hasRetention });
    const { resource } = JSON.parse(Testing.synth(stack));
    const containers: Json[] = Object.values(resource.docker_container);
    return filesOf(containers.find(({ name }) => name === "os-security"));
  };
  const file = "/groundwork/applications/groundwork_retention";
  expect(Object.keys(filesWith()).filter((path) => path.startsWith(file))).toEqual([]);
  const files = filesWith(true);
  expect(JSON.parse(files[`${file}.mapping.json`])).toEqual({ reserved: true, users: ["os-init"] });
  expect(JSON.parse(files[`${file}.role.json`])).toMatchObject({
    cluster_permissions: expect.arrayContaining([
      "cluster:admin/opendistro/ism/policy/get",
      "cluster:admin/opendistro/ism/policy/write",
      "cluster:admin/opendistro/ism/managedindex/explain",
      "cluster:admin/opendistro/ism/managedindex/change",
    ]),
    // Which has indices:admin/opensearch/ism/managedindex, which OpenSearch checks before it attaches a policy.
    index_permissions: [
      { index_patterns: ["*"], allowed_actions: ["indices:admin/*", "indices:monitor/*"] },
    ],
  });
});

test("a secured OpenSearch cluster with another name accepts nodes with that name", () => {
  const stack = testStack();
  const cluster = new OpenSearchCluster(stack, "os", {
    nodeCount: 1,
    containerName: "search",
    security,
  });
  new OpenSearchSecurity(stack, "os-security", { cluster, applications: [] });
  const { resource } = JSON.parse(Testing.synth(stack));
  const [node, sidecar] = Object.values<Json>(resource.docker_container)
    .filter(({ name }) => !/-certificates$/.test(name))
    .sort((a, b) => b.name.localeCompare(a.name));
  expect([node.name, sidecar.name]).toEqual(["search-1", "os-security"]);
  expect(envOf(node)["plugins.security.nodes_dn"]).toBe("/CN=search-[1-9][0-9]*/");
  const files = JSON.stringify([filesOf(node), filesOf(sidecar)]);
  expect(files.split("/search-[1-9][0-9]*/")).toHaveLength(3);
  expect(files).not.toMatch(/opensearch-[*[]/);
});

test("no application has a node's name, also if it only has a certificate", () => {
  const stack = testStack();
  const cluster = new OpenSearchCluster(stack, "os", { containerName: "search", security });
  const applications = [{ name: "search-1", authentication: "certificate" } as const];
  expect(() => new OpenSearchSecurity(stack, "os-security", { cluster, applications })).toThrow(
    'application name "search-1" is reserved for a service of the platform',
  );
});

test("only a subject that is a node's name and nothing else is a node", () => {
  const node = synthesize(true)["opensearch-1"];
  // The plugin takes a pattern between slashes for a regular expression, which has to match as a whole.
  const [, pattern] = /^\/(.*)\/$/.exec(envOf(node)["plugins.security.nodes_dn"]) ?? [];
  const isNode = (subject: string) => new RegExp(`^(?:${pattern})$`).test(subject);
  expect(["CN=opensearch-1", "CN=opensearch-12"].filter(isNode)).toHaveLength(2);
  expect(
    [
      ...["CN=opensearch-any", "CN=opensearch-1,O=other", "CN=opensearch-1, O=other"],
      ...["O=other,CN=opensearch-1", "CN=opensearch-0", "CN=opensearch-", "CN=os-admin"],
    ].filter(isNode),
  ).toEqual([]);
});

test("an OpenSearch cluster that is not secured has no users", () => {
  const stack = testStack();
  const cluster = new OpenSearchCluster(stack, "os", {
    infraNetwork: new Network(stack, "infra", { name: "infra_net" }),
    nodes: [{ dataVolume: new DataVolume(stack, "v", { name: "data" }) }],
  });
  expect(() => new OpenSearchSecurity(stack, "os-security", { cluster, applications })).toThrow(
    "the OpenSearch cluster is plaintext and has no users: set security on the cluster, or declare no applications (at test/os-security)",
  );
});

describe("a secured OpenSearch cluster", () => {
  const containers = synthesize(true);
  const nodes = [1, 2, 3].map((n) => containers[`opensearch-${n}`]);

  test("uses TLS on HTTP and transport, and identifies nodes and the administrator by their certificates", () => {
    for (const node of nodes) {
      const env = envOf(node);
      expect(env).toMatchObject({
        "plugins.security.ssl.http.enabled": "true",
        "plugins.security.ssl.http.pemcert_filepath": "certificates/node.pem",
        "plugins.security.ssl.transport.pemkey_filepath": "certificates/node.pem",
        "plugins.security.ssl.transport.pemtrustedcas_filepath": "certificates/ca-bundle.pem",
        "plugins.security.ssl.certificates_hot_reload.enabled": "true",
        // A new CA, or other host names, is an ordinary renewal.
        "plugins.security.ssl.http.enforce_cert_reload_dn_verification": "false",
        "plugins.security.ssl.transport.enforce_cert_reload_dn_verification": "false",
        "plugins.security.nodes_dn": "/CN=opensearch-[1-9][0-9]*/",
        "plugins.security.authcz.admin_dn": "CN=os-admin",
        "plugins.security.unsupported.restapi.allow_securityconfig_modification": "true",
        DISABLE_INSTALL_DEMO_CONFIG: "true",
      });
      expect(env).not.toHaveProperty("DISABLE_SECURITY_PLUGIN");
    }
  });

  test("gives each node its own certificate and that of the checks only", () => {
    const config = "/groundwork/certificates";
    expect(nodes.map(secretsOf)).toEqual([{}, {}, {}]);
    expect([1, 2, 3].map((n) => secretsOf(containers[`opensearch-${n}-certificates`]))).toEqual(
      [1, 2, 3].map((n) => ({
        [`${config}/ca-bundle.pem`]: "secrets/ca.pem",
        [`${config}/node.pem`]: `secrets/opensearch-${n}.pem`,
        [`${config}/checks.pem`]: "secrets/checks.pem",
      })),
    );
  });

  test("starts with all files that the plugin requires, without users or anonymous access", () => {
    const files = filesOf(nodes[0]);
    const folder = "/usr/share/opensearch/config/opensearch-security";
    const initial = Object.keys(files).filter((file) => file.startsWith(folder));
    expect(initial.map((file) => file.slice(folder.length + 1)).sort()).toEqual([
      "action_groups.yml",
      "audit.yml",
      "config.yml",
      "internal_users.yml",
      "roles.yml",
      "roles_mapping.yml",
      "tenants.yml",
    ]);
    expect(files[`${folder}/internal_users.yml`]).not.toMatch(/hash/);
    expect(files[`${folder}/config.yml`]).toContain("anonymous_auth_enabled: false");
    expect(files[`${folder}/audit.yml`]).toContain("log_request_body: false");
  });

  test("is healthy when the node, with its own certificate, sees all others", () => {
    const [, ...command] = nodes[1].healthcheck.test;
    expect(command).toEqual([
      ...["curl", "--fail-with-body", "--silent", "--show-error", "--max-time", "4"],
      ...["--cacert", "/usr/share/opensearch/config/certificates/ca-bundle.pem"],
      ...["--cert", "/usr/share/opensearch/config/certificates/node.pem"],
      "https://127.0.0.1:9200/_cluster/health?wait_for_nodes=%3E%3D3&wait_for_status=yellow&timeout=1s",
    ]);
  });

  test("is reached by names without an underscore, which TLS requires", () => {
    for (const sidecar of ["os-init", "os-security"]) {
      expect(envOf(containers[sidecar]).OPENSEARCH_ENDPOINTS).toBe(
        "https://opensearch-1:9200 https://opensearch-2:9200 https://opensearch-3:9200",
      );
    }
    expect(containers["opensearch-2"].networks_advanced).toEqual([
      { name: "infra_net", aliases: ["opensearch", "opensearch-2.infra-net"] },
      { name: "project_net", aliases: ["opensearch", "opensearch-2.project-net"] },
    ]);
  });

  test("gives the administrator's certificate to os-security alone, with the hashes of the applications that name indices and have a password", () => {
    expect(secretsOf(containers["os-security"])).toEqual({
      "/groundwork/applications/orders.hash": "secrets/orders.hash",
      "/groundwork/ca-bundle.pem": "secrets/ca.pem",
      "/groundwork/key-pair.pem": "secrets/os-admin.pem",
    });
    expect(envOf(containers["os-security"]).GROUNDWORK_DECLARED).toBe("orders audit alloy");
    expect(secretsOf(containers["os-init"])).toEqual({
      "/groundwork/ca-bundle.pem": "secrets/ca.pem",
      "/groundwork/key-pair.pem": "secrets/os-init.pem",
    });
  });

  test("has a role for Alloy's certificate that cannot read documents", () => {
    const files = filesOf(containers["os-security"]);
    const file = (kind: string) => files[`/groundwork/applications/alloy.${kind}.json`];
    expect(JSON.parse(file("mapping")).users).toEqual(["alloy"]);
    expect(JSON.parse(file("role"))).toMatchObject({
      cluster_permissions: [
        "cluster:monitor/health",
        "cluster:monitor/main",
        "cluster:monitor/nodes/stats",
      ],
      index_permissions: [
        {
          index_patterns: ["*"],
          allowed_actions: ["indices:admin/aliases/get", "indices:monitor/stats"],
        },
      ],
    });
    expect(file("user")).toBeUndefined();
  });

  test("lets sidecars, which do not run as root, read their secrets", () => {
    const modes = ["os-init", "os-security"].flatMap((name) =>
      containers[name].upload
        .filter(({ source_hash }: Json) => source_hash)
        .map(({ permissions }: Json) => permissions),
    );
    expect(new Set(modes)).toEqual(new Set(["0444"]));
  });
});

describe("an OpenSearch cluster without security", () => {
  const containers = synthesize(false);

  test("has neither certificates nor the plugin's settings", () => {
    for (const body of Object.values(containers)) {
      expect(secretsOf({ upload: [], ...body })).toEqual({});
      expect(JSON.stringify(body)).not.toMatch(/plugins\.security|https:|CURL_HOME/);
    }
    expect(envOf(containers["opensearch-1"]).DISABLE_SECURITY_PLUGIN).toBe("true");
  });
});
