import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { UploadedFile } from "../../../constructs/container/file";
import { renderConfiguration } from "../../../constructs/opensearch/configuration";
import {
  APPLICATIONS_DIR,
  MARK,
  renderApplication,
  renderMonitor,
} from "../../../constructs/opensearch/declared-applications";
import { renderOwnRoles } from "../../../constructs/opensearch/opensearch-security";
import { type Application, hasCertificate } from "../../../constructs/security/application";
import { TestCa } from "../../support/certificates";
import { FakeIndexManagement } from "../../support/fake-index-management";
import { FakeOpenSearch, type Fault } from "../../support/fake-opensearch";
import { ROOT } from "../../support/root";
import {
  exitLine,
  expectBackoff,
  linesOf,
  type SidecarOptions,
  type SidecarRun,
  startSidecar,
} from "../../support/sidecar";

const ORDERS: Application = { name: "orders", indices: { "logs-*": "write" } };
const REPORTS: Application = {
  name: "reports",
  indices: { "logs-*": "read", "reports-*": "readwrite" },
};
const METADATA = [
  "indices:admin/get",
  "indices:admin/mappings/get",
  "indices:admin/aliases/get",
  "indices:monitor/settings/get",
  "indices:admin/refresh*",
];
const WRITE = [
  ...["indices:data/write/index", "indices:data/write/bulk*", "indices:data/write/update*"],
  "create_index",
];
const HASH = `$2b$12$${"abcdefghijklmnopqrstuvwxyz./ABCDEFGHIJKLMNOPQRSTUVWXYZ"}1`.slice(0, 60);
const OTHER_HASH = HASH.replace("abc", "xyz");

const RETENTION_ROLE = "groundwork_retention";

const servers: FakeOpenSearch[] = [];
let ours: TestCa;
let theirs: TestCa;
let nodeStore: string;
let admin: string;
let untrusted: string;
beforeAll(async () => {
  ours = await TestCa.make("ours");
  theirs = await TestCa.make("theirs");
  nodeStore = await ours.issue("opensearch-1");
  admin = await ours.issue("os-admin");
  untrusted = await theirs.issue("os-admin");
});

afterAll(async () => {
  ours.remove();
  theirs.remove();
  await Promise.all(servers.map((server) => server.stop()));
});

async function fake(...faults: [RegExp, Fault][]): Promise<[FakeOpenSearch, string]> {
  const server = new FakeOpenSearch();
  servers.push(server);
  server.faults.push(...faults.map(([on, fault]) => ({ on, fault })));
  return [server, await server.start()];
}

interface Declaration extends Partial<SidecarOptions> {
  readonly applications?: readonly Application[];
  /** The files of the security plugin's configuration. */
  readonly configuration?: readonly UploadedFile[];
  /** Files of what is known by a certificate. */
  readonly principals?: readonly UploadedFile[];
  readonly hash?: string;
  /** Key and certificate of the sidecar, and whom it trusts. */
  readonly keyPair?: { readonly store: string; readonly ca: string };
}

function run(url: string, declaration: Declaration = {}): Promise<SidecarRun> {
  const {
    applications = [ORDERS, REPORTS],
    configuration = [],
    principals = [],
    hash = HASH,
    keyPair,
    ...options
  } = declaration;
  const curlrc = readFileSync(join(ROOT, "constructs/opensearch/curlrc"), "utf8");
  return startSidecar({
    script: "opensearch/os-security.sh",
    beside: ["opensearch/rest.sh", "opensearch/configuration.sh"],
    files: [
      ...applications.flatMap(renderApplication),
      ...principals,
      ...configuration,
      ...applications
        .filter((application) => !hasCertificate(application))
        .map(({ name }) => ({
          path: `${APPLICATIONS_DIR}/${name}.hash`,
          content: `${hash}\n`,
        })),
      ...(keyPair
        ? [
            {
              path: ".curlrc",
              content: curlrc
                .replace("/groundwork/ca-bundle.pem", keyPair.ca)
                .replace("/groundwork/key-pair.pem", keyPair.store),
            },
          ]
        : []),
    ],
    declared: applications.map(({ name }) => name).join(" "),
    env: (directory) => ({
      OPENSEARCH_ENDPOINTS: url,
      OPENSEARCH_NODES: "3",
      APPLICATIONS_DIR: `${directory}/applications`,
      CONFIGURATION_DIR: `${directory}/configuration`,
      MARK,
      ...(keyPair && { CURL_HOME: directory }),
    }),
    ...options,
  }).done;
}

let firstRun: Promise<FakeOpenSearch> | undefined;

/** A server as a first run leaves it, which is made once for all that go on from there. */
async function afterFirstRun(...faults: [RegExp, Fault][]): Promise<[FakeOpenSearch, string]> {
  firstRun ??= (async () => {
    const [server, url] = await fake();
    expect(exitLine(await run(url))).toMatchObject({ exit_code: 0, created: 2 });
    return server;
  })();
  const { security } = await firstRun;
  const [server, url] = await fake(...faults);
  server.security = structuredClone(security);
  return [server, url];
}

/** What was said, without the hash of a password or what was made of it. */
function expectNoSecret({ log }: SidecarRun): void {
  expect(JSON.stringify(log)).not.toMatch(/\$2b\$|[0-9a-f]{64}/);
}

