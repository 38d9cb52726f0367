import { join } from "node:path";
import { type Application, KAFKA_BOOTSTRAP_SERVER, openSearchUrl } from "../../constructs";
import { type Environment, isSecured } from "../../environments";
import { readPassword } from "../../secrets/password";
import { readCaBundleText } from "../../secrets/pem";
import { secretsFolder } from "../../secrets/platform-secrets";
import { SECRET_FILES } from "../../secrets/secret-files";
import { CommandError } from "../terminal/terminal";

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
  /** Its consumer group, if it declares exactly one, by its whole name. */
  readonly consumerGroup?: string;
  /** The `application.id` of its Kafka Streams application, if it declares one. */
  readonly streams?: string;
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
  const { consumerGroups = [], streams } = application;
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
    // A prefix such as "orders-*" leaves the name to the application.
    ...(consumerGroups.length === 1 &&
      !consumerGroups[0].endsWith("*") && { consumerGroup: consumerGroups[0] }),
    ...(streams !== undefined && { streams }),
  };
}
