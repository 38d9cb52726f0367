import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import { TLSSocket } from "node:tls";
import { OpenSearchResources } from "../../operations/platform/open-search-resources";
import type { FakeIndexManagement } from "./fake-index-management";
import { parseErrorOf } from "./parsed-query";
import type { Json } from "./platform";
import { OneLine } from "./policy-as-stored";

/** A fault of one request. */
export type Fault =
  | { readonly kind: "reset" }
  | { readonly kind: "slow"; readonly ms: number }
  | {
      readonly kind: "status";
      readonly status: number;
      readonly body?: Json;
      /** What happens before the server answers. */
      readonly act?: () => void;
    }
  /** An answer with fewer bytes than its header promises. */
  | { readonly kind: "truncated" }
  /** An answer that is cut, with a header that matches. */
  | { readonly kind: "cut" }
  /** A change to make before the server answers. */
  | { readonly kind: "meanwhile"; readonly act: (server: FakeOpenSearch) => void };

/** The objects of one kind in the security plugin, by name. */
const KINDS = ["internalusers", "roles", "rolesmapping"] as const;

/** The audit configuration of a cluster's first start, with what the server fills in. */
const INITIAL_AUDIT: Json = {
  compliance: {
    ...{ enabled: false, write_log_diffs: false, read_watched_fields: {} },
    ...{ read_ignore_users: ["kibanaserver"], write_watched_indices: [] },
    ...{ write_ignore_users: ["kibanaserver"], write_metadata_only: false },
    ...{ external_config: false, internal_config: false, read_metadata_only: false },
  },
  enabled: true,
  audit: {
    ...{ ignore_users: ["kibanaserver"], ignore_requests: [], ignore_headers: [] },
    ignore_url_params: [],
    disabled_rest_categories: ["AUTHENTICATED", "GRANTED_PRIVILEGES"],
    disabled_transport_categories: ["AUTHENTICATED", "GRANTED_PRIVILEGES"],
    ...{ exclude_sensitive_headers: true, log_request_body: false, enable_rest: true },
    ...{ enable_transport: true, resolve_bulk_requests: false, resolve_indices: true },
  },
};

/** How an earlier version's clusters know clients after their first start, with what the server fills in. */
const INITIAL_DYNAMIC: Json = {
  do_not_fail_on_forbidden: false,
  http: {
    anonymous_auth_enabled: false,
    xff: { enabled: false, internalProxies: "10\\..*", remoteIpHeader: "x-forwarded-for" },
  },
  authc: {
    certificate: {
      http_enabled: true,
      order: 0,
      http_authenticator: {
        challenge: false,
        type: "clientcert",
        config: { username_attribute: "cn" },
      },
      authentication_backend: { type: "noop", config: {} },
      description: null,
    },
    password: {
      http_enabled: true,
      order: 1,
      http_authenticator: { challenge: true, type: "basic", config: {} },
      authentication_backend: { type: "intern", config: {} },
      description: null,
    },
  },
};

/** The part of OpenSearch's REST API that the sidecars use, with its normalization, and faults by request. */
export class FakeOpenSearch {
  readonly templates = new Map<string, Json>();
  readonly components = new Map<string, Json>();
  readonly pipelines = new Map<string, Json>();
  readonly streams = new Map<string, Json>();
  readonly legacyTemplates = new Map<string, Json>();
  /** The settings of indices that name a pipeline. */
  readonly indices = new Map<string, Json>();
  security: Record<(typeof KINDS)[number], Map<string, Json>> = {
    internalusers: new Map(),
    roles: new Map([["all_access", { description: "Allow full access", static: true }]]),
    rolesmapping: new Map(),
  };
  /** The configuration of the security plugin, as it is after the first start. */
  audit: Json = structuredClone(INITIAL_AUDIT);
  dynamic: Json = structuredClone(INITIAL_DYNAMIC);
  readonly listeners = new Map<string, Json>();
  readonly requests: string[] = [];
  /** The names in the certificates of clients. */
  readonly clients = new Set<string>();
  /** The index management plugin, which not every image has. */
  indexManagement?: FakeIndexManagement;
  nodes = 3;
  /** Each fault applies to the first request that matches. */
  readonly faults: { readonly on: RegExp; readonly fault: Fault }[] = [];
  private server?: Server;

