import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DOCKER_CLI_IMAGE, HAPROXY_IMAGE } from "../../constructs";
import { labSecured } from "../../lab/environments";
import { Platform } from "../../operations/platform/platform";
import { makeKeyPair } from "../../secrets/certificates";
import {
  type Answers,
  answersOf,
  askAs,
  expectAnswers,
  type Status,
  type Visitors,
} from "./authorization-matrix";
import { eventually } from "./eventually";
import { type Issued, issue, keyAs } from "./issued";
import { docker, run, TRIAL } from "./lab";
import { container, type Json, synthesize } from "./platform";
import type { SecuredProject } from "./secured";

const PRINCIPALS = [
  ...(["nobody", "wrong-password", "unknown-ca", "other-grafana", "shop", "kafka-init"] as const),
  ...(["os-init", "checks", "alloy", "grafana", "loki", "prometheus", "kafka-1"] as const),
  ...(["opensearch-1", "os-admin"] as const),
];
type Principal = (typeof PRINCIPALS)[number];

const UNAUTHENTICATED: Partial<Record<Principal, Status>> = {
  nobody: "no answer",
  "wrong-password": "no answer",
  "unknown-ca": "no answer",
  shop: "no answer",
};

interface Operation {
  readonly operation: string;
  /** The method and path. */
  readonly request: `${"GET" | "POST" | "DELETE"} /${string}`;
  readonly body?: string;
  readonly answers: Answers<Principal, Status>;
}

const READERS = { checks: 200, grafana: 200, others: 403 };
const NONE = { others: 403 };

const OPERATIONS: readonly Operation[] = [
  {
    operation: "write logs",
    request: "POST /loki/api/v1/push",
    body: '{"streams":[]}',
    answers: { alloy: 200, others: 403 },
  },
  {
    operation: "read its metrics",
    request: "GET /metrics",
    answers: { alloy: 200, others: 403 },
  },
  {
    operation: "query logs",
    request: "GET /loki/api/v1/query_range?query=%7Bservice%3D%22a%22%7D&limit=1",
    answers: READERS,
  },
  {
    operation: "query numbers",
    request: "GET /loki/api/v1/query?query=vector(1)",
    answers: READERS,
  },
  { operation: "list the labels", request: "GET /loki/api/v1/labels", answers: READERS },
  {
    operation: "list the values of a label",
    request: "GET /loki/api/v1/label/container/values",
    answers: READERS,
  },
  { operation: "read its version", request: "GET /loki/api/v1/status/buildinfo", answers: READERS },
  { operation: "stop it", request: "GET /ingester/shutdown", answers: NONE },
  { operation: "stop it with POST", request: "POST /ingester/shutdown", answers: NONE },
  {
    operation: "have it accept no logs",
    request: "GET /ingester/shutdown?terminate=false",
    answers: NONE,
  },
  {
    operation: "prepare its shutdown",
    request: "POST /ingester/prepare_shutdown",
    answers: NONE,
  },
  { operation: "flush its chunks", request: "GET /flush", answers: NONE },
  { operation: "delete logs", request: "POST /loki/api/v1/delete?query=%7B%7D", answers: NONE },
  { operation: "cancel deletions", request: "DELETE /loki/api/v1/delete", answers: NONE },
  { operation: "change what it logs", request: "POST /log_level?log_level=debug", answers: NONE },
  { operation: "have it forget itself", request: "POST /ring", answers: NONE },
  { operation: "read its configuration", request: "GET /config", answers: NONE },
  { operation: "read its memory", request: "GET /debug/pprof/heap", answers: NONE },
  {
    operation: "write a rule",
    request: "POST /loki/api/v1/rules/mine",
    body: "name: mine",
    answers: NONE,
  },
];

/** The network of Loki and its proxy. */
const LOKI_NET = "loki_net";

/** Starts a container as an environment declares it, with the secrets of a deployed project. */
function start(body: Json, image: string, project: SecuredProject): void {
  const files = mkdtempSync(join(tmpdir(), "groundwork-files-"));
  for (const { file, content, source } of body.upload) {
    const path = join(files, file);
    mkdirSync(dirname(path), { recursive: true });
    if (source) {
      cpSync(join(project.folder, "cdktf.out", "stacks", body.name, source), path);
    } else {
      writeFileSync(path, content);
    }
    chmodSync(path, 0o444);
  }
  const [first, ...others] = body.networks_advanced;
  const aliases = (first.aliases ?? []).flatMap((alias: string) => ["--network-alias", alias]);
  const [entrypoint, ...args] = body.entrypoint;
  docker(
    ...["create", ...TRIAL, "--init", "--name", body.name, "--network", first.name, ...aliases],
    // The user of the official image.
    ...["--user", "99:99", "--cap-drop", "ALL", "--security-opt", "no-new-privileges:true"],
    ...["--entrypoint", entrypoint, image, ...args],
  );
  for (const { name } of others) {
    docker("network", "connect", name, body.name);
  }
  docker("cp", `${files}/.`, `${body.name}:/`);
  rmSync(files, { recursive: true });
  docker("start", body.name);
}

