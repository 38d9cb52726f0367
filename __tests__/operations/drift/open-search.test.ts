import type { Application } from "../../../constructs";
import { renderConfiguration } from "../../../constructs/opensearch/configuration";
import {
  MARK,
  renderApplication,
  renderBackup,
  renderMonitor,
} from "../../../constructs/opensearch/declared-applications";
import type { DeclaredResource } from "../../../constructs/opensearch/declared-resource";
import { renderOwnRoles } from "../../../constructs/opensearch/opensearch-security";
import { describeDifference } from "../../../operations/drift/difference";
import { findOpenSearchConfigurationDrift } from "../../../operations/drift/open-search-configuration";
import { findOpenSearchUserDrift } from "../../../operations/drift/open-search-users";
import { findTemplateDrift } from "../../../operations/drift/templates";
import type { OpenSearchResources } from "../../../operations/platform/open-search-resources";
import { FakeIndexManagement } from "../../support/fake-index-management";
import { FakeOpenSearch, resourcesAt } from "../../support/fake-opensearch";
import type { Json } from "../../support/platform";

let server: FakeOpenSearch;
let resources: OpenSearchResources;

beforeEach(async () => {
  server = new FakeOpenSearch();
  const address = await server.start();
  resources = resourcesAt(address);
});
afterEach(async () => {
  expect(server.writes).toEqual([]);
  await server.stop();
});

const told = async (declared: Parameters<typeof findTemplateDrift>[2]) =>
  (await findTemplateDrift(resources, await resources.list(), declared)).map(describeDifference);

const declare = (
  kind: Exclude<DeclaredResource["kind"], "retention-policy">,
  name: string,
  body: Json,
  onDrift: DeclaredResource["onDrift"] = "fail",
): Parameters<typeof findTemplateDrift>[2][number] => ({
  kind,
  name,
  body,
  onDrift,
  ingestPipelines: [],
});

const BASE = {
  template: { mappings: { properties: { level: { type: "keyword" } } } },
  version: 1,
  _meta: { owner: "us" },
};
const LOGS = {
  index_patterns: ["logs-*"],
  priority: "100",
  data_stream: {},
  composed_of: ["base"],
  template: { settings: { number_of_shards: 1 }, aliases: { "all-{index}": {} } },
};
const LOWER = { description: "Lower case", processors: [{ lowercase: { field: "level" } }] };

const component = (body: Json = BASE) => declare("component-template", "base", body);
const template = (body: Json = LOGS) => declare("index-template", "logs", body);
const pipeline = (body: Json = LOWER) => declare("ingest-pipeline", "lower", body);
const ALL = [component(), pipeline(), template()];

/** Has the cluster what os-init applied. */
function applied(): void {
  server.components.set("base", { ...BASE, _meta: { owner: "us", fingerprint: "ab12" } });
  server.pipelines.set("lower", { ...LOWER, description: "Lower case [fingerprint ab12]" });
  server.templates.set("logs", {
    ...LOGS,
    _meta: { fingerprint: "ab12" },
    template: { ...LOGS.template, settings: { index: { number_of_shards: "1" } } },
  });
}