  /** Starts the server and returns its address. With certificates, it uses TLS and requests a client certificate. */
  async start(port = 0, tls?: ServerOptions): Promise<string> {
    const handle = (request: IncomingMessage, response: ServerResponse) =>
      this.handle(request, response);
    const server = tls
      ? createTlsServer({ ...tls, requestCert: true }, handle)
      : createServer(handle);
    this.server = server;
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    return `${tls ? "https" : "http"}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => this.server?.close(resolve));
  }

  /** The requests that change something. */
  get writes(): string[] {
    return this.requests.filter((request) => /^(PUT|PATCH|DELETE) /.test(request));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk);
    }
    const text = Buffer.concat(chunks).toString();
    const url = new URL(request.url ?? "/", "http://fake");
    const line = `${request.method} ${decodeURIComponent(url.pathname)}${url.searchParams.has("create") ? "?create=true" : ""}`;
    this.requests.push(line);
    if (request.socket instanceof TLSSocket) {
      this.clients.add(String(request.socket.getPeerCertificate().subject.CN));
    }
    const index = this.faults.findIndex(({ on }) => on.test(line));
    const [taken] = index < 0 ? [] : this.faults.splice(index, 1);
    const fault = taken?.fault;
    if (fault?.kind === "reset") {
      request.socket.resetAndDestroy();
      return;
    }
    if (fault?.kind === "slow") {
      // The client and the test may have ended.
      await setTimeout(fault.ms, undefined, { ref: false });
    }
    if (fault?.kind === "meanwhile") {
      fault.act(this);
    }
    if (fault?.kind === "status") {
      fault.act?.();
    }
    const [status, answer] =
      fault?.kind === "status"
        ? [fault.status, fault.body ?? { error: `fault ${fault.status}` }]
        : this.answer(request.method ?? "GET", url, text === "" ? undefined : JSON.parse(text));
    const body = typeof answer === "string" ? answer : `${pretty(answer)}\n`;
    if (fault?.kind === "truncated") {
      response.writeHead(status, { "content-length": body.length });
      response.write(body.slice(0, body.length / 2));
      await setTimeout(10);
      request.socket.destroy();
      return;
    }
    response.writeHead(status);
    response.end(fault?.kind === "cut" ? body.slice(0, body.length / 2) : body);
  }

  private answer(method: string, url: URL, body: Json): [number, Json] {
    const path = url.pathname;
    const name = decodeURIComponent(path.split("/").pop() ?? "");
    if (path === "/_cluster/health") {
      const enough = this.nodes >= Number(url.searchParams.get("wait_for_nodes")?.slice(2));
      return [
        enough ? 200 : 408,
        { status: "green", timed_out: !enough, number_of_nodes: this.nodes },
      ];
    }
    if (path === "/_index_template/_simulate") {
      const refusal = this.refusal("", body);
      return refusal ?? [200, { template: normalize(this.composed(body)) }];
    }
    if (path.startsWith("/_index_template/_simulate_index/")) {
      const matching = [...this.templates.values()]
        .filter(({ index_patterns }) =>
          index_patterns.some((pattern: string) =>
            new RegExp(`^${pattern.replace(/[.+%[\]^]/g, "\\$&").replaceAll("*", ".*")}$`).test(
              name,
            ),
          ),
        )
        .sort((a, b) => (b.priority ?? 0) - (a.priority ?? 0));
      if (this.streams.has(name)) {
        const reason = `index, alias, and data stream names need to be unique, but the following duplicates were found [data stream [${name}] conflicts with index]`;
        return [500, { error: { type: "illegal_state_exception", reason }, status: 500 }];
      }
      return [200, matching[0] ? { template: normalize(this.composed(matching[0]), name) } : {}];
    }
    if (path === "/groundwork-no-index-*/_search") {
      return searched(body.query);
    }
    if (path === "/.opendistro_security/_source/internalusers") {
      const users = JSON.stringify(Object.fromEntries(this.security.internalusers));
      return [200, { internalusers: Buffer.from(users).toString("base64") }];
    }
    if (path === "/_ingest/pipeline/_simulate") {
      return [
        200,
        { docs: body.docs.map(({ _source }: Json) => ingested(body.pipeline, _source)) },
      ];
    }
    if (path.startsWith("/_ingest/pipeline/") && method !== "DELETE") {
      if (method === "PUT") {
        this.pipelines.set(name, body);
        return [200, { acknowledged: true }];
      }
      const pipeline = this.pipelines.get(name);
      return pipeline ? [200, { [name]: pipeline }] : [404, {}];
    }
    if (path.startsWith("/_plugins/_ism/")) {
      return (
        this.indexManagement?.answer(method, url, body) ?? [
          400,
          { error: `no handler found for uri [${path}?pretty] and method [${method}]` },
        ]
      );
    }
    if (path.startsWith("/_plugins/_security/api/")) {
      return this.answerSecurity(method, path.slice("/_plugins/_security/api/".length), body);
    }
    if (path.startsWith("/_data_stream/") && method === "GET") {
      const stream = this.streams.get(name);
      return stream ? [200, { data_streams: [{ name, ...stream }] }] : [404, {}];
    }
    if (path in this.listed) {
      return this.list(path);
    }
    if (path.startsWith("/_all/_settings/")) {
      return [
        200,
        Object.fromEntries([...this.indices].map(([each, settings]) => [each, { settings }])),
      ];
    }
    if (method === "DELETE") {
      const [, of] = path.split("/");
      const removed = this.listed[`/${of === "_ingest" ? "_ingest/pipeline" : of}`].delete(name);
      return removed ? [200, { acknowledged: true }] : [404, { error: `${name} not found` }];
    }
    const kind = path.startsWith("/_component_template/") ? "component" : "index";
    const all = kind === "component" ? this.components : this.templates;
    const stored = all.get(name);
    if (method === "PUT") {
      if (url.searchParams.has("create") && stored) {
        return [400, { error: { reason: `${kind} template [${name}] already exists` } }];
      }
      const refusal = kind === "index" && this.refusal(name, body);
      if (refusal) {
        return refusal;
      }
      all.set(name, body);
      return [200, { acknowledged: true }];
    }
    if (!stored) {
      return [404, { error: `${kind} template matching [${name}] not found` }];
    }
    if (path.startsWith("/_index_template/_simulate/")) {
      return [200, { template: normalize(this.composed(stored)) }];
    }
    const { template: _, ...outside } = stored;
    const meta = {
      ...(kind === "index" && { composed_of: [] }),
      ...outside,
      ...(stored.priority !== undefined && { priority: Number(stored.priority) }),
      ...(stored.version !== undefined && { version: Number(stored.version) }),
      ...(stored.data_stream && { data_stream: { timestamp_field: { name: "@timestamp" } } }),
    };
    return [200, { [`${kind}_templates`]: [{ name, [`${kind}_template`]: meta }] }];
  }

  private get listed(): Record<string, Map<string, Json>> {
    return {
      "/_component_template": this.components,
      "/_data_stream": this.streams,
      "/_index_template": this.templates,
      "/_ingest/pipeline": this.pipelines,
      "/_template": this.legacyTemplates,
    };
  }

  private list(path: string): [number, Json] {
    const all = [...this.listed[path]];
    const kind = path.split("_")[1];
    switch (path) {
      case "/_ingest/pipeline":
        return [all.length > 0 ? 200 : 404, Object.fromEntries(all)];
      case "/_template":
        return [200, Object.fromEntries(all)];
      case "/_data_stream":
        return [200, { data_streams: all.map(([name, body]) => ({ name, ...body })) }];
      default:
        return [
          200,
          {
            [`${kind}_templates`]: all.map(([name, body]) => ({
              name,
              [`${kind}_template`]: body,
            })),
          },
        ];
    }
  }

  /** Returns a template with what its components have. */
  private composed({ composed_of = [], ...body }: Json): Json {
    const parts = [...composed_of.map((name: string) => this.components.get(name)), body];
    return {
      ...body,
      template: parts.reduce((all, part) => merged(all, inNormalForm(part.template ?? {})), {}),
    };
  }

  private answerSecurity(method: string, path: string, body: Json): [number, Json] {
    if (path === "cache") {
      return [200, { status: "OK", message: "Cache flushed successfully." }];
    }
    if (path === "audit") {
      return [200, { _readonly: [], config: this.audit }];
    }
    if (path === "securityconfig") {
      for (const { op, path: pointer, value } of method === "PATCH" ? body : []) {
        const [, name] = /^\/config\/dynamic\/(authc\/\w+|http)$/.exec(pointer) ?? [];
        if (op !== "add" || name === undefined) {
          return [400, { status: "BAD_REQUEST", message: `not supported: ${op} ${pointer}` }];
        }
        // As the server stores the whole configuration again.
        for (const listener of this.listeners.values()) {
          listener.ignore_hosts = listener.ignore_hosts?.length > 0 ? listener.ignore_hosts : null;
        }
        if (name === "http") {
          this.dynamic.http = { ...INITIAL_DYNAMIC.http, ...value };
          continue;
        }
        const backend = { config: {}, ...value.authentication_backend };
        this.dynamic.authc[name.slice("authc/".length)] = {
          ...{ description: null, ...value },
          authentication_backend: backend,
        };
      }
      return method === "PATCH"
        ? [200, { status: "OK", message: "Resource updated." }]
        : [200, { config: { dynamic: this.dynamic } }];
    }
    if (path === "audit/config") {
      this.audit = {
        ...body,
        audit: { ...INITIAL_AUDIT.audit, ...body.audit },
        compliance: { ...INITIAL_AUDIT.compliance, ...body.compliance },
      };
      return [200, { status: "OK", message: "'config' updated." }];
    }
    if (path.startsWith("authfailurelisteners")) {
      const [, name] = path.split("/");
      if (name) {
        const { authentication_backend = null, ...rest } = body;
        this.listeners.set(name, { name, authentication_backend, ...rest });
      }
      return [200, Object.fromEntries(this.listeners)];
    }
    const [kind, name] = path.split("/") as [(typeof KINDS)[number], string | undefined];
    const stored = this.security[kind];
    if (!name) {
      return [
        200,
        Object.fromEntries([...stored].map(([each, value]) => [each, shown(kind, value)])),
      ];
    }
    const existing = stored.get(name);
    if (method === "PUT") {
      stored.set(name, body);
      return existing
        ? [200, { status: "OK", message: `'${name}' updated.` }]
        : [201, { status: "CREATED", message: `'${name}' created.` }];
    }
    if (!existing) {
      return [404, { status: "NOT_FOUND", message: `${kind} '${name}' not found.` }];
    }
    if (method === "DELETE") {
      stored.delete(name);
      return [200, { status: "OK", message: `'${name}' deleted.` }];
    }
    return [200, { [name]: shown(kind, existing) }];
  }

  /** Returns OpenSearch's error if a component is missing, or another template has overlapping patterns and the same priority. */
  private refusal(name: string, body: Json): [number, Json] | undefined {
    const missing = (body.composed_of ?? []).filter((one: string) => !this.components.has(one));
    if (missing.length > 0) {
      return [400, { error: { reason: `component templates [${missing}] that do not exist` } }];
    }
    for (const [other, stored] of this.templates) {
      const overlap = stored.index_patterns.some((pattern: string) =>
        body.index_patterns.includes(pattern),
      );
      if (other !== name && overlap && (stored.priority ?? 0) === (body.priority ?? 0)) {
        return [400, { error: { reason: `patterns of [${other}] have the same priority` } }];
      }
    }
    return undefined;
  }
}

/** Answers about a query as if no index matches: only the parser decides, except for one that takes its values from an index. */
function searched(query: Json): [number, Json] {
  const reason = parseErrorOf(query);
  if (reason !== undefined) {
    const error = { type: "parsing_exception", reason };
    return [400, { error: { root_cause: [error], ...error }, status: 400 }];
  }
  const [lookup] = Object.values<Json>(query.terms ?? {}).flatMap(({ index }) => index ?? []);
  return lookup === undefined
    ? [200, { timed_out: false, hits: { total: { value: 0, relation: "eq" }, hits: [] } }]
    : [404, { error: { type: "index_not_found_exception", reason: `no such index [${lookup}]` } }];
}

/** Returns an object as the security plugin shows it: with all its fields, an empty hash, and masked passwords in attributes. */
function shown(kind: (typeof KINDS)[number], { hash: _, ...value }: Json): Json {
  const flags = { reserved: false, hidden: false };
  if (kind === "internalusers") {
    const attributes = Object.fromEntries(
      Object.entries(value.attributes ?? {}).map(([name, text]) => [
        name,
        name === "password" ? "******" : text,
      ]),
    );
    return {
      ...{ hash: "", ...flags, reserved: value.reserved ?? false, backend_roles: [], attributes },
      ...{ opendistro_security_roles: [], description: value.description, static: false },
    };
  }
  if (kind === "rolesmapping") {
    return { hosts: [], users: [], ...flags, backend_roles: [], and_backend_roles: [], ...value };
  }
  const { index_permissions = [], ...rest } = value;
  const permissions = index_permissions.map(({ index_patterns, ...actions }: Json) => ({
    ...{ index_patterns, fls: [], masked_fields: [], ...actions },
  }));
  return {
    ...{ ...flags, tenant_permissions: [], static: false, ...rest },
    index_permissions: permissions,
  };
}

/** Nests settings below `index`, turns every scalar into a string, and fills in `{index}` in the names of aliases. */
function normalize({ template }: Json, index = `simulate_template_index_${"x".repeat(22)}`): Json {
  const { settings, aliases = {}, ...rest } = template ?? {};
  const named = Object.entries(aliases).map(([alias, body]) => [
    alias.replace("{index}", index),
    body,
  ]);
  // Not in the declared order.
  return {
    aliases: Object.fromEntries(named),
    ...rest,
    ...(settings && { settings: nested(settings) }),
  };
}

/** Returns what a simulation says of a document, for some processors. */
function ingested({ processors }: Json, source: Json): Json {
  let result = { ...source };
  for (const processor of processors) {
    const [[type, { field, value, message }]] = Object.entries<Json>(processor);
    switch (type) {
      case "set":
        result = { ...result, [field]: value };
        break;
      case "lowercase":
        result = { ...result, [field]: result[field].toLowerCase() };
        break;
      case "drop":
        return null;
      case "fail":
        return { error: { root_cause: [{ reason: message }], type: "x", reason: message } };
    }
  }
  const _ingest = { timestamp: "2026-11-30T12:00:00Z" };
  return { doc: { _index: "_index", _id: "_id", _source: result, _ingest } };
}

/** Returns a template whose settings are nested, so that it can be merged. */
const inNormalForm = ({ settings, ...rest }: Json): Json => ({
  ...rest,
  ...(settings && { settings: nested(settings) }),
});

/** Merges objects. Of other values, the later one counts. */
function merged(one: Json, other: Json): Json {
  const isObject = (value: Json) =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject(one) || !isObject(other)) {
    return other;
  }
  const result = { ...one };
  for (const [key, value] of Object.entries(other)) {
    result[key] = Object.hasOwn(one, key) ? merged(one[key], value) : value;
  }
  return result;
}

function nested(settings: Json): Json {
  const result: Json = {};
  const add = (path: string, value: Json) => {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      for (const [key, item] of Object.entries(value)) {
        add(`${path}${path && "."}${key}`, item);
      }
      return;
    }
    const keys = (path.startsWith("index.") ? path : `index.${path}`).split(".");
    const last = keys.pop() as string;
    let target = result;
    for (const key of keys) {
      target[key] ??= {};
      target = target[key];
    }
    target[last] = Array.isArray(value) ? value.map(String) : String(value);
  };
  add("", settings);
  return result;
}

/** Formats JSON as OpenSearch does with `?pretty`. */
function pretty(value: Json, indent = ""): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    return value.length === 0
      ? "[ ]"
      : `[\n${value.map((item) => inner + pretty(item, inner)).join(",\n")}\n${indent}]`;
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    return entries.length === 0
      ? "{ }"
      : `{\n${entries.map(([key, item]) => inner + prettyField(key, item, inner)).join(",\n")}\n${indent}}`;
  }
  return JSON.stringify(value);
}

const prettyField = (key: string, value: Json, indent: string) =>
  value instanceof OneLine
    ? `${JSON.stringify(key)}:${JSON.stringify(value)}`
    : `${JSON.stringify(key)} : ${pretty(value, indent)}`;

/** Returns a client that asks a server at an address as curl does. */
export const resourcesAt = (address: string) =>
  new OpenSearchResources(async (_, { method = "GET", path, body }) => {
    const answer = await fetch(`${address}${path}`, {
      method,
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return answer.ok
      ? { exitCode: 0, output: text }
      : {
          exitCode: 22,
          output: `${text}curl: (22) The requested URL returned error: ${answer.status}`,
        };
  }, "opensearch-1");

/** Returns a function that starts a server with faults, and returns it with its URL. Stops all of them after the tests of a file or group. */
export function fakeOpenSearches() {
  const servers: FakeOpenSearch[] = [];
  afterAll(() => Promise.all(servers.map((server) => server.stop())));
  return async (...faults: [RegExp, Fault][]): Promise<[FakeOpenSearch, string]> => {
    const server = new FakeOpenSearch();
    servers.push(server);
    server.faults.push(...faults.map(([on, fault]) => ({ on, fault })));
    return [server, await server.start()];
  };
}
