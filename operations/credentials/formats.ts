import { quoted } from "../../constructs/container/text-file";
import { CommandError, table } from "../terminal/terminal";
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
  "key-pair": renderKeyPair,
} as const;

export type Format = keyof typeof RENDERERS;

function renderText({ kafka, openSearch, login }: Credentials): string {
  const withCertificate = login && "key" in login ? login : undefined;
  const blocks = {
    "CA bundle of the servers' certificates": login?.caBundle,
    "Client certificate": withCertificate?.certificate,
    "Private key": withCertificate?.key,
  };
  return [
    `${table([
      ["setting", "value"],
      ["Kafka bootstrap servers", kafka.bootstrapServers],
      ...(openSearch ? [["OpenSearch", openSearch.url]] : []),
      ...rowsOf(login),
    ])}\n`,
    ...Object.entries(blocks).flatMap(([title, pem]) => (pem ? [`\n${title}:\n${pem}`] : [])),
  ].join("");
}

function rowsOf(login: Credentials["login"]): string[][] {
  if (!login) {
    return [["security", "none: no user or password is required"]];
  }
  return "key" in login
    ? [
        ["Kafka security", "SSL, client certificate"],
        ["user", login.user],
        ["certificate", `expires on ${login.expires.toISOString()}`],
      ]
    : [
        ["Kafka security", "SASL_SSL, SCRAM-SHA-512"],
        ["user", login.user],
        ["password", login.password],
      ];
}

/** Renders the private key and the certificate in one PEM file, as curl and other clients of OpenSearch take them. */
function renderKeyPair({ application, login }: Credentials): string {
  if (login && "key" in login) {
    return login.key + login.certificate;
  }
  throw new CommandError(
    `application "${application}" has no key pair${login ? ", but a password" : ", since TLS is not enabled"}: use another --format, or set authentication: "certificate" in catalog/applications.ts and run npm run up in a secured environment`,
  );
}

/** Renders `client.properties` for Kafka clients. Certificates and keys are inline, so one file is enough. */
function renderProperties({ kafka, login, consumerGroup, streams }: Credentials): string {
  const settings: [string, string][] = [
    ["bootstrap.servers", kafka.bootstrapServers],
    ...(consumerGroup ? ([["group.id", consumerGroup]] satisfies [string, string][]) : []),
    ...(streams ? ([["application.id", streams]] satisfies [string, string][]) : []),
    ...(login
      ? ([
          ...authenticationOf(login),
          ["ssl.truststore.type", "PEM"],
          ["ssl.truststore.certificates", login.caBundle.trim()],
        ] satisfies [string, string][])
      : []),
  ];
  return settings.map(([key, value]) => `${key}=${inProperties(value)}\n`).join("");
}

function authenticationOf(login: NonNullable<Credentials["login"]>): [string, string][] {
  return "key" in login
    ? [
        ["security.protocol", "SSL"],
        ["ssl.keystore.type", "PEM"],
        ["ssl.keystore.certificate.chain", login.certificate.trim()],
        ["ssl.keystore.key", login.key.trim()],
      ]
    : [
        ["security.protocol", "SASL_SSL"],
        ["sasl.mechanism", "SCRAM-SHA-512"],
        [
          "sasl.jaas.config",
          `org.apache.kafka.common.security.scram.ScramLoginModule required username=${inJaas(login.user)} password=${inJaas(login.password)};`,
        ],
      ];
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

/** Renders a line for each variable. Certificates and keys have several lines, so they are in base64. */
function renderVariables(
  { kafka, openSearch, login, consumerGroup, streams }: Credentials,
  renderLine: (name: string, value: string) => string,
): string {
  const keyPair = login && "key" in login ? login : undefined;
  const password = login && "password" in login ? login : undefined;
  const variables = {
    KAFKA_BOOTSTRAP_SERVERS: kafka.bootstrapServers,
    KAFKA_GROUP_ID: consumerGroup,
    KAFKA_STREAMS_APPLICATION_ID: streams,
    KAFKA_SECURITY_PROTOCOL: keyPair ? "SSL" : login ? "SASL_SSL" : "PLAINTEXT",
    KAFKA_SASL_MECHANISM: password && "SCRAM-SHA-512",
    KAFKA_USERNAME: password?.user,
    KAFKA_PASSWORD: password?.password,
    OPENSEARCH_URL: openSearch?.url,
    OPENSEARCH_USERNAME: openSearch && password?.user,
    OPENSEARCH_PASSWORD: openSearch && password?.password,
    CLIENT_CERTIFICATE_BASE64: keyPair && inBase64(keyPair.certificate),
    CLIENT_KEY_BASE64: keyPair && inBase64(keyPair.key),
    CA_BASE64: login && inBase64(login.caBundle),
  };
  return Object.entries(variables)
    .flatMap(([name, value]) => (value === undefined ? [] : `${renderLine(name, value)}\n`))
    .join("");
}

const inBase64 = (text: string) => Buffer.from(text).toString("base64");
