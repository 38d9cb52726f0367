import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ADMIN_PRINCIPAL } from "../../constructs/opensearch/tls";
import { type ClusterName, type Environment, isSecured, votersOf } from "../../environments";
import { secretsFolder } from "../../secrets/platform-secrets";
import { SECRET_FILES } from "../../secrets/secret-files";
import {
  engineOf,
  enginesOf,
  includedNodesOf,
  isExcluded,
  machineOf,
} from "../../stacks/placement";
import { type Engine, followDocker, tryDockerAt, tryDockerWithInput } from "../engine/docker";
import type { Cluster, Exec, ExecWithInput, Follow } from "./cluster";
import { Kafka } from "./kafka";
import { Grafana, Loki, Prometheus } from "./observability";
import { OpenSearch } from "./open-search";

/**
 * The running platform of an environment: its services and their Docker engines. Queries a service with a tool of its image, run inside a
 * container with that container's certificate. Deploys nothing.
 */
export class Platform {
  readonly kafka: Kafka;
  readonly openSearch: OpenSearch;
  readonly prometheus: Prometheus;
  readonly loki: Loki;
  readonly grafana: Grafana;

  /** The clusters by the value of the label `groundwork.cluster`. */
  readonly clusters: Readonly<Record<string, Cluster>>;

  constructor(readonly environment: Environment) {
    const secured = isSecured(environment);
    const infraNetwork = environment.networks.infra;
    const { exec, execWithInput, follow } = this;
    this.kafka = new Kafka({
      ...{ brokers: this.nodes("kafka"), infraNetwork, secured, exec, execWithInput, follow },
      controllers: votersOf(environment, "kafka").filter((node) => !isExcluded(environment, node)),
      rackOf: (broker) => machineOf(environment, broker)?.name,
    });
    this.openSearch = new OpenSearch({
      nodes: this.nodes("opensearch"),
      secured,
      exec,
      execWithInput,
      follow,
      administrator: () =>
        readFileSync(
          join(secretsFolder(environment), SECRET_FILES.keyPair(ADMIN_PRINCIPAL)),
          "utf8",
        ),
    });
    this.prometheus = new Prometheus({ secured, exec });
    this.loki = new Loki({ infraNetwork, secured, through: this.openSearch });
    this.grafana = new Grafana(exec);
    this.clusters = { kafka: this.kafka, opensearch: this.openSearch };
  }

  /** The Docker engines of all machines that are not excluded. */
  get engines(): Engine[] {
    return enginesOf(this.environment);
  }

  /** Returns the Docker engine of a container. */
  engineOf(container: string): Engine {
    return engineOf(this.environment, container);
  }

  /** Returns the containers of a cluster's nodes, without those on excluded machines. */
  nodes(cluster: ClusterName): string[] {
    return includedNodesOf(this.environment, cluster);
  }

  /** Runs a command in a container on any machine, with additional variables (`NAME=value`). */
  readonly exec: Exec = (container, command, env = []) =>
    tryDockerAt(
      this.engineOf(container),
      ...["exec", ...env.flatMap((variable) => ["--env", variable])],
      ...[container, ...command],
    );

  private readonly follow: Follow = (container, command, { env = [], input, onLine }) =>
    followDocker(
      this.engineOf(container),
      { input, onLine },
      ...["exec", "--interactive", ...env.flatMap((variable) => ["--env", variable])],
      ...[container, ...command],
    );

  private readonly execWithInput: ExecWithInput = (container, command, input) =>
    tryDockerWithInput(
      this.engineOf(container),
      input,
      ...["exec", "--interactive", container, ...command],
    );
}
