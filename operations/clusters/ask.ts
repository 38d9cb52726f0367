import { KAFKA_CLIENT_CONFIG, kafkaAddresses, OPENSEARCH_HTTP_PORT } from "../../constructs";
import { GRAFANA_ASK } from "../../constructs/grafana/grafana";
import { TLS_FILES } from "../../constructs/kafka/kafka-client";
import { CURL_AS_CHECKS } from "../../constructs/opensearch/tls";
import { promtoolAsChecks } from "../../constructs/prometheus/prometheus";
import type { Environment } from "../../environments";
import { engineOf, presentNodesOf } from "../../environments/placement";
import { type Outcome, tryDockerAt } from "../engine/docker";

// The one place that asks what runs, and knows how: every question is a tool of the service's own image, inside a container of it.

/** HTTP by the curl of OpenSearch's image. */
const CURL = ["curl", "--silent", "--show-error", "--max-time", "10"];

/** OpenSearch's REST API, through one of its nodes. */
export function askOpenSearch(
  node: string,
  environment: Environment,
  path: string,
  ...switches: string[]
): Promise<Outcome> {
  return askByCurl(node, environment, `127.0.0.1:${OPENSEARCH_HTTP_PORT}${path}`, switches);
}

/** Whatever a node of OpenSearch reaches, as whoever checks the platform. */
function askByCurl(
  node: string,
  environment: Environment,
  address: string,
  switches: readonly string[],
): Promise<Outcome> {
  const [scheme, identity] =
    environment.security === "tls" ? ["https", CURL_AS_CHECKS] : ["http", []];
  return execIn(environment, node, ...CURL, ...identity, ...switches, `${scheme}://${address}`);
}

/**
 * For a JVM of a second: no optimising compiler, and the classes as the first one left them, which makes it three times as quick. It
 * says nothing, also where it cannot keep them.
 */
const TOOL_JVM = [
  ...["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xlog:disable"],
  ...["-XX:+AutoCreateSharedArchive", "-XX:SharedArchiveFile=/tmp/kafka-tools.jsa"],
].join(" ");

/** A tool of the Kafka CLI, through one of its brokers and, in a locked cluster, as that broker. */
export function askKafka(
  node: string,
  environment: Environment,
  tool: string,
  args: readonly string[],
): Promise<Outcome> {
  const { networks, security } = environment;
  const locked = security === "tls";
  const { internal } = kafkaAddresses(node, networks.infra, locked);
  // The broker's own JVM options would claim its heap and ports again.
  const jvm = ["KAFKA_HEAP_OPTS=-Xmx64m", `KAFKA_JVM_PERFORMANCE_OPTS=${TOOL_JVM}`];
  return tryDockerAt(
    engineOf(environment, node),
    ...["exec", ...jvm.flatMap((variable) => ["--env", variable])],
    ...[node, `/opt/kafka/bin/${tool}`, "--bootstrap-server", internal],
    ...(locked ? ["--command-config", KAFKA_CLIENT_CONFIG] : []),
    ...args,
  );
}

/** Whether a broker takes requests: its own health check. */
export function askBroker(node: string, environment: Environment): Promise<Outcome> {
  const { networks, security } = environment;
  const { health } = kafkaAddresses(node, networks.infra, security === "tls");
  return execIn(
    environment,
    ...[node, "timeout", "5", "bash", "/groundwork/healthcheck.sh", ...health],
  );
}

/** Certificates of the authorities that a locked platform trusts, PEM; nothing where no broker of one runs. */
export async function askTrusted(environment: Environment): Promise<string> {
  for (const broker of presentNodesOf(environment, "kafka")) {
    const { exitCode, output } = await execIn(environment, broker, "cat", TLS_FILES.trustStore);
    if (exitCode === 0) {
      return output;
    }
  }
  return "";
}

/** Loki's HTTP API, through a node of OpenSearch: Loki's image has no client. */
export function askLoki(environment: Environment, path: string): Promise<Outcome> {
  const { infra } = environment.networks;
  return askByCurl(
    presentNodesOf(environment, "opensearch")[0],
    environment,
    `loki.${infra.name}:3100${path}`,
    ["--fail"],
  );
}

/** An instant query in PromQL; the answer is JSON. */
export function askPrometheus(environment: Environment, query: string): Promise<Outcome> {
  const { switches, url } = promtoolAsChecks(environment.security === "tls");
  return execIn(
    environment,
    ...["prometheus", "promtool", "query", "instant", "--format", "json"],
    ...[...switches, url, query],
  );
}

/** Grafana's HTTP API as its administrator; the password stays inside the container. */
export function askGrafana(environment: Environment, path: string): Promise<Outcome> {
  return execIn(environment, "grafana", ...GRAFANA_ASK, path);
}

/** Runs a command in a container, wherever that is. */
function execIn(environment: Environment, container: string, ...command: string[]) {
  return tryDockerAt(engineOf(environment, container), "exec", container, ...command);
}
