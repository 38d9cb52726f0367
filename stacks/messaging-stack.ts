import type { Construct } from "constructs";
import { KafkaCluster, KafkaInit, type Topic } from "../constructs";
import type { Environment } from "../environments";
import type { NetworkStack } from "./network-stack";
import { DockerStack } from "./platform-stack";
import type { StorageStack } from "./storage-stack";

export interface MessagingStackProps {
  readonly network: NetworkStack;
  readonly storage: StorageStack;
  readonly topics: readonly Topic[];
}

/** Kafka and its topics. */
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
    this.addDependency(props.network);
    this.addDependency(props.storage);
    this.cluster = new KafkaCluster(this, "kafka", {
      infraNetwork: props.network.infra,
      projectNetwork: props.network.project,
      dataVolumes: props.storage.kafka,
      firstHostPort: environment.hostPorts?.kafka,
    });
    this.init = new KafkaInit(this, "kafka-init", {
      cluster: this.cluster,
      network: props.network.infra,
      topics: props.topics,
    });
  }
}
