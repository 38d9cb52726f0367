import { Testing } from "cdktf";
import {
  type Application,
  KafkaCluster,
  type KafkaClusterProps,
  KafkaInit,
  type Security,
  type Topic,
} from "../../constructs";
import { TOPICS_FILE } from "../../constructs/kafka/declared-topics";
import { hasCertificate } from "../../constructs/security/application";
import type { Json } from "./platform";
import { networks, nodes, testStack } from "./stack";

/** Returns the containers of one broker and its sidecar. */
export function kafkaWith(props: Partial<KafkaClusterProps>): Json[] {
  const scope = testStack();
  const cluster = new KafkaCluster(scope, "kafka", {
    ...networks(scope),
    nodes: nodes(scope, 1),
    ...props,
  });
  new KafkaInit(scope, "init", { cluster, topics: [] });
  return Object.values(JSON.parse(Testing.synth(scope)).resource.docker_container);
}

export function kafka(brokers: number, topics: readonly Topic[] = []) {
  const scope = testStack();
  const cluster = new KafkaCluster(scope, "kafka", {
    ...networks(scope),
    nodes: nodes(scope, brokers),
  });
  new KafkaInit(scope, "init", { cluster, topics });
  return JSON.parse(Testing.synth(scope));
}

/** Returns the topics that a stack's sidecar reads. */
export function declaredIn({ resource }: Json): string {
  return Object.values<Json>(resource.docker_container)
    .find(({ name }) => name === "kafka-init")
    .upload.find(({ file }: Json) => file === TOPICS_FILE).content;
}

/** Secret files as another source would provide them. */
export const SECURITY: Security = {
  caBundle: "tls/ca.pem",
  keyPairOf: (principal) => `tls/${principal}.store.pem`,
  credentialsOf: (application) => ({
    password: `passwords/${application}`,
    passwordHash: `passwords/${application}.bcrypt`,
  }),
};

export function securedKafka(applications: readonly Application[], security?: Security) {
  const scope = testStack();
  const cluster = new KafkaCluster(scope, "kafka", {
    ...networks(scope),
    nodes: nodes(scope, 3).map((node, i) => ({ ...node, hostPort: 9092 + i })),
    security,
    certificateListener: security !== undefined && applications.some(hasCertificate),
  });
  new KafkaInit(scope, "init", {
    cluster,
    topics: [{ name: "orders", partitions: 3 }],
    applications,
  });
  const containers: Json[] = Object.values(
    JSON.parse(Testing.synth(scope)).resource.docker_container,
  );
  return (name: string) => containers.find((body) => body.name === name) as Json;
}
