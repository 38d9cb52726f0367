import type { Construct } from "constructs";
import { type IndexTemplate, OpenSearchCluster, OpenSearchInit } from "../constructs";
import type { Environment } from "../environments";
import type { NetworkStack } from "./network-stack";
import { DockerStack } from "./platform-stack";
import type { StorageStack } from "./storage-stack";

export interface DataStackProps {
  readonly network: NetworkStack;
  readonly storage: StorageStack;
  readonly indexTemplates: readonly IndexTemplate[];
}

/** OpenSearch and its index templates. */
export class DataStack extends DockerStack {
  readonly cluster: OpenSearchCluster;

  constructor(scope: Construct, layer: string, environment: Environment, props: DataStackProps) {
    super(scope, layer, environment);
    this.addDependency(props.network);
    this.addDependency(props.storage);
    this.cluster = new OpenSearchCluster(this, "opensearch", {
      infraNetwork: props.network.infra,
      projectNetwork: environment.openSearch.onProjectNetwork ? props.network.project : undefined,
      dataVolumes: props.storage.openSearch,
      firstHostPort: environment.hostPorts?.openSearch,
      raiseUlimits: environment.openSearch.raiseUlimits,
    });
    new OpenSearchInit(this, "os-init", {
      cluster: this.cluster,
      network: props.network.infra,
      indexTemplates: props.indexTemplates,
    });
  }
}
