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

  /** The name of the sidecar that provisions the cluster. Its container and certificate have this name. */
  readonly initName: string;
}

/** The `--command-config` of Kafka's CLI in a broker of a secured cluster. */
export const KAFKA_CLIENT_CONFIG = "/groundwork/client.properties";

/** PEM files in a container: its key pair, and the CA bundle. */
export const TLS_FILES = {
  keyStore: "/groundwork/tls/keystore.pem",
  trustStore: "/groundwork/tls/truststore.pem",
} as const;

/** Returns the files with which a container authenticates as a principal to a secured cluster. */
export function kafkaClientFiles(
  security: Security,
  principal: string,
  hosts?: readonly string[],
): { readonly files: readonly UploadedFile[]; readonly secrets: readonly SecretFile[] } {
  // Neither the user of Kafka's image nor that of a sidecar is in root's group.
  const readableBy = "everyone";
  return {
    files: [{ path: KAFKA_CLIENT_CONFIG, content: readOwnFile(__dirname, "client.properties") }],
    secrets: [
      { path: TLS_FILES.keyStore, source: security.keyPairOf(principal, hosts), readableBy },
      { path: TLS_FILES.trustStore, source: security.caBundle, readableBy },
    ],
  };
}
