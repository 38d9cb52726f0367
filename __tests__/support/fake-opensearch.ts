import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import type { Json } from "./platform";

/** What happens to one request instead of an answer. */
export type Fault =
  | { readonly kind: "reset" }
  | { readonly kind: "slow"; readonly ms: number }
  | { readonly kind: "status"; readonly status: number; readonly body?: Json }
  /** Fewer bytes than the header promises. */
  | { readonly kind: "truncated" }
  /** As many bytes as the header promises, but not the whole answer. */
  | { readonly kind: "cut" }
  /** An answer of the server's own, after something else was done to it. */
  | { readonly kind: "meanwhile"; readonly act: (server: FakeOpenSearch) => void };

/** The part of OpenSearch's REST API that os-init uses, with its normalisation, and faults by request. */
export class FakeOpenSearch {
  readonly templates = new Map<string, Json>();
  readonly requests: string[] = [];
  nodes = 3;
  /** Consumed one for each request that matches. */
  readonly faults: { readonly on: RegExp; readonly fault: Fault }[] = [];
  private server?: Server;

  async start(port = 0): Promise<string> {
    const server = createServer((request, response) => this.handle(request, response));
    this.server = server;
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => this.server?.close(resolve));
  }

  /** Requests that change something. */
  get writes(): string[] {
    return this.requests.filter(
      (request) => request.startsWith("PUT") || request.startsWith("DEL"),
    );
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk);
    }
    const text = Buffer.concat(chunks).toString();
    const url = new URL(request.url ?? "/", "http://fake");
    const line = `${request.method} ${url.pathname}${url.searchParams.has("create") ? "?create=true" : ""}`;
    this.requests.push(line);
    const index = this.faults.findIndex(({ on }) => on.test(line));
    const [taken] = index < 0 ? [] : this.faults.splice(index, 1);
    const fault = taken?.fault;
    if (fault?.kind === "reset") {
      request.socket.resetAndDestroy();
      return;
    }
    if (fault?.kind === "slow") {
      // The client may be gone by then, and the test with it.
      await setTimeout(fault.ms, undefined, { ref: false });
    }
    if (fault?.kind === "meanwhile") {
      fault.act(this);
    }
    const [status, answer] =
      fault?.kind === "status"
        ? [fault.status, fault.body ?? { error: `fault ${fault.status}` }]
        : this.answer(request.method ?? "GET", url, text === "" ? undefined : JSON.parse(text));
    const body = `${pretty(answer)}\n`;
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
      const clash = this.clash("", body);
      return clash ?? [200, { template: normalise(body) }];
    }
    if (path.startsWith("/_index_template/_simulate_index/")) {
      const matching = [...this.templates.values()]
        .filter(({ index_patterns }) =>
          index_patterns.some((pattern: string) =>
            new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(name),
          ),
        )
        .sort((a, b) => (b.priority ?? 0) - (a.priority ?? 0));
      return [200, matching[0] ? { template: normalise(matching[0]) } : {}];
    }
    const stored = this.templates.get(name);
    if (method === "PUT") {
      if (url.searchParams.has("create") && stored) {
        return [400, { error: { reason: `index template [${name}] already exists` } }];
      }
      const clash = this.clash(name, body);
      if (clash) {
        return clash;
      }
      this.templates.set(name, body);
      return [200, { acknowledged: true }];
    }
    if (!stored) {
      return [404, { error: `index template matching [${name}] not found` }];
    }
    if (path.startsWith("/_index_template/_simulate/")) {
      return [200, { template: normalise(stored) }];
    }
    const { template: _, ...meta } = { composed_of: [], ...stored };
    return [200, { index_templates: [{ name, index_template: meta }] }];
  }

  /** OpenSearch refuses equal priorities on overlapping patterns. */
  private clash(name: string, body: Json): [number, Json] | undefined {
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

/** Settings nested below `index`, every scalar of theirs a string. */
function normalise({ template = {} }: Json): Json {
  const strings = (value: Json): Json =>
    typeof value === "object"
      ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, strings(item)]))
      : String(value);
  const { settings, ...rest } = template;
  // In another order than declared.
  return { aliases: {}, ...rest, ...(settings && { settings: strings(settings) }) };
}

/** As OpenSearch prints with `?pretty`. */
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
      : `{\n${entries.map(([key, item]) => `${inner}${JSON.stringify(key)} : ${pretty(item, inner)}`).join(",\n")}\n${indent}}`;
  }
  return JSON.stringify(value);
}
