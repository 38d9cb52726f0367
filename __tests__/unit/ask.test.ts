import { environments } from "../../environments";
import { askBroker, askKafka, askLoki, askPrometheus } from "../../operations/clusters/ask";

// An engine that says what it was asked; no test of this file reaches a real one.
jest.mock("../../operations/engine/docker", () => ({
  tryDockerAt: async (_engine: unknown, ...args: string[]) => ({
    exitCode: 0,
    output: args.join(" "),
  }),
}));

const { security: _, ...open } = environments.laptop;
const locked = { ...open, security: "tls" } as const;

describe("a broker is asked", () => {
  const tool = "kafka-2 /opt/kafka/bin/kafka-topics.sh";

  test.each([
    ["as anyone when the cluster is open", open, "kafka-2.infra_net:19092 --list"],
    [
      "as itself when the cluster is locked",
      locked,
      "kafka-2.infra-net:19092 --command-config /groundwork/client.properties --list",
    ],
  ])("%s", async (_how, environment, rest) => {
    const { output } = await askKafka("kafka-2", environment, "kafka-topics.sh", ["--list"]);
    expect(output).toMatch(/^exec --env KAFKA_HEAP_OPTS=-Xmx64m --env KAFKA_JVM_PERFORMANCE_OPTS=/);
    expect(output.slice(output.indexOf("kafka-2"))).toBe(`${tool} --bootstrap-server ${rest}`);
  });

  test.each([
    ["open", open, "kafka-2.infra_net 19092"],
    ["locked", locked, "127.0.0.1 19099"],
  ])("by its own health check when the cluster is %s", async (_kind, environment, address) => {
    const { output } = await askBroker("kafka-2", environment);
    expect(output).toBe(`exec kafka-2 timeout 5 bash /groundwork/healthcheck.sh ${address}`);
  });
});

describe("what observes the platform is asked", () => {
  const CERTIFICATES = "/usr/share/opensearch/config/certificates";

  test.each([
    ["as anyone when it is open", open, "--fail http"],
    [
      "as the checks when it is locked",
      locked,
      `--cacert ${CERTIFICATES}/authorities.pem --cert ${CERTIFICATES}/checks.pem --fail https`,
    ],
  ])("for logs, through a node of OpenSearch, %s", async (_how, environment, rest) => {
    const { output } = await askLoki(environment, "/loki/api/v1/labels");
    expect(output).toBe(
      `exec opensearch-1 curl --silent --show-error --max-time 10 ${rest}://loki.infra_net:3100/loki/api/v1/labels`,
    );
  });

  test.each([
    ["as anyone when it is open", open, "http"],
    [
      "as the checks when it is locked",
      locked,
      "--http.config.file=/etc/prometheus/checks.yml https",
    ],
  ])("for metrics %s", async (_how, environment, rest) => {
    const { output } = await askPrometheus(environment, "up");
    expect(output).toBe(
      `exec prometheus promtool query instant --format json ${rest}://127.0.0.1:9090 up`,
    );
  });
});
