import { environments } from "../../../environments";
import { labThree } from "../../../lab/environments";
import { Platform } from "../../../operations/platform/platform";

/** The last docker command and its engine. */
let asked: { readonly engine?: string; readonly command: string; readonly input?: string };

// An engine that echoes its command; no test in this file reaches a real one.
jest.mock("../../../operations/engine/docker", () => ({
  async tryDockerAt(engine: { host: string } | undefined, ...args: string[]) {
    asked = { engine: engine?.host, command: args.join(" ") };
    return { exitCode: 0, output: asked.command };
  },
  async tryDockerWithInput(engine: { host: string } | undefined, input: string, ...args: string[]) {
    asked = { engine: engine?.host, command: args.join(" "), input };
    return { exitCode: 0, output: asked.command };
  },
}));

const CERTIFICATES = "/usr/share/opensearch/config/certificates";

const { security: _, ...unsecured } = environments.laptop;
const plaintext = new Platform(unsecured);
const secured = new Platform({ ...unsecured, security: "tls" });

describe("a broker is queried", () => {
  const tool = "kafka-2 /opt/kafka/bin/kafka-topics.sh";

  test.each([
    ["without authentication in a plaintext cluster", plaintext, "kafka-2.infra_net:19092 --list"],
    [
      "as itself in a secured cluster",
      secured,
      "kafka-2.infra-net:19092 --command-config /groundwork/client.properties --list",
    ],
  ])("%s", async (_how, { kafka }, rest) => {
    const { output } = await kafka.run("kafka-2", "kafka-topics.sh", ["--list"]);
    expect(output).toMatch(/^exec --env KAFKA_HEAP_OPTS=-Xmx64m --env KAFKA_JVM_PERFORMANCE_OPTS=/);
    expect(output.slice(output.indexOf("kafka-2"))).toBe(`${tool} --bootstrap-server ${rest}`);
  });

  test.each([
    ["plaintext", plaintext, "kafka-2.infra_net 19092"],
    ["secured", secured, "127.0.0.1 19099"],
  ])("with its health check if the cluster is %s", async (_kind, { kafka }, address) => {
    expect(await kafka.serves("kafka-2")).toBe(true);
    expect(asked.command).toBe(`exec kafka-2 timeout 5 bash /groundwork/healthcheck.sh ${address}`);
  });
});

describe("a node of OpenSearch is queried", () => {
  test.each([
    ["over HTTP in a plaintext cluster", plaintext, "http"],
    ["over TLS in a secured cluster", secured, "https"],
  ])("%s, and an HTTP error is a failure", async (_how, { openSearch }, scheme) => {
    const { output } = await openSearch.get("/_cluster/health");
    expect(output).toMatch(/^exec opensearch-1 curl .*--fail /);
    expect(output.split(" ").at(-1)).toBe(`${scheme}://127.0.0.1:9200/_cluster/health`);
  });

  test("as an application, whose password is in no argument", async () => {
    await secured.openSearch.login({ user: "shop", password: 'a "quoted" \\ word' });
    expect(asked.input).toBe('user = "shop:a \\"quoted\\" \\\\ word"\n');
    expect(asked.command).toBe(
      `exec --interactive opensearch-1 curl --silent --show-error --max-time 10 --cacert ${CERTIFICATES}/ca-bundle.pem --fail --config - https://opensearch:9200`,
    );
  });

  test("as an application with a certificate, whose key is in no argument", async () => {
    await secured.openSearch.login({ key: "KEY\n", certificate: "CERTIFICATE\n" });
    expect(asked.input).toBe("KEY\nCERTIFICATE\n");
    expect(asked.command).toMatch(/^exec --interactive opensearch-1 bash -c /);
    expect(asked.command.split(" with-key-pair.sh ").at(-1)).toBe(
      `--silent --show-error --max-time 10 --cacert ${CERTIFICATES}/ca-bundle.pem --fail https://opensearch:9200`,
    );
  });

  test("with files that nodes of every version have, for upgrades", async () => {
    await secured.openSearch.serves("opensearch-2");
    expect(asked.command).toContain(
      `exec opensearch-2 curl --silent --show-error --max-time 10 --cacert ${CERTIFICATES}/node.pem --cert ${CERTIFICATES}/checks.pem --fail `,
    );
  });
});

describe("observability is queried", () => {
  test.each([
    ["without authentication in plaintext", plaintext, "--fail http"],
    [
      "as the checks if secured",
      secured,
      `--cacert ${CERTIFICATES}/ca-bundle.pem --cert ${CERTIFICATES}/checks.pem --fail https`,
    ],
  ])("for logs, through a node of OpenSearch, %s", async (_how, { loki }, rest) => {
    const { output } = await loki.get("/loki/api/v1/labels");
    expect(output).toBe(
      `exec opensearch-1 curl --silent --show-error --max-time 10 ${rest}://loki.infra_net:3100/loki/api/v1/labels`,
    );
  });

  test.each([
    ["without authentication in plaintext", plaintext, "http"],
    ["as the checks if secured", secured, "--http.config.file=/etc/prometheus/checks.yml https"],
  ])("for metrics %s", async (_how, { prometheus }, rest) => {
    const { output } = await prometheus.query("up");
    expect(output).toBe(
      `exec prometheus promtool query instant --format json ${rest}://127.0.0.1:9090 up`,
    );
  });
});

test("with several machines, a service is queried on its machine, never on an excluded one", async () => {
  const [, b] = labThree.machines;
  const platform = new Platform({ ...labThree, excludedMachines: ["a"] });
  expect(platform.nodes("kafka")).toEqual(["kafka-2", "kafka-3"]);
  await platform.kafka.describeTopics();
  expect(asked.engine).toBe(b.engine);
  expect(asked.command).toMatch(/ kafka-2 \S+kafka-topics\.sh .*--describe$/);
});
