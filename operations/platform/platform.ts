import { type ClusterName, type Environment, isSecured } from "../../environments";
import { engineOf, enginesOf, includedNodesOf } from "../../stacks/placement";
import { type Engine, tryDockerAt } from "../engine/docker";
import type { Cluster, Exec } from "./cluster";
import { Kafka } from "./kafka";
import { Grafana, Loki, Prometheus } from "./observability";
import { OpenSearch } from "./open-search";

/**
 * The running platform of an environment: its services, and the Docker engines that they are on. Every question to a service is a tool of an
 * image of the platform's own, run inside a container, with the certificate that the container has for it. Deploys nothing.
 */
export class Platform {
  readonly kafka: Kafka;
  readonly openSearch: OpenSearch;
  readonly prometheus: Prometheus;
  readonly loki: Loki;
  readonly grafana: Grafana;

  /** By the value of the label `groundwork.cluster`. */
  readonly clusters: Readonly<Record<string, Cluster>>;

  constructor(readonly environment: Environment) {
    const secured = isSecured(environment);
    const infraNetwork = environment.networks.infra;
    const { exec } = this;
    this.kafka = new Kafka({ brokers: this.nodes("kafka"), infraNetwork, secured, exec });
    this.openSearch = new OpenSearch({ nodes: this.nodes("opensearch"), secured, exec });
    this.prometheus = new Prometheus({ secured, exec });
    this.loki = new Loki({ infraNetwork, secured, through: this.openSearch });
    this.grafana = new Grafana(exec);
    this.clusters = { kafka: this.kafka, opensearch: this.openSearch };
  }

  /** The Docker engines of its machines, without excluded ones. */
  get engines(): Engine[] {
    return enginesOf(this.environment);
  }

  /** The Docker engine that a container is on. */
  engineOf(container: string): Engine {
    return engineOf(this.environment, container);
  }

  /** Containers of a cluster's nodes, without those on excluded machines. */
  nodes(cluster: ClusterName): string[] {
    return includedNodesOf(this.environment, cluster);
  }

  /** Runs a command in a container, with variables (`NAME=value`) beside its own, wherever the container is. */
  readonly exec: Exec = (container, command, env = []) =>
    tryDockerAt(
      this.engineOf(container),
      ...["exec", ...env.flatMap((variable) => ["--env", variable])],
      ...[container, ...command],
    );
}
