import type { Construct } from "constructs";
import { type Application, KafkaCluster, KafkaInit, type Topic } from "../constructs";
import { hasCertificate } from "../constructs/security/application";
import { type Environment, isSecured } from "../environments";
import { clusterNodes } from "./cluster-nodes";
import type { NetworkStack } from "./network-stack";
import { DockerStack } from "./platform-stack";
import { securityOf } from "./security";
import type { StorageStack } from "./storage-stack";

export interface MessagingStackProps {
  readonly network: NetworkStack;
  readonly storage: StorageStack;
  readonly topics: readonly Topic[];
  readonly applications: readonly Application[];
}

/** Returns whether Kafka has a listener for certificates: without an application that needs it, no broker is replaced for it. */
export function hasCertificateListener(
  environment: Environment,
  applications: readonly Application[],
): boolean {
  return isSecured(environment) && applications.some(hasCertificate);
}

/** Kafka, its topics, and the ACLs of applications in it. */
export class MessagingStack extends DockerStack {
  readonly cluster: KafkaCluster;
  readonly init: KafkaInit;

  constructor(
    scope: Construct,
    layer: string,
    environment: Environment,
    props: MessagingStackProps,
  ) {
    super(scope, layer, environment);
    this.after(props.network, props.storage);
    const security = securityOf(environment);
    const { controllers, image, reauthenticationMinutes } = environment.kafka;
    this.cluster = new KafkaCluster(this, "kafka", {
      infraNetwork: props.network.infra,
      projectNetwork: props.network.project,
      nodes: clusterNodes(this, environment, "kafka", props),
      controllers,
      image,
      security,
      certificateListener: hasCertificateListener(environment, props.applications),
      config: reauthenticationMinutes
        ? { "connections.max.reauth.ms": reauthenticationMinutes * 60_000 }
        : undefined,
    });
    this.init = new KafkaInit(this, "kafka-init", {
      cluster: this.cluster,
      topics: props.topics,
      applications: props.applications,
    });
  }
}