describe("os-security, with a faulty server,", () => {
  test.concurrent("retries faulty responses with backoff", async () => {
    const unready = { error: "OpenSearch Security not initialized." };
    const [{ security }, url] = await fake(
      [/health/, { kind: "status", status: 503, body: unready }],
      [/PUT.*roles\//, { kind: "reset" }],
      [/PUT.*rolesmapping/, { kind: "cut" }],
    );
    const result = await run(url);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 2, attempts: 4 });
    expectBackoff(result, 1);
    expect(security.rolesmapping.size).toBe(2);
  });

  test.concurrent("reports the response of a server that rejects a request", async () => {
    const [, url] = await fake([
      /GET.*api\/internalusers/,
      { kind: "status", status: 403, body: { status: "FORBIDDEN", message: "not an admin" } },
    ]);
    expect(exitLine(await run(url))).toMatchObject({
      exit_code: 77,
      reason:
        'GET /_plugins/_security/api/internalusers/orders?pretty: HTTP 403: { "status" : "FORBIDDEN", "message" : "not an admin" }',
    });
  });

  describe("over TLS", () => {
    async function secured(): Promise<[FakeOpenSearch, string]> {
      const server = new FakeOpenSearch();
      servers.push(server);
      const node = readFileSync(nodeStore);
      const ca = readFileSync(ours.certificate);
      return [server, await server.start(0, { key: node, cert: node, ca })];
    }

    test.concurrent("shows its certificate and works", async () => {
      const [server, url] = await secured();
      const keyPair = { store: admin, ca: ours.certificate };
      expect(exitLine(await run(url, { keyPair }))).toMatchObject({ exit_code: 0 });
      expect(server.clients).toEqual(new Set(["os-admin"]));
    });

    test.concurrent("fails at once for a server of another CA", async () => {
      const [server, url] = await secured();
      const keyPair = { store: admin, ca: theirs.certificate };
      expect(exitLine(await run(url, { keyPair }))).toMatchObject({
        exit_code: 77,
        attempts: 1,
        reason: expect.stringContaining("SSL certificate problem"),
      });
      expect(server.requests).toEqual([]);
    });

    test.concurrent("is refused at once with a certificate of another CA", async () => {
      // Node itself closes such a connection without a word.
      const server = spawn("openssl", [
        ...["s_server", "-accept", "127.0.0.1:0", "-cert", nodeStore, "-key", nodeStore],
        ...["-CAfile", ours.certificate, "-Verify", "1", "-verify_return_error"],
      ]);
      try {
        const port = await new Promise((resolve) =>
          server.stdout.on("data", (said) => {
            const [, found] = /ACCEPT 127\.0\.0\.1:(\d+)/.exec(String(said)) ?? [];
            found && resolve(found);
          }),
        );
        const keyPair = { store: untrusted, ca: ours.certificate };
        expect(exitLine(await run(`https://127.0.0.1:${port}`, { keyPair }))).toMatchObject({
          exit_code: 77,
          attempts: 1,
          reason: expect.stringMatching(/alert (unknown ca|certificate unknown)/),
        });
      } finally {
        server.kill();
      }
    });

    test.concurrent("names its own certificate when that is missing", async () => {
      const [, url] = await secured();
      const keyPair = { store: "/nowhere/key-pair.pem", ca: ours.certificate };
      expect(exitLine(await run(url, { keyPair }))).toMatchObject({
        exit_code: 78,
        attempts: 1,
        reason: expect.stringContaining("/nowhere/key-pair.pem"),
      });
    });
  });
});

