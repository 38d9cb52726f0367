import { readOwnFile, type SecretFile, type UploadedFile } from "../container/file";
import type { ServiceContainer } from "../container/service-container";
import type { ServiceImage } from "../container/service-image";
import type { INetwork } from "../network/network";
import type { Security } from "../security/security";

/** A Kafka cluster as clients see it. */
export interface IKafkaCluster {
  readonly brokers: readonly ServiceContainer[];

  /** The number of brokers that clients wait for: all that are not excluded. */
  readonly expectedNodes: number;

  /** The bootstrap servers on the infra network. */
  readonly internalBootstrapServers: readonly string[];

  /** The network of the internal listener. */
  readonly infraNetwork: INetwork;

  /** The image of the brokers. */
  readonly image: ServiceImage;

  /** The CA bundle and key pairs. Unset if the cluster is plaintext. */
  readonly security?: Security;

  /** The prefix of the brokers' names. In a secured cluster, all brokers are the superuser of that name. */
  readonly containerName: string;

  /** Whether applications can authenticate with certificates. */
  readonly certificateListener: boolean;

  /** The name of the sidecar that provisions the cluster. Its container and certificate have this name. */
  readonly initName: string;
}

/** The `--command-config` of Kafka's CLI in a broker of a secured cluster. */
export const KAFKA_CLIENT_CONFIG = "/groundwork/client.properties";

/** The folder of the PEM files in a container. */
export const TLS_DIR = "/groundwork/tls";

const [KEY_STORE, TRUST_STORE] = ["keystore.pem", "truststore.pem"];

/** PEM files in a container: its key pair, and the CA bundle. */
export const TLS_FILES = {
  keyStore: `${TLS_DIR}/${KEY_STORE}`,
  trustStore: `${TLS_DIR}/${TRUST_STORE}`,
} as const;

/** Returns the sources of the PEM files in `TLS_DIR`, by name. */
export function tlsSources(
  security: Security,
  principal: string,
  hosts?: readonly string[],
): Record<string, string> {
  return {
    [KEY_STORE]: security.keyPairOf(principal, hosts),
    [TRUST_STORE]: security.caBundle,
  };
}

/** Returns the configuration of clients that authenticate with the files in `TLS_DIR`. */
export function kafkaClientConfig(): UploadedFile {
  return { path: KAFKA_CLIENT_CONFIG, content: readOwnFile(__dirname, "client.properties") };
}

/** Returns the files with which a sidecar authenticates as a principal to a secured cluster. */
export function kafkaClientFiles(
  security: Security,
  principal: string,
): { readonly files: readonly UploadedFile[]; readonly secrets: readonly SecretFile[] } {
  return {
    files: [kafkaClientConfig()],
    secrets: Object.entries(tlsSources(security, principal)).map(([name, source]) => ({
      path: `${TLS_DIR}/${name}`,
      source,
      // A sidecar's user is not in root's group.
      readableBy: "everyone",
    })),
  };
}
