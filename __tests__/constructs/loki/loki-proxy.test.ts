import { laptop } from "../../../environments/laptop";
import { knownEnvironments } from "../../../operations/synthesis/environment";
import { machineOf } from "../../../stacks/placement";
import {
  container,
  containers,
  fileOf,
  type Json,
  resources,
  synthesize,
} from "../../support/platform";

const environment = { ...knownEnvironments.production, name: "secured" };
const { stacks } = synthesize(environment);
const proxy = container(stacks, "loki-proxy");
const config = fileOf(proxy, "/groundwork/haproxy.cfg");

const networksOf = (body: Json) => body.networks_advanced.map(({ name }: Json) => name);

test("only its proxy reaches a secured Loki, under Loki's name", () => {
  const [network] = resources(stacks, "docker_network").filter(({ name }) => name === "loki_net");
  expect(network).toMatchObject({
    internal: true,
    // Otherwise every user of the host could reach Loki.
    options: { "com.docker.network.bridge.inhibit_ipv4": "true" },
  });
  expect(networksOf(container(stacks, "loki"))).toEqual(["loki_net"]);
  expect(
    containers(stacks)
      .filter((body) => networksOf(body).includes("loki_net"))
      .map(({ name }) => name),
  ).toEqual(["loki", "loki-proxy"]);
  expect(proxy.networks_advanced).toEqual([
    { name: "infra_net", aliases: ["loki"] },
    // With the alias there, too, it would reach itself.
    { name: "loki_net" },
  ]);
  expect(config).toContain("server loki loki.loki_net:3100 ");
});

test("a plaintext Loki has no proxy", () => {
  const { stacks: plaintext } = synthesize(laptop);
  expect(containers(plaintext).map(({ name }) => name)).not.toContain("loki-proxy");
  expect(networksOf(container(plaintext, "loki"))).toEqual(["infra_net"]);
});

test("the proxy is on Loki's machine, wherever that is, and is not placed itself", () => {
  const machines = ["a", "b"].map((name, i) => ({
    name,
    engine: `ssh://ops@${name}`,
    address: `10.0.0.${i + 1}`,
  }));
  const placed = { ...environment, machines, placement: { loki: "b" } };
  expect(machineOf(placed, "loki-proxy")?.name).toBe("b");
  const names = (stack: Json) =>
    Object.values<Json>(stack.resource.docker_container).map(({ name }) => name);
  expect(names(synthesize(placed).stacks["secured-observability-b"])).toEqual(
    expect.arrayContaining(["loki", "loki-proxy"]),
  );
  expect(() => synthesize({ ...placed, placement: { "loki-proxy": "b" } })).toThrow(
    'environment "secured" places an unknown container "loki-proxy"',
  );
});

test("the proxy presents Loki's certificate, and requires one of the CA", () => {
  const key = "../../../.state/secured/secrets";
  expect(
    proxy.upload.flatMap(({ file, source, permissions }: Json) =>
      source ? [[file, source, permissions]] : [],
    ),
  ).toEqual([
    ["/groundwork/tls/ca-bundle.pem", `${key}/ca/bundle.pem`, "0444"],
    ["/groundwork/tls/key-pair.pem", `${key}/key-pairs/loki.pem`, "0444"],
  ]);
  expect(config).toContain(
    "bind :3100 ssl crt /groundwork/tls/key-pair.pem ca-file /groundwork/tls/ca-bundle.pem verify required ca-ignore-err X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT alpn http/1.1\n",
  );
  expect(config.match(/^ +bind .*/gm)).toEqual([
    expect.stringContaining("bind :3100 ssl"),
    "    bind 127.0.0.1:3101",
  ]);
});

/** A request as a client sends it, and the subject of the client's certificate. */
interface Request {
  readonly subject: string;
  readonly method: string;
  readonly url: string;
  readonly upgrade?: string;
}