// One block waits for the other.
describe("os-security", () => {
  test.concurrent("gives each application its user, its role and the mapping only", async () => {
    const [{ security }, url] = await fake();
    const result = await run(url);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, reason: "done", created: 2 });
    expect(result.log[0]).toMatchObject({
      sidecar: "os-security",
      declared: ["orders", "reports"],
    });
    expect(security.internalusers.get("orders")).toEqual({
      hash: HASH,
      reserved: true,
      description: MARK,
    });
    expect(security.roles.get("application-orders")).toEqual({
      cluster_permissions: ["cluster:monitor/main", "indices:data/write/bulk"],
      index_permissions: [{ index_patterns: ["logs-*"], allowed_actions: [...WRITE, ...METADATA] }],
      description: MARK,
    });
    expect(security.roles.get("application-reports").index_permissions).toEqual([
      { index_patterns: ["logs-*"], allowed_actions: ["read", ...METADATA] },
      {
        index_patterns: ["reports-*"],
        allowed_actions: ["read", ...WRITE, ...METADATA],
      },
    ]);
    expect(security.rolesmapping.get("application-orders")).toEqual({
      users: ["orders"],
      description: MARK,
    });
    expectNoSecret(result);
  });

  test.concurrent("lets an application that appends create documents, fields and indices only", async () => {
    const [{ security }, url] = await fake();
    const books: Application = { name: "books", indices: { "books-*": "append" } };
    expect(exitLine(await run(url, { applications: [books] }))).toMatchObject({ exit_code: 0 });
    expect(security.roles.get("application-books")).toMatchObject({
      cluster_permissions: ["cluster:monitor/main", "indices:data/write/bulk"],
      index_permissions: [
        {
          index_patterns: ["books-*"],
          allowed_actions: [
            "indices:data/write/index",
            "indices:data/write/bulk*",
            "create_index",
            ...METADATA,
          ],
        },
      ],
    });
  });

  test.concurrent("lets an application that manages indices do everything on them, also in requests on several", async () => {
    const [{ security }, url] = await fake();
    const ops: Application = { name: "ops", indices: { "ops-*": "manage" } };
    expect(exitLine(await run(url, { applications: [ops] }))).toMatchObject({ exit_code: 0 });
    expect(security.roles.get("application-ops")).toMatchObject({
      cluster_permissions: expect.arrayContaining([
        ...["indices:data/read/msearch", "indices:data/write/bulk"],
      ]),
      index_permissions: [
        { index_patterns: ["ops-*"], allowed_actions: ["indices_all", ...METADATA] },
      ],
    });
  });

  const reading = (documents: Readonly<Record<string, unknown>>): Application[] => [
    { name: "shop", indices: { "a-*": "read", "logs-*": { access: "read", documents } } },
  ];

  test.concurrent.each<[string, Readonly<Record<string, unknown>>]>([
    ["an unknown type", { trem: { team: "shop" } }],
    [
      "an unknown type in a clause",
      { bool: { must_not: [{ exists: { field: "a" } }, { trem: {} }] } },
    ],
    ["quotes and backslashes", { trem: { 'a"b\\': '\n c: {user} \\"' } }],
  ])(
    "creates nothing for an application whose documents OpenSearch cannot parse: %s",
    async (_, documents) => {
      const [server, url] = await fake();
      const result = await run(url, { applications: reading(documents) });
      expect(exitLine(result)).toMatchObject({
        exit_code: 65,
        reason: `application shop: OpenSearch cannot parse documents ${JSON.stringify(documents)}, and would let it read every document: unknown query [trem]`,
      });
      expect(server.writes).toEqual([]);
    },
  );

  test.concurrent("stops at such documents also if an earlier version gave the application its role", async () => {
    const [server, url] = await fake();
    const term = reading({ term: { team: "shop" } });
    expect(exitLine(await run(url, { applications: term }))).toMatchObject({ created: 1 });
    const role = server.security.roles.get("application-shop");
    role.index_permissions[1].dls = JSON.stringify({ trem: {} });
    const result = await run(url, { applications: reading({ trem: {} }) });
    expect(exitLine(result)).toMatchObject({ exit_code: 65 });
  });

  test.concurrent.each<[string, Readonly<Record<string, unknown>>]>([
    ["quotes and backslashes", { term: { 'a"b\\': '\n c: {user} \\"' } }],
    ["values of an index that is not there", { terms: { id: { index: "x", id: "1", path: "y" } } }],
  ])("has OpenSearch parse documents without their index: %s", async (_, documents) => {
    const [server, url] = await fake();
    const result = await run(url, { applications: reading(documents) });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 1 });
    const [, { dls }] = server.security.roles.get("application-shop").index_permissions;
    expect(JSON.parse(dls)).toEqual(documents);
  });

  test.concurrent("lets an application search with templates if it reads, and reindex if it reads and writes", async () => {
    const [{ security }, url] = await fake();
    const applications: Application[] = [
      { name: "reader", indices: { "a-*": "read" } },
      { name: "writer", indices: { "a-*": "write", "b-*": "append" } },
      { name: "copier", indices: { "a-*": "read", "b-*": "append" } },
      { name: "editor", indices: { "a-*": "readwrite" } },
      { name: "ops", indices: { "a-*": "manage" } },
    ];
    expect(exitLine(await run(url, { applications }))).toMatchObject({ exit_code: 0 });
    const having = (action: string) =>
      applications
        .map(({ name }) => name)
        .filter((name) =>
          security.roles.get(`application-${name}`).cluster_permissions.includes(action),
        );
    expect(having("indices:data/read/msearch/template")).toEqual([
      ...["reader", "copier", "editor", "ops"],
    ]);
    expect(having("indices:data/write/reindex")).toEqual(["copier", "editor", "ops"]);
  });

  test.concurrent("restricts the documents and fields that an application reads, and finds both unchanged", async () => {
    const [server, url] = await fake();
    const documents = { bool: { must_not: { match: { note: 'a "quoted": \\ té' } } } };
    const fields = ["@timestamp", "message*"];
    const audit: Application = {
      name: "audit",
      indices: { "logs-*": { access: "read", documents, fields }, "more-*": "read" },
    };
    expect(exitLine(await run(url, { applications: [audit] }))).toMatchObject({ created: 1 });
    const [restricted, free] = server.security.roles.get("application-audit").index_permissions;
    expect(restricted).toMatchObject({ fls: fields, allowed_actions: ["read", ...METADATA] });
    expect(JSON.parse(restricted.dls)).toEqual(documents);
    expect(Object.keys(free)).toEqual(["index_patterns", "allowed_actions"]);
    server.requests.length = 0;
    expect(exitLine(await run(url, { applications: [audit] }))).toMatchObject({ unchanged: 1 });
    expect(server.writes).toEqual([]);
    restricted.dls = '{"match_all":{}}';
    const drifted = await run(url, { applications: [audit] });
    expect(exitLine(drifted)).toMatchObject({ exit_code: 0, reconciled: 1 });
    expect(linesOf(drifted, "drift").map(({ field }) => field)).toEqual([
      "role.index_permissions[0].dls",
    ]);
  });

  test.concurrent("gives the monitoring principal a role but no user, and revokes it like any other", async () => {
    const [{ security }, url] = await fake();
    const result = await run(url, { applications: [], principals: renderMonitor() });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 1 });
    expect(security.internalusers.size).toBe(0);
    expect(security.roles.get("application-alloy").index_permissions).toEqual([
      {
        index_patterns: ["*"],
        allowed_actions: ["indices:admin/aliases/get", "indices:monitor/stats"],
      },
    ]);
    expect(security.rolesmapping.get("application-alloy").users).toEqual(["alloy"]);
    const again = await run(url, { applications: [], principals: renderMonitor() });
    expect(exitLine(again)).toMatchObject({ exit_code: 0, unchanged: 1, revoked: 0 });
    const without = await run(url, { applications: [] });
    expect(exitLine(without)).toMatchObject({ exit_code: 0, revoked: 1 });
    expect(security.roles.has("application-alloy")).toBe(false);
    expect(security.rolesmapping.has("application-alloy")).toBe(false);
  });

  test.concurrent("gives an application with a certificate its role but no user, and finds it unchanged", async () => {
    const [server, url] = await fake();
    const applications: Application[] = [{ ...ORDERS, authentication: "certificate" }];
    expect(exitLine(await run(url, { applications }))).toMatchObject({ exit_code: 0, created: 1 });
    const { internalusers, roles, rolesmapping } = server.security;
    expect([...internalusers.keys()]).toEqual([]);
    expect(roles.get("application-orders")).toMatchObject({ description: MARK });
    expect(rolesmapping.get("application-orders")).toEqual({
      users: ["orders"],
      description: MARK,
    });
    const { writes } = server;
    const again = await run(url, { applications });
    expect(exitLine(again)).toMatchObject({ exit_code: 0, created: 0, unchanged: 1 });
    expect(server.writes).toEqual(writes);
  });

  test.concurrent("deletes the user of an application that gets a certificate, flushes the cache, and creates one again when it has a password again", async () => {
    const [server, url] = await afterFirstRun();
    const { roles, rolesmapping } = structuredClone(server.security);
    const result = await run(url, {
      applications: [{ ...ORDERS, authentication: "certificate" }, REPORTS],
    });
    expect(exitLine(result)).toMatchObject({
      ...{ exit_code: 0, reconciled: 1, unchanged: 1, revoked: 0, created: 0 },
    });
    expect(
      linesOf(result, "change").map(({ resource, field, declared, actual }) => [
        ...[resource, field, declared, actual],
      ]),
    ).toEqual([["orders", "user.password", "none, since it has a certificate", "present"]]);
    expect(server.writes).toEqual([
      "DELETE /_plugins/_security/api/internalusers/orders",
      "DELETE /_plugins/_security/api/cache",
    ]);
    expect([...server.security.internalusers.keys()]).toEqual(["reports"]);
    expect(server.security).toMatchObject({ roles, rolesmapping });

    const back = await run(url);
    expect(exitLine(back)).toMatchObject({ exit_code: 0, created: 1, unchanged: 1 });
    expect([...server.security.internalusers.keys()].sort()).toEqual(["orders", "reports"]);
  });

  test.concurrent.each([
    [
      "an application with a certificate",
      { applications: [{ ...ORDERS, authentication: "certificate" as const }] },
      "orders",
    ],
    ["the monitoring principal", { applications: [], principals: renderMonitor() }, "alloy"],
  ])(
    "leaves an unmanaged user with the name of %s, gives it no permissions, and exits 73",
    async (_, declaration, name) => {
      const [server, url] = await fake();
      server.security.internalusers.set(name, { hash: OTHER_HASH, description: "somebody's" });
      const result = await run(url, declaration);
      expect(exitLine(result)).toMatchObject({ exit_code: 73, drifted: 1 });
      expect(linesOf(result, "drifted")[0].reason).toBe(
        `internalusers/${name} was not created by Groundwork: rename the application, or delete internalusers/${name}`,
      );
      expect(server.writes).toEqual([]);
    },
  );

  test.concurrent("updates the platform's own roles, and revokes none of them", async () => {
    const [server, url] = await fake();
    const { roles, rolesmapping } = server.security;
    const own = { applications: [], principals: renderOwnRoles("opensearch") };
    roles.set("groundwork_checks", { reserved: true, cluster_permissions: ["cluster:monitor/x"] });
    rolesmapping.set("groundwork_checks", { reserved: true, users: ["checks"] });
    const changed = await run(url, own);
    expect(exitLine(changed)).toMatchObject({ exit_code: 0, reconciled: 1, created: 2 });
    expect(changed.log).toContainEqual(
      expect.objectContaining({ event: "drift", resource: "groundwork_checks" }),
    );
    expect(roles.get("groundwork_checks").cluster_permissions).toContain("cluster:monitor/state");
    expect(rolesmapping.get("groundwork_node")).toEqual({
      reserved: true,
      users: ["/opensearch-[1-9][0-9]*/"],
    });
    server.requests.length = 0;
    expect(exitLine(await run(url, own))).toMatchObject({ exit_code: 0, unchanged: 3, revoked: 0 });
    expect(server.writes).toEqual([]);
  });

  test.concurrent("deletes the role of retention policies once none is declared and OpenSearch has none, and manages no index", async () => {
    const [server, url] = await fake();
    const { roles, rolesmapping } = server.security;
    const ism = new FakeIndexManagement();
    server.indexManagement = ism;
    const declared = { applications: [], principals: renderOwnRoles("opensearch", true) };
    expect(exitLine(await run(url, declared))).toMatchObject({ exit_code: 0, created: 4 });
    const without = { applications: [], principals: renderOwnRoles("opensearch") };
    ism.put("logs", { description: "", default_state: "open", states: [{ name: "open" }] });
    expect(exitLine(await run(url, without))).toMatchObject({ exit_code: 0, revoked: 0 });
    ism.policies.clear();
    ism.indices.set("logs-1", { policy: "logs", seqNo: 1 });
    expect(exitLine(await run(url, without))).toMatchObject({ exit_code: 0, revoked: 0 });
    expect([roles.has(RETENTION_ROLE), rolesmapping.has(RETENTION_ROLE)]).toEqual([true, true]);
    ism.indices.clear();
    const last = await run(url, without);
    expect(exitLine(last)).toMatchObject({ exit_code: 0, revoked: 1 });
    expect(linesOf(last, "revoked")).toMatchObject([{ resource: RETENTION_ROLE }]);
    expect([roles.has(RETENTION_ROLE), rolesmapping.has(RETENTION_ROLE)]).toEqual([false, false]);
    expect(exitLine(await run(url, without))).toMatchObject({ exit_code: 0, revoked: 0 });
  });

  test.concurrent("deletes that role in an image without the plugin too, and keeps it if OpenSearch does not tell", async () => {
    const unknown = { error: { type: "search_phase_execution_exception", reason: "all shards" } };
    const [server, url] = await fake([
      /_ism\/explain/,
      { kind: "status", status: 404, body: unknown },
    ]);
    const { roles } = server.security;
    server.indexManagement = new FakeIndexManagement();
    roles.set(RETENTION_ROLE, { reserved: true });
    expect(exitLine(await run(url))).toMatchObject({
      exit_code: 65,
      reason: "OpenSearch does not show its retention policies: all shards: HTTP 404",
    });
    expect(roles.has(RETENTION_ROLE)).toBe(true);
    server.indexManagement = undefined;
    expect(exitLine(await run(url))).toMatchObject({ exit_code: 0, revoked: 1 });
    expect(roles.has(RETENTION_ROLE)).toBe(false);
  });

  test.concurrent("run again, finds everything unchanged and writes nothing", async () => {
    const [server, url] = await afterFirstRun();
    const result = await run(url);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 0, unchanged: 2 });
    expect(server.writes).toEqual([]);
  });

  test.concurrent("applies a new password and other permissions, and logs the field, but not the password", async () => {
    const [server, url] = await fake();
    await run(url, { applications: [ORDERS] });
    server.requests.length = 0;
    const wider = { ...ORDERS, indices: { "logs-*": "read" as const } };
    const result = await run(url, { applications: [wider], hash: OTHER_HASH });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, reconciled: 1 });
    expect(linesOf(result, "drift").map(({ field }) => field)).toEqual([
      "user.password",
      "role.cluster_permissions[1]",
      "role.cluster_permissions[2]",
      "role.cluster_permissions[3]",
      "role.cluster_permissions[4]",
      "role.cluster_permissions[5]",
      ...[0, 1, 2, 3, 4, 5, 6, 7, 8].map((i) => `role.index_permissions[0].allowed_actions[${i}]`),
    ]);
    expect(server.security.internalusers.get("orders").hash).toBe(OTHER_HASH);
    expect(server.writes).toEqual([
      "PUT /_plugins/_security/api/internalusers/orders",
      "PUT /_plugins/_security/api/roles/application-orders",
      // Clients that a node accepted while it got the new password.
      "DELETE /_plugins/_security/api/cache",
    ]);
    expectNoSecret(result);
  });

  test.concurrent("restores a password that was changed in the server, and reports it as drift", async () => {
    const [server, url] = await afterFirstRun();
    server.security.internalusers.get("orders").hash = OTHER_HASH;
    const result = await run(url);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, unchanged: 1, reconciled: 1 });
    expect(linesOf(result, "drift")).toMatchObject([
      {
        resource: "orders",
        field: "user.password",
        declared: "as declared",
        actual: "different",
      },
    ]);
    expect(server.security.internalusers.get("orders").hash).toBe(HASH);
    expect(server.writes).toEqual([
      "PUT /_plugins/_security/api/internalusers/orders",
      "DELETE /_plugins/_security/api/cache",
    ]);
    expectNoSecret(result);
  });

  test.concurrent("reserves a user from an earlier version, which could change its password", async () => {
    const [server, url] = await afterFirstRun();
    const fingerprint = "0".repeat(64);
    server.security.internalusers.set("orders", {
      ...{ hash: HASH, description: MARK, attributes: { fingerprint } },
    });
    const result = await run(url);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, unchanged: 1, reconciled: 1 });
    expect(linesOf(result, "drift")).toMatchObject([
      { resource: "orders", field: "user.reserved", declared: "true", actual: "absent" },
    ]);
    expect(server.security.internalusers.get("orders")).toEqual({
      ...{ hash: HASH, reserved: true, description: MARK },
    });
    expectNoSecret(result);
  });

  test.concurrent("reports why it cannot read the stored passwords", async () => {
    const missing = { error: { reason: "no such index [.opendistro_security]" }, status: 404 };
    const [server, url] = await fake([/_source/, { kind: "status", status: 404, body: missing }]);
    expect(exitLine(await run(url))).toMatchObject({
      exit_code: 65,
      reason: "OpenSearch does not show its users: no such index [.opendistro_security]: HTTP 404",
    });
    expect(server.writes).toEqual([]);
  });

  test.concurrent("retries to flush the authentication cache, and reports why it fails", async () => {
    const failed = { status: "INTERNAL_SERVER_ERROR", message: "Cannot flush cache due to x." };
    const refused = { status: "NOT_FOUND", message: "no such thing" };
    const [{ security }, url] = await afterFirstRun(
      [/DELETE.*cache/, { kind: "status", status: 500, body: failed }],
      [/DELETE.*cache/, { kind: "status", status: 404, body: refused }],
    );
    security.internalusers.get("orders").hash = OTHER_HASH;
    const result = await run(url);
    expectBackoff(result, 1);
    expect(linesOf(result, "retry")).toMatchObject([
      {
        what: "flush of the authentication cache",
        reason: expect.stringContaining("Cannot flush cache due to x."),
      },
    ]);
    expect(exitLine(result)).toMatchObject({
      exit_code: 65,
      reason: expect.stringMatching(
        /^OpenSearch does not flush its authentication cache, so former passwords may still work: .*no such thing.*: HTTP 404$/,
      ),
    });
  });

  test.concurrent("revokes a permission that was added by hand", async () => {
    const [{ security }, url] = await afterFirstRun();
    security.rolesmapping.get("application-orders").users.push("mallory");
    const result = await run(url);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, unchanged: 1, reconciled: 1 });
    expect(linesOf(result, "drift")).toMatchObject([
      { resource: "orders", field: "mapping.users[1]", declared: "absent", actual: '"mallory"' },
    ]);
    expect(security.rolesmapping.get("application-orders").users).toEqual(["orders"]);
  });

  test.concurrent("revokes what is no longer declared, and nothing that it did not create", async () => {
    const [server, url] = await afterFirstRun();
    server.security.internalusers.set("dana", { hash: "x", description: "by hand" });
    const result = await run(url, { applications: [ORDERS] });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, unchanged: 1, revoked: 1 });
    expect(linesOf(result, "revoked")).toMatchObject([{ resource: "reports" }]);
    expect(server.writes).toEqual([
      "DELETE /_plugins/_security/api/internalusers/reports",
      "DELETE /_plugins/_security/api/rolesmapping/application-reports",
      "DELETE /_plugins/_security/api/roles/application-reports",
      "DELETE /_plugins/_security/api/cache",
    ]);
    expect([...server.security.internalusers.keys()]).toEqual(["orders", "dana"]);
    expect([...server.security.roles.keys()]).toEqual(["all_access", "application-orders"]);
  });

  test.concurrent("revokes the last application too", async () => {
    const [{ security }, url] = await afterFirstRun();
    const result = await run(url, { applications: [] });
    expect(exitLine(result)).toMatchObject({ exit_code: 0, revoked: 2 });
    expect(security.internalusers.size).toBe(0);
  });

  test.concurrent("leaves a user that it did not create alone, gives it no permissions, and exits 73", async () => {
    const [server, url] = await afterFirstRun();
    server.security.internalusers.set("orders", { hash: "x", description: "by hand" });
    const result = await run(url);
    expect(exitLine(result)).toMatchObject({
      exit_code: 73,
      reason: "drift from the declaration: orders",
      unchanged: 1,
      drifted: 1,
    });
    expect(linesOf(result, "drifted")).toMatchObject([
      {
        resource: "orders",
        reason:
          "internalusers/orders was not created by Groundwork: rename the application, or delete internalusers/orders",
      },
    ]);
    expect(server.security.internalusers.get("orders").hash).toBe("x");
    expect([...server.security.rolesmapping.keys()]).toEqual(["application-reports"]);
  });

  test.concurrent.each([
    ["a password", "Secret-Password-1!"],
    ["two lines", `${HASH}\n${HASH}`],
    ["nothing", ""],
  ])("rejects a hash file with %s, and does not show it", async (_, hash) => {
    const [server, url] = await fake();
    const result = await run(url, { hash });
    expect(exitLine(result)).toMatchObject({
      exit_code: 78,
      reason: "orders.hash must be one line with a bcrypt hash",
    });
    expect(JSON.stringify(result.log)).not.toContain("Secret-Password");
    expect(server.requests).toEqual([]);
  });
});

