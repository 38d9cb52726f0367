import { join } from "node:path";
import { type Application, KAFKA_BOOTSTRAP_SERVER, openSearchUrl } from "../../constructs";
import { type Environment, isSecured } from "../../environments";
import { readPassword } from "../../secrets/password";
import { readCaBundleText } from "../../secrets/pem";
import { secretsFolder } from "../../secrets/platform-secrets";
import { SECRET_FILES } from "../../secrets/secret-files";
import { CommandError, table } from "../terminal/terminal";

/** What an application needs to connect to both clusters from a container on the project network. */
export interface Credentials {
  readonly application: string;
  readonly kafka: { readonly bootstrapServers: string };
  /** Undefined if applications cannot reach OpenSearch. */
  readonly openSearch?: { readonly url: string };
  /** Undefined if clients need no authentication. */
  readonly login?: {
    readonly user: string;
    readonly password: string;
    /** The CA bundle of the servers' certificates, PEM. */
    readonly caBundle: string;
  };
  /** Its consumer group, if it declares exactly one. */
  readonly consumerGroup?: string;
}

/** Returns the credentials of an application. Throws with the declared names if the application is not declared. */
export function credentialsOf(
  environment: Environment,
  applications: readonly Application[],
  name: string | undefined,
): Credentials {
  const application = applications.find((declared) => declared.name === name);
  if (!application) {
    const declared = applications.map((other) => other.name).join(", ");
    throw new CommandError(
      name === undefined
        ? `name an application: npm run credentials -- <application>; declared: ${declared || "none, add one to catalog/applications.ts"}`
        : `application "${name}" is not declared: add it to catalog/applications.ts, or use a declared one (${declared || "none"})`,
    );
  }
  const secured = isSecured(environment);
  const secret = (file: string) => join(secretsFolder(environment), file);
  const { consumerGroups = [] } = application;
  return {
    application: application.name,
    kafka: { bootstrapServers: KAFKA_BOOTSTRAP_SERVER },
    ...(environment.openSearch.onProjectNetwork && {
      openSearch: { url: openSearchUrl(secured) },
    }),
    ...(secured && {
      login: {
        user: application.name,
        password: readPassword(secret(SECRET_FILES.password(application.name))),
        caBundle: readCaBundleText(secret(SECRET_FILES.caBundle)),
      },
    }),
    ...(consumerGroups.length === 1 && { consumerGroup: consumerGroups[0] }),
  };
}

/** The renderers of credentials by the name of the format. */
export const RENDERERS = {
  text: renderText,
  properties: renderProperties,
  env: renderEnv,
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
function renderProperties({ kafka, login, consumerGroup }: Credentials): string {
  const settings: [string, string][] = [
    ["bootstrap.servers", kafka.bootstrapServers],
    ...(consumerGroup ? ([["group.id", consumerGroup]] satisfies [string, string][]) : []),
    ...(login
      ? ([
          ["security.protocol", "SASL_SSL"],
          ["sasl.mechanism", "SCRAM-SHA-512"],
          [
            "sasl.jaas.config",
            `org.apache.kafka.common.security.scram.ScramLoginModule required username="${login.user}" password="${login.password}";`,
          ],
          ["ssl.truststore.type", "PEM"],
          // Keeps the line breaks: Kafka reads a single line as one certificate.
          ["ssl.truststore.certificates", login.caBundle.trim().split("\n").join("\\n\\\n  ")],
        ] satisfies [string, string][])
      : []),
  ];
  return settings.map(([key, value]) => `${key}=${value}\n`).join("");
}

/** Renders variables for `docker run --env-file`. It takes one line per variable, so the CA bundle is in base64. */
function renderEnv({ kafka, openSearch, login, consumerGroup }: Credentials): string {
  const variables = {
    KAFKA_BOOTSTRAP_SERVERS: kafka.bootstrapServers,
    KAFKA_GROUP_ID: consumerGroup,
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
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}