describe("templates and pipelines", () => {
  test("as declared have no drift, in whichever spelling", async () => {
    applied();
    expect(await told(ALL)).toEqual([]);
  });

  test("that do not exist are reported", async () => {
    expect(await told(ALL)).toEqual([
      "component template base: does not exist",
      "ingest pipeline lower: does not exist",
      "index template logs: does not exist",
    ]);
  });

  test("are reported with each field that differs, each in the resource that has it", async () => {
    applied();
    expect(
      await told([
        component({
          ...BASE,
          version: 2,
          template: { mappings: { properties: { level: { type: "text" } } } },
        }),
        pipeline({ ...LOWER, processors: [{ lowercase: { field: "service" } }] }),
        template({
          ...LOGS,
          priority: 7,
          template: { ...LOGS.template, settings: { number_of_shards: 3 } },
        }),
      ]),
    ).toEqual([
      'component template base: template.mappings.properties.level.type is "keyword", declared "text"',
      "component template base: version is 1, declared 2",
      'ingest pipeline lower: processors[0].lowercase.field is "level", declared "service"',
      "index template logs: priority is 100, declared 7",
      'index template logs: template.settings.index.number_of_shards is "1", declared "3"',
    ]);
  });

  test("with onDrift ignore are not compared", async () => {
    expect(await told([declare("index-template", "logs", LOGS, "ignore")])).toEqual([]);
  });

  test("with the name of a data stream that exists have no drift", async () => {
    applied();
    const named = { ...LOGS, index_patterns: ["application-logs"] };
    const { template: parts } = server.templates.get("logs") as Json;
    server.templates.set("logs", { ...named, template: parts });
    server.streams.set("application-logs", { template: "logs" });
    expect(await told([component(), template(named)])).toEqual([]);
  });

  test("with the name of a data stream that follows another template are reported", async () => {
    applied();
    const named = { ...LOGS, index_patterns: ["application-logs"] };
    const { template: parts } = server.templates.get("logs") as Json;
    server.templates.set("logs", { ...named, template: parts });
    server.templates.set("theirs", { ...named, priority: 500, template: {} });
    server.streams.set("application-logs", { template: "theirs" });
    expect((await told([template(named)]))[0]).toBe(
      "index template logs: another template applies to its indices, such as application-logs",
    );
  });

  test("of which another one has a higher priority are reported", async () => {
    applied();
    server.templates.set("theirs", {
      index_patterns: ["logs-groundwork*"],
      priority: 500,
      template: {
        settings: { number_of_shards: 9 },
        mappings: BASE.template.mappings,
        aliases: LOGS.template.aliases,
      },
    });
    expect(await told(ALL)).toEqual([
      "index template logs: another template applies to its indices, such as logs-groundwork-probe",
      'index template logs: settings.index.number_of_shards is "9", declared "1"',
    ]);
  });

  test("that OpenSearch rejects are reported with its reason", async () => {
    applied();
    expect(await told([template({ ...LOGS, composed_of: ["gone"] })])).toEqual([
      "index template logs: OpenSearch rejects it: component templates [gone] that do not exist",
    ]);
    const inner = { type: "x", reason: "unknown analyzer [a]" };
    server.faults.push({
      on: /POST .*_simulate$/,
      fault: {
        kind: "status",
        status: 400,
        body: { error: { reason: "invalid", caused_by: { reason: "parsing", caused_by: inner } } },
      },
    });
    expect(await told([template()])).toEqual([
      "index template logs: OpenSearch rejects it: unknown analyzer [a]",
    ]);
  });

  test("of a cluster that does not answer are an error", async () => {
    server.faults.push({
      on: /GET .*_index_template/,
      fault: { kind: "status", status: 503, body: { error: "no master" } },
    });
    await expect(told([template()])).rejects.toThrow(
      /^OpenSearch does not answer \/_index_template: .*no master.* 503/s,
    );
  });
});