/** Tries every operation on Loki as every principal, through the proxy that a secured environment declares. A stand-in answers for Loki. */
export function testLokiAuthorization(visitors: () => Visitors): void {
  const { infra, project: projectNetwork } = labSecured.networks;
  const url = `https://loki.${infra.name}:3100`;
  const { stacks } = synthesize({ ...labSecured, excludedServices: ["alloy", "grafana"] });
  const proxy = container(stacks, "loki-proxy");
  const insider = (...command: string[]) => visitors().guests.infra_net.run(...command);
  const get = (principal: string, path: string, ...options: string[]) =>
    insider(
      ...["curl", "--silent", "--path-as-is", "--cacert", "ca.pem", "--config", principal],
      ...["--write-out", " %{http_code}", ...options, `${url}${path}`],
    ).output;
  const isReady = () => {
    const { exitCode, output } = run("docker", [
      "exec",
      "loki-proxy",
      ...proxy.healthcheck.test.slice(1),
    ]);
    return exitCode === 0 ? [] : [output];
  };

  beforeAll(async () => {
    const { project } = visitors();
    const ca = readFileSync(join(project.secrets, "ca", "ca.pem"), "utf8");
    visitors().put("other-grafana.pem", await makeKeyPair(ca, "grafana,O=other", ["grafana"]));
    const passwords: Partial<Record<Principal, string>> = {
      nobody: "",
      "wrong-password": 'user = "shop:wrong"',
      shop: `user = "shop:${project.passwordOf("shop")}"`,
    };
    for (const principal of PRINCIPALS) {
      visitors().put(principal, `${passwords[principal] ?? `cert = ${principal}.pem`}\n`);
    }
    docker(
      ...[
        "network",
        "create",
        "--internal",
        "--opt",
        "com.docker.network.bridge.inhibit_ipv4=true",
      ],
      LOKI_NET,
    );
    docker(
      ...["create", ...TRIAL, "--init", "--name", "loki", "--network", LOKI_NET],
      ...["--entrypoint", "haproxy", HAPROXY_IMAGE, "-db", "-f", "/stand-in.cfg"],
    );
    docker("cp", join(__dirname, "loki-stand-in.cfg"), "loki:/stand-in.cfg");
    docker("start", "loki");
    start(proxy, HAPROXY_IMAGE, project);
    await eventually(isReady);
  });

  afterAll(() => {
    run("docker", ["rm", "--force", "loki-proxy", "loki"]);
    run("docker", ["network", "rm", LOKI_NET]);
  });

  describe("Loki allows only permitted principals to", () => {
    test.each(OPERATIONS)("$operation", ({ operation, request, body, answers }) => {
      const [method, path] = request.split(" ");
      expectAnswers(
        operation,
        askAs(PRINCIPALS, insider, method, `${url}${path}`, body),
        answersOf(PRINCIPALS, UNAUTHENTICATED, answers),
      );
    });

    test("follow logs", () => {
      const websocket = ["Upgrade: WebSocket", "Connection: Upgrade"].flatMap((header) => [
        ...["--header", header],
      ]);
      const path = "/loki/api/v1/tail?query=%7B%7D";
      const keys = ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="];
      const options = [...websocket, ...keys.flatMap((header) => ["--header", header])];
      expect(get("grafana", path, ...options)).toBe(`GET ${path} WebSocket 200`);
      for (const [principal, other, headers] of [
        ["alloy", path, options],
        ["checks", path, options],
        // A protocol upgrade bypasses the rules.
        ["grafana", "/loki/api/v1/labels", options],
        ["grafana", path, ["--header", "Upgrade: h2c", "--header", "Connection: Upgrade"]],
        ["grafana", path, []],
      ] as const) {
        expect([principal, other, get(principal, other, ...headers)]).toEqual([
          ...[principal, other, expect.stringMatching(/ 403$/)],
        ]);
      }
    });
  });

  test("the checks of npm run up and npm run hello get answers through the proxy", async () => {
    const path = "/loki/api/v1/label/container/values";
    const { exitCode, output } = await new Platform(labSecured).loki.get(path);
    expect([exitCode, output.trim()]).toEqual([0, `GET ${path}`]);
  });

  test("requests reach Loki as they were sent, also long ones", () => {
    const path = `/loki/api/v1/query?query=%7Ba%3D%22/../flush%22%7D&b=${"b".repeat(50_000)}`;
    expect(get("grafana", path)).toBe(`GET ${path}  200`);
  });

  test("no spelling of a path leads elsewhere", () => {
    const paths = [
      ...["//flush", "/loki/api/v1/label/../../../../flush", "/loki/api/v1/labels/../delete"],
      ...["/loki/api/v1/label/a/../../delete/values", "/loki/api/v1/label/a%2f..%2f../values"],
      ...["/%6cok%69/api/v1/labels", "/loki/api/v1//labels", "/./loki/api/v1/labels"],
      ...["/flush?/loki/api/v1/labels", "/LOKI/api/v1/labels", "/loki/api/v1/labels/"],
    ];
    const answers = paths.map((path) => [path, get("grafana", path).slice(-4)]);
    expect(answers).toEqual(paths.map((path) => [path, " 403"]));
    for (const target of [`${url}/flush`, `${url}/loki/api/v1/labels`, "/flush"]) {
      const answer = get("grafana", "/loki/api/v1/labels", "--request-target", target);
      expect([target, answer.slice(-4)]).toEqual([target, " 403"]);
    }
    // With HTTP/2, there is no request line to match.
    expect(get("grafana", "/flush", "--http2-prior-knowledge")).toMatch(/ 403$/);
  });

  test("the proxy explains and logs a denied request, with the certificate", () => {
    expect(get("prometheus", "/flush")).toBe(
      "Loki's proxy does not allow this request with the certificate CN=prometheus: constructs/loki/haproxy.cfg lists what each client may request\n 403",
    );
    const log = docker("logs", "loki-proxy");
    expect(log).toMatch(/ 403 .* \{CN=prometheus\} "GET \/flush HTTP\/1\.1"/);
    // What it allows is several lines a second.
    expect(log).not.toMatch(/ proxy~ loki\/loki \S+ 200 /);
  });

  test("nothing reaches Loki around its proxy, nor the proxy without TLS", () => {
    const addressOf = (name: string, network: string) =>
      docker(
        ...["inspect", name, "--format"],
        `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`,
      );
    const loki = `http://${addressOf("loki", LOKI_NET)}:3100/ready`;
    const onInfra = addressOf("loki-proxy", infra.name);
    const ask = (network: string, ...urls: string[]) =>
      run("docker", [
        ...["run", ...TRIAL, "--rm", "--network", network, "--entrypoint", "sh", DOCKER_CLI_IMAGE],
        ...["-c", urls.map((one) => `curl --silent --max-time 2 ${one}`).join("; ")],
      ]).output;
    expect(ask(LOKI_NET, loki)).toContain("GET /ready");
    for (const network of [infra.name, projectNetwork.name, "bridge", "host"]) {
      const output = ask(
        ...[network, loki, `http://${onInfra}:3100/ready`, `http://${onInfra}:3101/ready`],
      );
      expect([network, output.includes("GET /ready")]).toEqual([network, false]);
    }
  });

  test("a bundle may have only a CA that another one signed, and its name is not enough", async () => {
    const root = await issue({ name: "root", isCa: true });
    const ca = await issue({ name: "company", isCa: true, issuer: root });
    const forged = await issue({ name: "company", isCa: true, issuer: root });
    const keyPair = async (name: string, issuer: Issued) => {
      const issued = await issue({ name, issuer, hosts: [name, "company-proxy"] });
      return `${keyAs("pkcs8", issued)}${issued.certificate}`;
    };
    const [config] = proxy.upload;
    const upload = [
      config,
      { file: "/groundwork/tls/ca-bundle.pem", content: ca.certificate },
      { file: "/groundwork/tls/key-pair.pem", content: await keyPair("loki", ca) },
    ];
    const networks_advanced = proxy.networks_advanced.map(({ name }: Json) => ({ name }));
    const company = { ...proxy, name: "company-proxy", networks_advanced, upload };
    start(company, HAPROXY_IMAGE, visitors().project);
    visitors().put("company.pem", ca.certificate);
    visitors().put("company-alloy.pem", await keyPair("alloy", ca));
    visitors().put("forged-alloy.pem", await keyPair("alloy", forged));
    const ask = (keyPairFile: string) =>
      insider(
        ...["curl", "--silent", "--cacert", "company.pem", "--cert", keyPairFile],
        ...["--write-out", " %{http_code}", "https://company-proxy:3100/metrics"],
      ).output;
    await eventually(() => {
      const answer = ask("company-alloy.pem");
      return answer === "GET /metrics  200" ? [] : [answer];
    });
    for (const keyPairFile of ["forged-alloy.pem", "alloy.pem"]) {
      expect([keyPairFile, ask(keyPairFile)]).toEqual([keyPairFile, " 000"]);
    }
    docker("rm", "--force", "company-proxy");
  });

  test("the proxy finds Loki again after a restart with another address", async () => {
    const address = () =>
      docker(
        ...["inspect", "loki", "--format"],
        `{{(index .NetworkSettings.Networks "${LOKI_NET}").IPAddress}}`,
      );
    const before = address();
    docker("stop", "loki");
    docker(
      ...["run", ...TRIAL, "--detach", "--name", "in-between", "--network", LOKI_NET],
      ...["--entrypoint", "sleep", DOCKER_CLI_IMAGE, "600"],
    );
    docker("start", "loki");
    expect(address()).not.toBe(before);
    await eventually(() => {
      const answer = get("alloy", "/metrics");
      return answer === "GET /metrics  200" ? [] : [answer];
    });
    docker("rm", "--force", "in-between");
  });
}
