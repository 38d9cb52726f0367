import { quoted } from "../../constructs/container/text-file";
import { table } from "../terminal/terminal";
import type { Credentials } from "./credentials";

/** The renderers of credentials by the name of the format. Each escapes values for the program that reads it. */
export const RENDERERS = {
  text: renderText,
  properties: renderProperties,
  env: (credentials: Credentials) =>
    renderVariables(credentials, (name, value) => `${name}=${value}`),
  shell: (credentials: Credentials) =>
    renderVariables(credentials, (name, value) => `export ${name}=${quoted(value)}`),
  ca: ({ login }: Credentials) => login?.caBundle ?? "",
} as const;

export type Format = keyof typeof RENDERERS;

function renderText({ kafka, openSearch, login }: Credentials): string {
  return `${table([
    ["setting", "value"],
    ["Kafka bootstrap servers", kafka.bootstrapServers],
    ...(openSearch ? [["OpenSearch", openSearch.url]] : []),
    ...(login
      ? [
          ["Kafka security", "SASL_SSL, SCRAM-SHA-512"],
          ["user", login.user],
          ["password", login.password],
        ]
      : [["security", "none: no user or password is required"]]),
  ])}\n${login ? `\nCA bundle of the servers' certificates:\n${login.caBundle}` : ""}`;
}

/** Renders `client.properties` for Kafka clients. The CA bundle is inline, so one file is enough. */
function renderProperties({ kafka, login, consumerGroup, streams }: Credentials): string {
  const settings: [string, string][] = [
    ["bootstrap.servers", kafka.bootstrapServers],
    ...(consumerGroup ? ([["group.id", consumerGroup]] satisfies [string, string][]) : []),
    ...(streams ? ([["application.id", streams]] satisfies [string, string][]) : []),
    ...(login
      ? ([
          ["security.protocol", "SASL_SSL"],
          ["sasl.mechanism", "SCRAM-SHA-512"],
          [
            "sasl.jaas.config",
            `org.apache.kafka.common.security.scram.ScramLoginModule required username=${inJaas(login.user)} password=${inJaas(login.password)};`,
          ],
          ["ssl.truststore.type", "PEM"],
          ["ssl.truststore.certificates", login.caBundle.trim()],
        ] satisfies [string, string][])
      : []),
  ];
  return settings.map(([key, value]) => `${key}=${inProperties(value)}\n`).join("");
}

/** Quotes a value of a JAAS configuration, which Kafka reads with Java's StreamTokenizer. */
function inJaas(value: string): string {
  return `"${value.replace(/["\\]/g, "\\$&")}"`;
}

/**
 * Escapes a value for java.util.Properties, which reads ISO-8859-1 and skips spaces before a value. A line break is followed by a break of
 * the file, so that a certificate stays readable.
 */
function inProperties(value: string): string {
  return value
    .replaceAll("\\", "\\\\")
    .replace(/^ /, "\\ ")
    .replace(/[^\n -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .replaceAll("\n", "\\n\\\n  ");
}

/** Renders a line for each variable. The CA bundle has several lines, so it is in base64. */
function renderVariables(
  { kafka, openSearch, login, consumerGroup, streams }: Credentials,
  renderLine: (name: string, value: string) => string,
): string {
  const variables = {
    KAFKA_BOOTSTRAP_SERVERS: kafka.bootstrapServers,
    KAFKA_GROUP_ID: consumerGroup,
    KAFKA_STREAMS_APPLICATION_ID: streams,
    KAFKA_SECURITY_PROTOCOL: login ? "SASL_SSL" : "PLAINTEXT",
    KAFKA_SASL_MECHANISM: login && "SCRAM-SHA-512",
    KAFKA_USERNAME: login?.user,
    KAFKA_PASSWORD: login?.password,
    OPENSEARCH_URL: openSearch?.url,
    OPENSEARCH_USERNAME: openSearch && login?.user,
    OPENSEARCH_PASSWORD: openSearch && login?.password,
    CA_BASE64: login && Buffer.from(login.caBundle).toString("base64"),
  };
  return Object.entries(variables)
    .flatMap(([name, value]) => (value === undefined ? [] : `${renderLine(name, value)}\n`))
    .join("");
}