describe("users of OpenSearch", () => {
  const SHOP: Application = { name: "shop", indices: { "shop-*": "write" } };

  /** Has the cluster what os-security creates. */
  function provisioned(hasBackups = false): void {
    const kinds = { user: "internalusers", role: "roles", mapping: "rolesmapping" } as const;
    for (const { path, content = "" } of [
      ...renderApplication(SHOP),
      ...renderMonitor(),
      ...renderOwnRoles("opensearch"),
      ...(hasBackups ? renderBackup() : []),
    ]) {
      const [, name, kind] = /([^/]+)\.(user|role|mapping)\.json$/.exec(path) ?? [];
      const isPlain = kind === "user" || name.startsWith("groundwork_");
      server.security[kinds[kind as keyof typeof kinds]].set(
        isPlain ? name : `application-${name}`,
        JSON.parse(content),
      );
    }
  }
  const drift = async (hasBackups = false, shop: Application = SHOP) =>
    (
      await findOpenSearchUserDrift(resources, [shop, { name: "orders" }], {
        ...{ hasRetention: false, hasBackups },
      })
    ).map(describeDifference);

  test("as os-security creates them have no drift", async () => {
    provisioned();
    expect(await drift()).toEqual([]);
  });

  test("of an environment with backups include os-backup", async () => {
    provisioned(true);
    expect(await drift(true)).toEqual([]);
    server.security.roles.delete("application-os-backup");
    expect(await drift(true)).toEqual([
      "application/os-backup: OpenSearch role is absent, declared present",
    ]);
  });

  test("without retention policies do not include their role, which stays while OpenSearch has one", async () => {
    provisioned();
    server.security.roles.set("groundwork_retention", { reserved: true });
    const ism = new FakeIndexManagement();
    ism.put("logs", { description: "", default_state: "open", states: [{ name: "open" }] });
    server.indexManagement = ism;
    expect(await drift()).toEqual([]);
    ism.policies.clear();
    ism.indices.set("logs-1", { policy: "logs", seqNo: 1 });
    expect(await drift()).toEqual([]);
    const unused =
      "role groundwork_retention: is not needed any more, without a retention policy: npm run up removes it";
    ism.indices.clear();
    expect(await drift()).toEqual([unused]);
    server.indexManagement = undefined;
    expect(await drift()).toEqual([unused]);
  });

  test("of an application with a certificate are its role and mapping, and a user with a password is reported", async () => {
    provisioned();
    const withCertificate = { ...SHOP, authentication: "certificate" } as const;
    expect(await drift(false, withCertificate)).toEqual([
      "application/shop: OpenSearch user is present, declared absent",
    ]);
    server.security.internalusers.delete("shop");
    expect(await drift(false, withCertificate)).toEqual([]);
  });

  test("that are missing, changed or not declared any more are reported", async () => {
    provisioned();
    const { internalusers, roles, rolesmapping } = server.security;
    internalusers.delete("shop");
    rolesmapping.set("application-shop", { users: ["shop", "eve"], description: MARK });
    internalusers.set("former", { description: MARK });
    roles.set("application-former", { description: MARK });
    const checks = roles.get("groundwork_checks");
    roles.set("groundwork_checks", { ...checks, reserved: false });
    expect(await drift()).toEqual([
      "application/shop: OpenSearch user is absent, declared present",
      'application/shop: mapping.users[1] is "eve", declared absent',
      "role groundwork_checks: role.reserved is absent, declared true",
      "application/former: is not declared any more: npm run up removes its user and permissions from OpenSearch",
    ]);
  });
});

describe("the security configuration of OpenSearch", () => {
  /** Has the cluster what os-security applied, with what the server adds. */
  function configured(): void {
    const value = (part: string) => {
      const file = renderConfiguration("opensearch").find(({ path }) =>
        path.endsWith(`/${part}.part.json`),
      );
      return JSON.parse(file?.content ?? "");
    };
    const { audit, ...rest } = value("audit.config");
    server.audit = { ...rest, audit: { ...audit, ignore_headers: [], ignore_url_params: [] } };
    const certificate = value("securityconfig.config.dynamic.authc.certificate");
    server.dynamic.authc.certificate = { ...certificate, description: null };
    for (const name of ["groundwork-by-address", "groundwork-by-user"]) {
      const listener = value(`authfailurelisteners.${name}`);
      server.listeners.set(name, { authentication_backend: null, ...listener, ignore_hosts: null });
    }
  }
  const drift = async () =>
    (await findOpenSearchConfigurationDrift(resources)).map(describeDifference);

  test("as os-security applies it has no drift, with what others add beside it", async () => {
    configured();
    server.listeners.set("theirs", { type: "ip" });
    server.audit.audit.ignore_headers = ["Cookie"];
    expect(await drift()).toEqual([]);
  });

  test("that was changed or removed is reported", async () => {
    configured();
    server.audit.enabled = false;
    server.audit.audit.ignore_users = ["eve"];
    server.dynamic.authc.certificate.http_authenticator.config.username_attribute = "ou";
    server.listeners.delete("groundwork-by-user");
    server.listeners.set("groundwork-by-address", {
      ...server.listeners.get("groundwork-by-address"),
      allowed_tries: 3000,
    });
    expect((await drift()).sort()).toEqual([
      'security/audit.config: audit.ignore_users[0] is "eve", declared absent',
      "security/audit.config: enabled is false, declared true",
      "security/authfailurelisteners.groundwork-by-address: allowed_tries is 3000, declared 30",
      "security/authfailurelisteners.groundwork-by-user: does not exist",
      'security/securityconfig.config.dynamic.authc.certificate: http_authenticator.config.username_attribute is "ou", declared "cn"',
    ]);
  });

  test("of a cluster that does not answer is an error", async () => {
    server.faults.push({
      on: /GET .*\/audit$/,
      fault: { kind: "status", status: 503, body: { error: "no master" } },
    });
    await expect(drift()).rejects.toThrow(
      /^OpenSearch does not answer \/_plugins\/_security\/api\/audit: .*no master/s,
    );
  });
});
