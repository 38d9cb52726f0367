import type { Construct } from "constructs";
import { type Application, KafkaCluster, KafkaInit, type Topic } from "../constructs";
import type { Environment } from "../environments";
import { isAbsent } from "../environments/placement";
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

/** Kafka, its topics, and what the applications may do there. */
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
    this.cluster = new KafkaCluster(this, "kafka", {
      infraNetwork: props.network.infra,
      projectNetwork: props.network.project,
      dataVolumes: props.storage.kafka,
      scopeOf:
        environment.machines &&
        ((node) => this.of(node).after(props.network, props.storage.of(node))),
      isAbsent: (node) => isAbsent(environment, node),
      firstHostPort: environment.hostPorts?.kafka,
      hostNetworkOf: (node) => props.network.hostOf(node),
      security,
    });
    this.init = new KafkaInit(this, "kafka-init", {
      cluster: this.cluster,
      network: props.network.infra,
      topics: props.topics,
      security,
      applications: props.applications,
    });
  }
}
