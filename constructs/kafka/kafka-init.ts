import { join } from "node:path";
import { Construct } from "constructs";
import { readOwnFile } from "../container/file";
import { ServiceImage } from "../container/service-image";
import { all, validate } from "../container/validation";
import { InitSidecar, type RetryProps } from "../init-sidecar/init-sidecar";
import { SIDECAR_DIR } from "../init-sidecar/sidecar-dir";
import {
  type Application,
  hasCertificate,
  validateApplications,
  validateNotPrincipal,
} from "../security/application";
import { MONITOR } from "../security/principals";
import type { Security } from "../security/security";
import { APPLICATIONS_FILE, renderApplications } from "./declared-applications";
import { renderTopics, TOPICS_FILE } from "./declared-topics";
import { type IKafkaCluster, KAFKA_CLIENT_CONFIG, kafkaClientFiles } from "./kafka-client";
import { resolveTopic, type Topic, validateTopics } from "./topic";

export interface KafkaInitProps {
  /** The cluster to provision. */
  readonly cluster: IKafkaCluster;

  /** The topics that exist with their guarantees once the sidecar has succeeded. */
  readonly topics: readonly Topic[];

  /**
   * The applications that have a user and ACLs in a secured cluster once the sidecar has succeeded. Permissions that you remove here
   * are revoked. In a plaintext cluster any client may do everything.
   *
   * @default - none
   */
  readonly applications?: readonly Application[];

  /**
   * How the sidecar waits for the cluster.
   *
   * @default - the defaults of `RetryProps`
   */
  readonly retry?: RetryProps;
}

const PASSWORDS_DIR = `${SIDECAR_DIR}/passwords`;

/**
 * The sidecar `kafka-init`. Exit code 0 means that every declared topic exists with its guarantees and that, in a secured cluster, every
 * declared application has exactly its declared permissions.
 */
export class KafkaInit extends Construct {
  readonly sidecar: InitSidecar;

  /** The topics that it provisions, with all defaults resolved. */
  readonly topics: readonly Required<Topic>[];

  /** The applications that it declares. */
  readonly applications: readonly Application[];

  constructor(scope: Construct, id: string, props: KafkaInitProps) {
    super(scope, id);
    const { cluster, applications = [] } = props;
    const { security, initName, containerName } = cluster;
    const brokers = cluster.brokers.length;
    // The names of brokers too: brokers of earlier versions know each other by them.
    const superUsers = [containerName, initName, ...cluster.brokers.map(({ name }) => name)];
    // Kafka takes a certificate with the name of any broker, also of one that does not exist, for the cluster's own.
    const isBroker = (name: string) =>
      name.startsWith(`${containerName}-`) && /^\d+$/.test(name.slice(containerName.length + 1));
    all(
      () => validateTopics(props.topics, brokers, this),
      () => validateApplications(applications, props.topics, this),
      ...applications.map(
        ({ name }) =>
          () =>
            validateNotPrincipal(
              name,
              (other) => superUsers.includes(other) || isBroker(other),
              this,
            ),
      ),
      () => validateListener(this, cluster, applications),
    );
    const topics = props.topics.map((topic) => resolveTopic(topic, brokers));
    this.topics = topics;
    this.applications = applications;
    const secured = security && securityFiles(security, initName, applications);
    this.sidecar = new InitSidecar(this, "Sidecar", {
      name: initName,
      image: ServiceImage.of(this, cluster.image.reference),
      network: cluster.infraNetwork,
      waitFor: cluster.brokers,
      script: readOwnFile(__dirname, "kafka-init.sh"),
      declared: [
        ...topics.map(({ name }) => name),
        ...(security ? [...applications.map(({ name }) => name), MONITOR] : []).map(
          (name) => `application/${name}`,
        ),
      ],
      files: [
        { path: TOPICS_FILE, content: renderTopics(topics) },
        { path: `${SIDECAR_DIR}/kafka-init.jar`, source: join(__dirname, "kafka-init.jar") },
        ...(secured?.files ?? []),
      ],
      secrets: secured?.secrets,
      secretsGeneration: security?.generation,
      env: {
        KAFKA_BOOTSTRAP_SERVERS: cluster.internalBootstrapServers.join(","),
        KAFKA_BROKERS: String(cluster.expectedNodes),
        TOPICS_FILE,
        ...(secured && { KAFKA_CLIENT_CONFIG, APPLICATIONS_FILE, PASSWORDS_DIR }),
      },
      retry: props.retry,
    });
  }
}

/** Throws if applications authenticate with certificates that no listener accepts. Plaintext clusters need no listener. */
function validateListener(
  scope: Construct,
  { security, certificateListener }: IKafkaCluster,
  applications: readonly Application[],
): void {
  const [first] = applications.filter(hasCertificate);
  validate(
    !security || certificateListener || first === undefined,
    () =>
      `application "${first?.name}" authenticates with a certificate, and the cluster has no listener for it: set certificateListener: true on the KafkaCluster, or remove authentication`,
    scope,
  );
}

/** Returns the sidecar's own credentials in a secured cluster, and the applications and monitors with their passwords. */
function securityFiles(security: Security, initName: string, applications: readonly Application[]) {
  const { files, secrets } = kafkaClientFiles(security, initName);
  return {
    files: [
      ...files,
      { path: APPLICATIONS_FILE, content: renderApplications(applications, [MONITOR]) },
    ],
    secrets: [
      ...secrets,
      ...applications
        .filter((application) => !hasCertificate(application))
        .map(({ name }) => ({
          path: `${PASSWORDS_DIR}/${name}`,
          source: security.credentialsOf(name).password,
          readableBy: "everyone" as const,
        })),
    ],
  };
}