/** Returns whether the rules of haproxy.cfg allow a request. */
function allows({ subject, method, url, upgrade }: Request): boolean {
  const [frontend] = config.split("frontend health");
  const samples: Record<string, string | undefined> = {
    "ssl_c_s_dn(,0,rfc2253)": subject,
    url,
    "req.fhdr(upgrade)": upgrade,
  };
  const conditions = new Map<string, boolean>([
    ["METH_GET", method === "GET"],
    ["METH_POST", method === "POST"],
  ]);
  for (const [, name, sample, how, pattern = ""] of frontend.matchAll(
    /^ +acl (\w+) (\S+) -m (str -i|str|reg|found)(?: (.+))?$/gm,
  )) {
    expect(Object.keys(samples)).toContain(sample);
    const value = samples[sample];
    const holds =
      value !== undefined &&
      {
        str: value === pattern,
        "str -i": value.toLowerCase() === pattern,
        reg: new RegExp(pattern.replace(/^'(.*)'$/, "$1")).test(value),
        found: true,
      }[how as "str"];
    conditions.set(name, conditions.get(name) || holds);
  }
  const rules = [...frontend.matchAll(/^ +http-request (allow if .+|deny deny_status 403 .+)$/gm)];
  expect(rules.at(-1)?.[1]).toMatch(/^deny .*"$/);
  return rules.slice(0, -1).some(([, rule]) =>
    rule
      .replace("allow if ", "")
      .split(" ")
      .every((term) => {
        const holds = conditions.get(term.replace("!", ""));
        expect([term, holds]).toEqual([term, expect.any(Boolean)]);
        return holds !== term.startsWith("!");
      }),
  );
}

const READS = [
  ...["query", "query_range", "labels", "series", "patterns", "index/stats", "index/volume"],
  ...["index/volume_range", "detected_fields", "detected_labels", "drilldown-limits"],
  ...["status/buildinfo", "format_query", "label/service_name/values", "rules"],
  "detected_field/http.status-code/values",
].map((path) => `/loki/api/v1/${path}`);

const REQUESTS: Readonly<Record<string, readonly Omit<Request, "subject">[]>> = {
  "CN=alloy": [
    { method: "POST", url: "/loki/api/v1/push" },
    { method: "GET", url: "/metrics" },
  ],
  "CN=grafana": [
    ...READS.flatMap((url) => [url, `${url}?query=%7Ba%3D%22b%22%7D&start=1`]),
    ...["/prometheus/api/v1/rules", "/prometheus/api/v1/alerts", "/api/prom/rules"],
  ].map((url) => ({ method: "GET", url })),
  "CN=checks": READS.map((url) => ({ method: "GET", url })),
};
const TAIL = { method: "GET", url: "/loki/api/v1/tail?query=1", upgrade: "WebSocket" };
const ALL = [...new Set(Object.values(REQUESTS).flat()), TAIL];

test.each(Object.entries(REQUESTS))("the proxy allows %s what it needs", (subject, requests) => {
  expect(requests.filter((request) => !allows({ subject, ...request }))).toEqual([]);
});

test("only Grafana follows logs", () => {
  const subjects = ["CN=grafana", "CN=alloy", "CN=checks"];
  expect(subjects.filter((subject) => allows({ subject, ...TAIL }))).toEqual(["CN=grafana"]);
  expect(allows({ subject: "CN=grafana", ...TAIL, upgrade: "h2c" })).toBe(false);
});

test.each([
  ...["CN=loki", "CN=prometheus", "CN=kafka-1", "CN=os-admin", "CN=grafana,O=other"],
  ...["CN=grafana,CN=other", "O=other", "", "cn=grafana", "CN=alloy2"],
])('the proxy allows the subject "%s" nothing', (subject) => {
  expect(ALL.filter((request) => allows({ subject, ...request }))).toEqual([]);
});

test("clients get neither what another one needs nor another method", () => {
  expect(allows({ subject: "CN=alloy", method: "GET", url: READS[0] })).toBe(false);
  for (const subject of ["CN=grafana", "CN=checks"]) {
    expect(REQUESTS["CN=alloy"].filter((request) => allows({ subject, ...request }))).toEqual([]);
  }
  for (const method of ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"]) {
    expect(READS.filter((url) => allows({ subject: "CN=grafana", method, url }))).toEqual([]);
  }
});

/** Paths that stop, change or show more of Loki, and other spellings of allowed paths. */
const OTHERS = [
  ...["/ingester/shutdown", "/ingester/shutdown?terminate=false", "/ingester/prepare_shutdown"],
  ...["/flush", "/ring", "/compactor/ring", "/log_level", "/config", "/services", "/memberlist"],
  ...[
    "/debug/pprof/",
    "/debug/pprof/heap",
    "/debug/fgprof",
    "/loki/api/v1/delete",
    "/",
    "/otlp/v1/logs",
  ],
  ...["/loki/api/v1/rules/fake", "/api/prom/push", "/api/prom/query", "/loki/api/v1/push/"],
  ...["//loki/api/v1/labels", "/loki/api/v1//labels", "/loki/./api/v1/labels", "/x/../metrics"],
  ...["/loki/api/v1/label/../delete/values", "/loki/api/v1/label/a/../values", "/%6Detrics"],
  ...["/loki/api/v1/label/a%2fb/values", "/loki/api/v1/labels%3f", "/loki/api/v1/labels;/flush"],
  ...["/flush?x=/loki/api/v1/labels", "https://loki:3100/loki/api/v1/labels", "/METRICS"],
  ...["/loki/api/v1/labels#/flush", "/loki/api/v1/tail", "/ready", "/metrics?x=1"],
];

test("the proxy allows no client an administrative path, however it is spelled", () => {
  for (const subject of Object.keys(REQUESTS)) {
    for (const method of ["GET", "POST", "DELETE"]) {
      expect(OTHERS.filter((url) => allows({ subject, method, url }))).toEqual([]);
    }
  }
});
