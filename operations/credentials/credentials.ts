import { join } from "node:path";
import {
  type Application,
  KAFKA_BOOTSTRAP_SERVER,
  KAFKA_CERTIFICATE_BOOTSTRAP_SERVER,
  openSearchUrl,
} from "../../constructs";
import { hasCertificate } from "../../constructs/security/application";
import { type Environment, isSecured } from "../../environments";
import { readPassword } from "../../secrets/password";
import { readCaBundleText, readKeyPair } from "../../secrets/pem";
import { secretsFolder } from "../../secrets/platform-secrets";
import { expiryOf, SECRET_FILES } from "../../secrets/secret-files";
import { CommandError } from "../terminal/terminal";

interface Login {
  readonly user: string;
  /** The CA bundle of the servers' certificates, PEM. */
  readonly caBundle: string;
}

/** The login of an application with a password. */
interface PasswordLogin extends Login {
  readonly password: string;
}

/** The login of an application with a certificate, which has its user name. */
interface CertificateLogin extends Login {
  /** The private key, PEM (PKCS8, not encrypted). */
  readonly key: string;
  /** The certificate, PEM, and those of CAs between it and the CA bundle. */
  readonly certificate: string;
  readonly expires: Date;
}

/** What an application needs to connect to both clusters from a container on the project network. */
export interface Credentials {
  readonly application: string;
  readonly kafka: { readonly bootstrapServers: string };
  /** Undefined if applications cannot reach OpenSearch. */
  readonly openSearch?: { readonly url: string };
  /** Undefined if clients need no authentication. */
  readonly login?: PasswordLogin | CertificateLogin;
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
    kafka: { bootstrapServers: kafkaAddressOf(environment, application) },
    ...(environment.openSearch.onProjectNetwork && {
      openSearch: { url: openSearchUrl(secured) },
    }),
    ...(secured && {
      login: {
        user: application.name,
        ...secretOf(application, secret),
        caBundle: readCaBundleText(secret(SECRET_FILES.caBundle)),
      },
    }),
    // A prefix such as "orders-*" leaves the name to the application.
    ...(consumerGroups.length === 1 &&
      !consumerGroups[0].endsWith("*") && { consumerGroup: consumerGroups[0] }),
    ...(streams !== undefined && { streams }),
  };
}

/** Returns the bootstrap server of an application on the project network. */
export function kafkaAddressOf(environment: Environment, application: Application): string {
  return isSecured(environment) && hasCertificate(application)
    ? KAFKA_CERTIFICATE_BOOTSTRAP_SERVER
    : KAFKA_BOOTSTRAP_SERVER;
}

/** Returns what an application authenticates with. */
function secretOf(
  application: Application,
  secret: (file: string) => string,
): Pick<PasswordLogin, "password"> | Omit<CertificateLogin, keyof Login> {
  const { name } = application;
  if (!hasCertificate(application)) {
    return { password: readPassword(secret(SECRET_FILES.password(name))) };
  }
  const file = secret(SECRET_FILES.applicationKeyPair(name));
  const { key, chain } = readKeyPair(file);
  return { key, certificate: chain, expires: expiryOf(file) };
}
