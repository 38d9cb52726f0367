import { readOwnFile, type SecretFile, type UploadedFile } from "../container/file";
import type { ServiceContainer } from "../container/service-container";
import type { ServiceImage } from "../container/service-image";
import type { INetwork } from "../network/network";
import type { Security } from "../security/security";

/** A Kafka cluster as its clients see it. */
export interface IKafkaCluster {
  readonly brokers: readonly ServiceContainer[];

  /** How many of them are waited for. */
  readonly expectedNodes: number;

  /** Bootstrap servers on the infra network. */
  readonly internalBootstrapServers: readonly string[];

  /** Network of the internal listener. */
  readonly infraNetwork: INetwork;

  /** What the brokers run. */
  readonly image: ServiceImage;

  /** What the brokers trust and who they are; nothing when the cluster is not secured. */
  readonly security?: Security;

  /** Name of the sidecar that provisions the cluster: of its container, and in its certificate. */
  readonly initName: string;
}

/** What a tool of the Kafka CLI takes as `--command-config` in a broker of a secured cluster. */
export const KAFKA_CLIENT_CONFIG = "/groundwork/client.properties";

/** PEM files in a container: its own key and certificate, and the CAs that it trusts. */
export const TLS_FILES = {
  keyStore: "/groundwork/tls/keystore.pem",
  trustStore: "/groundwork/tls/truststore.pem",
} as const;

/** The files by which a container is a principal to the brokers of a secured cluster. */
export function kafkaClientFiles(
  security: Security,
  principal: string,
  hosts?: readonly string[],
): { readonly files: readonly UploadedFile[]; readonly secrets: readonly SecretFile[] } {
  // The user of Kafka's image is not in root's group, nor is a sidecar's.
  const readableBy = "everyone";
  return {
    files: [{ path: KAFKA_CLIENT_CONFIG, content: readOwnFile(__dirname, "client.properties") }],
    secrets: [
      { path: TLS_FILES.keyStore, source: security.keyPairOf(principal, hosts), readableBy },
      { path: TLS_FILES.trustStore, source: security.caBundle, readableBy },
    ],
  };
}