describe("os-security configures the security plugin:", () => {
  const PARTS = [
    "security/audit.config",
    "security/authfailurelisteners.groundwork-by-address",
    "security/authfailurelisteners.groundwork-by-user",
    "security/securityconfig.config.dynamic.authc.certificate",
    "security/securityconfig.config.dynamic.authc.password",
    "security/securityconfig.config.dynamic.http",
  ];
  const MEMORY = "PUT /_plugins/_security/api/roles/groundwork_configuration";
  const declaration = { applications: [], configuration: renderConfiguration("opensearch") };
  /** The configuration with another text, as an earlier or later version has it. */
  const changed = (from: RegExp, to: string): Declaration => ({
    ...declaration,
    configuration: declaration.configuration.map(({ path, content }) => ({
      path,
      content: path.endsWith(".part.json") ? content.replace(from, to) : content,
    })),
  });

  async function configured(): Promise<[FakeOpenSearch, string]> {
    const [server, url] = await fake();
    expect(exitLine(await run(url, declaration))).toMatchObject({ exit_code: 0 });
    server.requests.length = 0;
    return [server, url];
  }

  test.concurrent("a cluster as it was first started gets the audit trail, the limits and the names of clients, once", async () => {
    const [server, url] = await fake();
    const result = await run(url, declaration);
    expect(exitLine(result)).toMatchObject({ exit_code: 0, created: 2, reconciled: 2 });
    expect(linesOf(result, "drift")).toEqual([]);
    expect(server.audit).toMatchObject({
      audit: { enable_rest: true, ignore_users: [] },
      compliance: {
        enabled: true,
        internal_config: true,
        write_watched_indices: ["*"],
        write_log_diffs: false,
      },
    });
    // The pattern of the security plugin for everyone but the administrator.
    const [pattern] = server.audit.compliance.write_ignore_users;
    const ignored = new RegExp(`^${pattern.slice(1, -1)}$`);
    expect(["shop", "os-init", "CN=os-admin"].map((user) => ignored.test(user))).toEqual([
      ...[true, true, false],
    ]);
    expect(server.listeners.get("groundwork-by-address")).toMatchObject({
      ...{ type: "ip", allowed_tries: 30, time_window_seconds: 20, block_expiry_seconds: 20 },
    });
    expect(server.listeners.get("groundwork-by-user")).toMatchObject({
      type: "username",
      authentication_backend: "internal",
      ...{ allowed_tries: 300, time_window_seconds: 60, block_expiry_seconds: 30 },
    });
    server.requests.length = 0;
    const again = await run(url, declaration);
    expect(exitLine(again)).toMatchObject({ exit_code: 0, unchanged: 6 });
    expect(linesOf(again, "unchanged").map(({ resource }) => resource)).toEqual(PARTS);
    expect(server.writes).toEqual([]);
  });

  test.concurrent("a changed declaration is applied to what was applied last", async () => {
    const [server, url] = await configured();
    const fewer = changed(/"allowed_tries": 30,/, '"allowed_tries": 10,');
    expect(exitLine(await run(url, fewer))).toMatchObject({
      ...{ exit_code: 0, unchanged: 5, reconciled: 1 },
    });
    expect(server.writes).toEqual([
      "PUT /_plugins/_security/api/authfailurelisteners/groundwork-by-address",
      MEMORY,
    ]);
    expect(server.listeners.get("groundwork-by-address").allowed_tries).toBe(10);
    expect(exitLine(await run(url, declaration))).toMatchObject({ exit_code: 0, reconciled: 1 });
  });

  test.concurrent("what was changed by hand is drift, is left as it is, and does not keep the rest from being configured", async () => {
    const [server, url] = await configured();
    server.audit.audit.ignore_users = ["os-admin"];
    server.listeners.get("groundwork-by-user").allowed_tries = 5;
    const fewer = changed(/"allowed_tries": 30,/, '"allowed_tries": 10,');
    const result = await run(url, fewer);
    expect(exitLine(result)).toMatchObject({
      exit_code: 73,
      reason: `drift from the declaration: ${PARTS[0]} ${PARTS[2]}`,
      ...{ reconciled: 1, drifted: 2 },
    });
    expect(linesOf(result, "drift")).toMatchObject([
      {
        resource: PARTS[0],
        field: "audit.ignore_users",
        declared: "[ ]",
        actual: "absent",
      },
      {
        resource: PARTS[0],
        field: "audit.ignore_users[0]",
        declared: "absent",
        actual: '"os-admin"',
      },
      { resource: PARTS[2], field: "allowed_tries", declared: "300", actual: "5" },
    ]);
    expect(linesOf(result, "drifted")[0]).toMatchObject({
      reason:
        "audit/config was changed since os-security applied it: change it back, see docs/how-to/audit-trail.md",
    });
    expect(server.audit.audit.ignore_users).toEqual(["os-admin"]);
    expect(server.listeners.get("groundwork-by-user").allowed_tries).toBe(5);
    expect(server.listeners.get("groundwork-by-address").allowed_tries).toBe(10);
    // It is still drift in the next run, and none once it is changed back.
    expect(exitLine(await run(url, fewer))).toMatchObject({ exit_code: 73, drifted: 2 });
    server.audit.audit.ignore_users = [];
    server.listeners.delete("groundwork-by-user");
    expect(exitLine(await run(url, fewer))).toMatchObject({
      ...{ exit_code: 0, unchanged: 5, created: 1 },
    });
  });

  describe("the name of a client", () => {
    const { certificate } = new FakeOpenSearch().dynamic.authc;
    const skipped = (server: FakeOpenSearch): string[] =>
      server.dynamic.authc.certificate.http_authenticator.config.skip_users;

    test.concurrent("is that of a certificate whose whole subject is one common name, in a cluster that an earlier version configured, too", async () => {
      const [server, url] = await fake();
      // An earlier version knew all parts but this one.
      const earlier = declaration.configuration.filter(({ path }) => !/securityconfig/.test(path));
      expect(exitLine(await run(url, { ...declaration, configuration: earlier }))).toMatchObject({
        exit_code: 0,
      });
      server.dynamic.authc.mine = { order: 7 };
      server.requests.length = 0;
      const { password, mine } = server.dynamic.authc;
      const result = await run(url, declaration);
      expect(exitLine(result)).toMatchObject({ exit_code: 0, unchanged: 5, reconciled: 1 });
      expect(server.writes).toEqual(["PATCH /_plugins/_security/api/securityconfig", MEMORY]);
      // Nothing else changes, so that nobody is locked out.
      expect(server.dynamic.authc).toEqual({
        ...{ password, mine },
        certificate: {
          ...certificate,
          http_authenticator: {
            ...certificate.http_authenticator,
            config: { username_attribute: "cn", skip_users: [expect.any(String)] },
          },
        },
      });
      // The request changes how the server shows the limits, which is no drift.
      expect(server.listeners.get("groundwork-by-user").ignore_hosts).toBeNull();
      expect(exitLine(await run(url, declaration))).toMatchObject({ exit_code: 0, unchanged: 6 });
      // The regular expression of the security plugin, which compares it with the whole subject.
      const [, pattern = ""] = /^\/\(\?s\)(.*)\/$/.exec(skipped(server)[0]) ?? [];
      const isSkipped = (subject: string) => new RegExp(`^(?:${pattern})$`, "s").test(subject);
      for (const subject of ["CN=os-init", "CN=opensearch-1", "CN=checks"]) {
        expect([subject, isSkipped(subject)]).toEqual([subject, false]);
      }
      for (const subject of [
        ...["CN=os-init, O=other", "CN=os-init,O=other", "O=other, CN=os-init", "O=other"],
        ...["CN=os-init + O=other", "CN=os-init, CN=os-init", 'CN="os-init, O=other"'],
        "CN=os-init, O=a\nb",
      ]) {
        expect([subject, isSkipped(subject)]).toEqual([subject, true]);
      }
    });

    test.concurrent("is left to somebody who changed it, and that is drift", async () => {
      const [server, url] = await fake();
      server.dynamic.authc.certificate.http_authenticator.config.username_attribute = "san:DNS";
      const result = await run(url, declaration);
      expect(exitLine(result)).toMatchObject({ exit_code: 73, drifted: 1 });
      expect(linesOf(result, "drift")).toContainEqual(
        expect.objectContaining({
          ...{ resource: PARTS[3], field: "http_authenticator.config.username_attribute" },
          ...{ declared: '"cn"', actual: '"san:DNS"' },
        }),
      );
      expect(skipped(server)).toBeUndefined();
    });

    test.concurrent("is the administrator's to change: a refusal ends the sidecar with what OpenSearch says", async () => {
      const body = { status: "FORBIDDEN", message: "Access denied" };
      const [, url] = await fake([/PATCH/, { kind: "status", status: 403, body }]);
      expect(exitLine(await run(url, declaration))).toMatchObject({
        exit_code: 77,
        reason: expect.stringMatching(/securityconfig\?pretty: HTTP 403: .*Access denied/),
      });
    });
  });

  describe("anonymous clients and passwords", () => {
    test.concurrent("are as declared also in a cluster that exists, and nothing beside them changes", async () => {
      const [server, url] = await configured();
      const { certificate } = server.dynamic.authc;
      server.dynamic.authc.mine = { order: 7 };
      for (const [part, path] of [
        [changed(/"challenge": true/, '"challenge": false'), "authc/password"],
        [changed(/"anonymous_auth_enabled": false/, '"anonymous_auth_enabled": true'), "http"],
      ] as const) {
        server.requests.length = 0;
        const result = await run(url, part);
        expect([path, exitLine(result)]).toMatchObject([path, { exit_code: 0 }]);
        expect(server.writes[0]).toBe("PATCH /_plugins/_security/api/securityconfig");
      }
      // The second declaration has the first change no more.
      expect(server.dynamic.http.anonymous_auth_enabled).toBe(true);
      expect(server.dynamic.authc).toMatchObject({
        ...{ certificate, mine: { order: 7 } },
        password: { http_authenticator: { challenge: true } },
      });
    });

    test.concurrent("are drift if somebody allowed anonymous clients, and are left as they are", async () => {
      const [server, url] = await configured();
      server.dynamic.http.anonymous_auth_enabled = true;
      server.dynamic.authc.password.http_enabled = false;
      const result = await run(url, declaration);
      expect(exitLine(result)).toMatchObject({
        exit_code: 73,
        reason: `drift from the declaration: ${PARTS[4]} ${PARTS[5]}`,
      });
      expect(linesOf(result, "drift")).toMatchObject([
        { resource: PARTS[4], field: "http_enabled", declared: "true", actual: "false" },
        { resource: PARTS[5], field: "anonymous_auth_enabled", declared: "false", actual: "true" },
      ]);
      expect(server.dynamic.http.anonymous_auth_enabled).toBe(true);
    });
  });

  test.concurrent("a cluster whose audit trail was changed before os-security configured it keeps it", async () => {
    const [server, url] = await fake();
    server.audit.audit.enable_rest = false;
    expect(exitLine(await run(url, declaration))).toMatchObject({
      exit_code: 73,
      reason: `drift from the declaration: ${PARTS[0]}`,
      created: 2,
    });
    expect(server.audit).toMatchObject({
      ...{ audit: { enable_rest: false }, compliance: { enabled: false } },
    });
  });

  test.concurrent("limits that someone else made under another name stay", async () => {
    const [server, url] = await fake();
    const own = { type: "ip", allowed_tries: 3 };
    server.listeners.set("mine", own);
    expect(exitLine(await run(url, declaration))).toMatchObject({ exit_code: 0 });
    expect(server.listeners.get("mine")).toBe(own);
  });

  test.concurrent("a part that OpenSearch rejects is named, with the reason", async () => {
    const body = { status: "BAD_REQUEST", message: "type must be username or ip" };
    const [, url] = await fake([/PUT.*by-address/, { kind: "status", status: 400, body }]);
    expect(exitLine(await run(url, declaration))).toMatchObject({
      exit_code: 65,
      reason: expect.stringMatching(
        /^security\/authfailurelisteners\.groundwork-by-address: OpenSearch rejects it: .*type must be username or ip.*: HTTP 400$/,
      ),
    });
  });
});
