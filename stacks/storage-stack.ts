import type { Construct } from "constructs";
import { DataVolume } from "../constructs";
import { type ClusterName, type Environment, nodesOf } from "../environments";
import { machinesOf, nameOn } from "./placement";
import { DockerStack } from "./platform-stack";

export interface StorageStackProps {
  /**
   * Whether Terraform refuses to destroy the volumes.
   *
   * @default true
   */
  readonly preventDestroy?: boolean;
}

type ObservabilityVolume = "grafana" | "loki" | "prometheus";

const SUFFIX = "-data";

/** Returns the container whose data a volume has, by the volume's name. */
export function containerOfVolume(volume: string): string {
  return volume.endsWith(SUFFIX) ? volume.slice(0, -SUFFIX.length) : volume;
}

/** All data volumes. Their own stack keeps them when the other stacks are destroyed. */
export class StorageStack extends DockerStack {
  readonly openSearch: readonly DataVolume[];
  readonly kafka: readonly DataVolume[];
  readonly observability: Readonly<Record<ObservabilityVolume, DataVolume>>;
  /** One for each machine. */
  readonly alloy: readonly DataVolume[];

  constructor(
    scope: Construct,
    layer: string,
    environment: Environment,
    private readonly props: StorageStackProps = {},
  ) {
    super(scope, layer, environment);
    this.openSearch = this.volumes("opensearch");
    this.kafka = this.volumes("kafka");
    this.alloy = machinesOf(environment).map((machine) => this.volume(nameOn("alloy", machine)));
    this.observability = {
      grafana: this.volume("grafana"),
      loki: this.volume("loki"),
      prometheus: this.volume("prometheus"),
    };
  }

  private volumes(cluster: ClusterName): DataVolume[] {
    return nodesOf(this.environment, cluster).map((node) => this.volume(node));
  }

  private volume(container: string): DataVolume {
    return new DataVolume(this.of(container), container, {
      name: `${container}${SUFFIX}`,
      ...this.props,
    });
  }
}
