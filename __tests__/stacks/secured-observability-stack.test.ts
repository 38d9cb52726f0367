import { CONFIGURATION_DIR } from "../../constructs/opensearch/configuration";
import { laptop } from "../../environments/laptop";
import { knownEnvironments } from "../../operations/synthesis/environment";
import { principalsOf } from "../../secrets/platform-secrets";
import { container, containers, envOf, type Json, synthesize } from "../support/platform";

/** Production with a published Grafana. */
const environment = {
  ...knownEnvironments.production,
  name: "secured",
  hostPorts: laptop.hostPorts,
} as const;
const { stacks } = synthesize(environment);
const KEY_PAIRS = "../../../.state/secured/secrets/key-pairs";
const CA_BUNDLE = "../../../.state/secured/secrets/ca/bundle.pem";

/** Returns the content of a container's file. */
const fileOf = (name: string, path: string): string =>
  container(stacks, name).upload.find(({ file }: Json) => file === path).content;

/** Returns the sources and readers of a container's certificates, by their path in the container. */
const certificatesOf = (name: string): Record<string, [string, string]> =>
  Object.fromEntries(
    container(stacks, name)
      .upload.filter(({ file, source }: Json) => source && file.endsWith(".pem"))
      .map(({ file, source, permissions }: Json) => [file, [source, permissions]]),
  );

describe("a secured environment with all of observability", () => {
  test("has the same services as a plaintext one", () => {
    const names = (of: Record<string, Json>) => containers(of).map(({ name }) => name);
    const plaintext = names(
      synthesize({ ...knownEnvironments.production, security: "none" }).stacks,
    );
    const ofSecurity = ["engine-proxy", "loki-proxy", "os-security"];
    const jobs = plaintext
      .filter((name) => /^(kafka|opensearch)-\d$/.test(name))
      .map((node) => `${node}-certificates`);
    expect(
      names(stacks)
        .filter((name) => jobs.includes(name))
        .sort(),
    ).toEqual(jobs.sort());
    expect(names(stacks).filter((name) => ![...ofSecurity, ...jobs].includes(name))).toEqual(
      plaintext,
    );
    expect(plaintext).toEqual(expect.arrayContaining(["alloy", "grafana", "loki", "prometheus"]));
  });

  test("has a certificate for each principal, and uses each", () => {
    const given = new Set(
      containers(stacks)
        .flatMap(({ upload = [] }) => upload.map(({ source }: Json) => source))
        .filter((source) => source?.startsWith(KEY_PAIRS))
        .map((source) => source.slice(KEY_PAIRS.length + 1, -".pem".length)),
    );
    expect([...given].sort()).toEqual([...principalsOf(environment).keys()].sort());
  });

  test("has no plaintext connections", () => {
    const open = containers(stacks).flatMap((body) =>
      Object.entries(envOf(body))
        .filter(([, value]) => value.includes("http://"))
        .map(([name]) => `${body.name} ${name}`),
    );
    expect(open).toEqual([]);
    expect(envOf(container(stacks, "alloy"))).toMatchObject({
      KAFKA_BOOTSTRAP_SERVERS:
        "kafka-1.infra-net:19092,kafka-2.infra-net:19092,kafka-3.infra-net:19092",
      OPENSEARCH_URL: "https://opensearch:9200",
      LOKI_URL: "https://loki.infra_net:3100",
      PROMETHEUS_URL: "https://prometheus.infra_net:9090",
    });
  });
});

describe("a secured Prometheus", () => {
  const prometheus = container(stacks, "prometheus");

  test("accepts only the certificates of Alloy, Grafana and the checks", () => {
    expect(prometheus.command).toContain("--web.config.file=/etc/prometheus/web.yml");
    const web = fileOf("prometheus", "/etc/prometheus/web.yml");
    expect(web).toContain("client_auth_type: RequireAndVerifyClientCert");
    expect(web).toContain("client_allowed_sans: [alloy, checks, grafana]");
    expect(certificatesOf("prometheus")).toEqual({
      "/etc/prometheus/tls/ca-bundle.pem": [CA_BUNDLE, "0444"],
      "/etc/prometheus/tls/key-pair.pem": [`${KEY_PAIRS}/prometheus.pem`, "0444"],
      "/etc/prometheus/tls/checks.pem": [`${KEY_PAIRS}/checks.pem`, "0444"],
    });
  });

  test("has a health check with the certificate of the checks", () => {
    expect(prometheus.healthcheck.test).toEqual([
      ...["CMD", "promtool", "check", "ready"],
      ...["--http.config.file=/etc/prometheus/checks.yml", "--url=https://127.0.0.1:9090"],
    ]);
    expect(fileOf("prometheus", "/etc/prometheus/checks.yml")).toContain(
      "cert_file: /etc/prometheus/tls/checks.pem",
    );
  });
});

