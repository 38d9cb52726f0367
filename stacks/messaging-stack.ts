import type { Construct } from "constructs";
import { type Application, KafkaCluster, KafkaInit, type Topic } from "../constructs";
import { hasCertificate } from "../constructs/security/application";
import type { Environment } from "../environments";
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
      certificateListener: security !== undefined && props.applications.some(hasCertificate),
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
