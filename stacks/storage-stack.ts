import type { Construct } from "constructs";
import { DataVolume } from "../constructs";
import type { Environment } from "../environments";
import { PlatformStack } from "./platform-stack";

export interface StorageStackProps {
  /**
   * Whether Terraform refuses to destroy the volumes.
   *
   * @default true
   */
  readonly preventDestroy?: boolean;
}

/** Every data volume, in a stack of its own, so that destroying all others cannot touch what people stored. */
export class StorageStack extends PlatformStack {
  readonly openSearch: readonly DataVolume[];
  readonly kafka: readonly DataVolume[];

  constructor(
    scope: Construct,
    layer: string,
    environment: Environment,
    private readonly props: StorageStackProps = {},
  ) {
    super(scope, layer, environment);
    this.openSearch = this.volumes("opensearch", environment.openSearch.nodes);
    this.kafka = this.volumes("kafka", environment.kafka.brokers);
  }

  private volumes(service: string, count: number): DataVolume[] {
    return Array.from({ length: count }, (_, index) => {
      const node = `${service}-${index + 1}`;
      return new DataVolume(this, node, { name: `${node}-data`, ...this.props });
    });
  }
}