describe("a secured Grafana", () => {
  test("serves only HTTPS, also on the published port", () => {
    expect(envOf(container(stacks, "grafana"))).toMatchObject({
      GF_SERVER_PROTOCOL: "https",
      GF_SERVER_CERT_FILE: "/etc/grafana/tls/key-pair.pem",
      GF_SERVER_CERT_KEY: "/etc/grafana/tls/key-pair.pem",
      GF_SECURITY_COOKIE_SECURE: "true",
    });
    expect(certificatesOf("grafana")).toEqual({
      "/etc/grafana/tls/ca-bundle.pem": [CA_BUNDLE, "0440"],
      "/etc/grafana/tls/key-pair.pem": [`${KEY_PAIRS}/grafana.pem`, "0440"],
    });
  });

  test("has a health check with a curl that trusts the CA", () => {
    const [, ...command] = container(stacks, "grafana").healthcheck.test;
    expect(command.join(" ")).toBe(
      "curl --fail --silent --output /dev/null https://127.0.0.1:3000/api/health",
    );
    expect(envOf(container(stacks, "grafana")).CURL_HOME).toBe("/groundwork");
    expect(fileOf("grafana", "/groundwork/.curlrc")).toContain(
      'cacert = "/etc/grafana/tls/ca-bundle.pem"',
    );
    expect(fileOf("grafana", "/groundwork/ask.sh")).toContain('"https://127.0.0.1:3000$1"');
  });

  test("presents its certificate to data sources, read from its own file", () => {
    const { datasources } = JSON.parse(
      fileOf("grafana", "/etc/grafana/provisioning/datasources/groundwork.yaml"),
    );
    expect(datasources.map(({ uid, url }: Json) => [uid, url])).toEqual([
      ["prometheus", "https://prometheus.infra_net:9090"],
      ["loki", "https://loki.infra_net:3100"],
    ]);
    for (const { jsonData, secureJsonData } of datasources) {
      expect(jsonData).toMatchObject({ tlsAuth: true, tlsAuthWithCACert: true });
      expect(secureJsonData).toEqual({
        tlsCACert: "$__file{/etc/grafana/tls/ca-bundle.pem}",
        tlsClientCert: "$__file{/etc/grafana/tls/key-pair.pem}",
        tlsClientKey: "$__file{/etc/grafana/tls/key-pair.pem}",
      });
    }
  });

  test("is reached by Terraform over HTTPS, verified with the CA", () => {
    const { variable, provider } = stacks["secured-alerting"];
    expect(variable.grafana_url.default).toBe("https://localhost:3000");
    // Another URL if a proxy is in front.
    expect(variable.grafana_ca_cert.default).toBe(CA_BUNDLE);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Terraform's expression
    expect(provider.grafana).toMatchObject([{ ca_cert: "${var.grafana_ca_cert}" }]);
    expect(JSON.stringify(provider)).not.toContain("insecure");
  });
});

test("Alloy has a certificate and no port that other containers reach", () => {
  expect(certificatesOf("alloy")).toEqual({
    "/groundwork/tls/ca-bundle.pem": [CA_BUNDLE, "0440"],
    "/groundwork/tls/key-pair.pem": [`${KEY_PAIRS}/alloy.pem`, "0440"],
  });
  // Its own default is 127.0.0.1:12345.
  expect(container(stacks, "alloy").entrypoint.join(" ")).not.toContain("listen-addr");
});

test("no resource in any stack contains a key, password or hash", () => {
  for (const { stacks: all } of [
    { stacks },
    ...Object.values(knownEnvironments).map((other) => synthesize(other)),
  ]) {
    const uploads = containers(all).flatMap(({ upload = [] }) => upload as Json[]);
    const secret = uploads
      // The domain "password" says how clients log in, and has no password.
      .filter(({ file }) => !file.startsWith(CONFIGURATION_DIR))
      .filter(({ file }) => /\.(pem|hash)$|password/.test(file));
    expect(secret.filter(({ content }) => content !== undefined)).toEqual([]);
    expect(JSON.stringify(all)).not.toMatch(/-----BEGIN|\$2[aby]\$\d\d\$/);
  }
});

test("only a secured environment has the alerts and panels about certificates and rejections; elsewhere the dashboard says why", () => {
  const path = "/etc/grafana/dashboards/Platform/security.json";
  const dashboard = (of: Record<string, Json>) =>
    JSON.parse(
      container(of, "grafana").upload.find(({ file }: Json) => file === path)?.content ?? "{}",
    );
  const alerts = (of: Record<string, Json>, name: string) =>
    Object.values<Json>(of[`${name}-alerting`].resource.grafana_rule_group).some(
      (group) => group.name === "security",
    );
  const { stacks: plaintext } = synthesize(laptop);
  const [secured, not] = [stacks, plaintext].map(dashboard);
  expect(secured.panels).toHaveLength(6);
  expect(not).toEqual({ ...secured, panels: [expect.objectContaining({ type: "text" })] });
  expect(not.panels[0]).toMatchObject({
    title: "Not secured",
    options: {
      mode: "markdown",
      content: expect.stringMatching(
        /^Connections are plaintext.*set `security: "tls"` in the environment \(docs\/how-to\/enable-tls\.md\)\.$/s,
      ),
    },
  });
  expect([alerts(stacks, "secured"), alerts(plaintext, "laptop")]).toEqual([true, false]);
});

test("Alloy checks the certificate of every TLS listener on infra_net", () => {
  const targets: Json[] = JSON.parse(envOf(container(stacks, "alloy")).CERTIFICATES);
  expect(targets.map(({ service, address }) => `${service} ${address}`)).toEqual([
    "kafka-1 kafka-1.infra-net:19092",
    "kafka-2 kafka-2.infra-net:19092",
    "kafka-3 kafka-3.infra-net:19092",
    "opensearch-1 opensearch-1:9200",
    "opensearch-2 opensearch-2:9200",
    "opensearch-3 opensearch-3:9200",
    "loki loki.infra_net:3100",
    "prometheus prometheus.infra_net:9090",
  ]);
  for (const { name, service, module } of targets) {
    expect({ name, module }).toEqual({ name: service, module: "tls" });
  }
});
