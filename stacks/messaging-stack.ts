import type { Construct } from "constructs";
import { KafkaCluster, KafkaInit, type Topic } from "../constructs";
import type { Environment } from "../environments";
import type { NetworkStack } from "./network-stack";
import { PlatformStack } from "./platform-stack";
import type { StorageStack } from "./storage-stack";

export interface MessagingStackProps {
  readonly network: NetworkStack;
  readonly storage: StorageStack;
  readonly topics: readonly Topic[];
}

/** Kafka and its topics. */
export class MessagingStack extends PlatformStack {
  constructor(
    scope: Construct,
    layer: string,
    environment: Environment,
    props: MessagingStackProps,
  ) {
    super(scope, layer, environment);
    this.addDependency(props.network);
    this.addDependency(props.storage);
    const cluster = new KafkaCluster(this, "kafka", {
      infraNetwork: props.network.infra,
      projectNetwork: props.network.project,
      dataVolumes: props.storage.kafka,
      firstHostPort: environment.hostPorts?.kafka,
    });
    new KafkaInit(this, "kafka-init", {
      cluster,
      network: props.network.infra,
      topics: props.topics,
    });
  }
}
