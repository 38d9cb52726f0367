import { Construct } from "constructs";
import type { INetwork } from "../network/network";
import { jvmHeapMiB } from "../service/memory";
import { ServiceContainer, type Ulimit } from "../service/service-container";
import { ServiceImage } from "../service/service-image";
import { validate } from "../service/validation";
import type { IDataVolume } from "../storage/data-volume";

/** Image of every node, and of the sidecar that needs its curl. */
export const OPENSEARCH_IMAGE = "opensearchproject/opensearch:3.8.0";

export const OPENSEARCH_HTTP_PORT = 9200;

const CLUSTER = "opensearch";

export interface OpenSearchClusterProps {
  /** Network of the nodes' own traffic and of the init sidecar. */
  readonly infraNetwork: INetwork;

  /**
   * Network on which applications reach HTTP; the transport port is never on it.
   *
   * @default - applications do not reach the cluster
   */
  readonly projectNetwork?: INetwork;

  /** One data volume for each node; their number, 1 or at least 3, is the number of nodes. */
  readonly dataVolumes: readonly IDataVolume[];

  /**
   * Port on 127.0.0.1 of the first node's HTTP; every further node has the next one.
   *
   * @default - nothing is published on the host
   */
  readonly firstHostPort?: number;

  /**
   * Whether nodes set their own limits: 65536 open files and memory locked against swapping. `false` inherits the engine's,
   * for a machine that refuses to raise them.
   *
   * @default true
   */
  readonly raiseUlimits?: boolean;
}

/** https://docs.opensearch.org/latest/install-and-configure/install-opensearch/docker/#sample-docker-compose-file-for-development */
const ULIMITS: readonly Ulimit[] = [
  { name: "memlock", soft: -1, hard: -1 },
  { name: "nofile", soft: 65536, hard: 65536 },
];

/** An OpenSearch cluster without the security plugin. Containers `opensearch-1` to `opensearch-n`. */
export class OpenSearchCluster extends Construct {
  readonly nodes: readonly ServiceContainer[];

  /** Base URLs of every node's HTTP on the infra network. */
  readonly internalEndpoints: readonly string[];

  /** Base URL of HTTP on the infra network, of whichever node runs. */
  readonly internalEndpoint: string;

  constructor(scope: Construct, id: string, props: OpenSearchClusterProps) {
    super(scope, id);
    const count = props.dataVolumes.length;
    validate(
      count === 1 || count >= 3,
      () =>
        `an OpenSearch cluster of ${count} nodes cannot elect a cluster manager after losing one: 1 node, or 3 and more`,
      this,
    );
    const { infraNetwork, projectNetwork } = props;
    const names = props.dataVolumes.map((_, index) => `opensearch-${index + 1}`);
    const raiseUlimits = props.raiseUlimits ?? true;
    const heapMiB = jvmHeapMiB(this, "search");
    this.internalEndpoints = names.map(
      (name) => `http://${name}.${infraNetwork.name}:${OPENSEARCH_HTTP_PORT}`,
    );

    this.internalEndpoint = `http://${CLUSTER}.${infraNetwork.name}:${OPENSEARCH_HTTP_PORT}`;

    this.nodes = names.map((name, i) => {
      const host = `${name}.${infraNetwork.name}`;
      const httpHosts = [
        "_local_",
        host,
        ...(projectNetwork ? [`${name}.${projectNetwork.name}`] : []),
      ];
      return new ServiceContainer(this, name, {
        name,
        image: ServiceImage.of(this, OPENSEARCH_IMAGE),
        tier: "search",
        cluster: CLUSTER,
        networks: [infraNetwork, ...(projectNetwork ? [projectNetwork] : [])],
        volumes: { "/usr/share/opensearch/data": props.dataVolumes[i] },
        ports: props.firstHostPort
          ? [{ containerPort: OPENSEARCH_HTTP_PORT, hostPort: props.firstHostPort + i }]
          : [],
        ulimits: raiseUlimits ? ULIMITS : undefined,
        env: {
          "cluster.name": "groundwork",
          "node.name": name,
          "discovery.seed_hosts": names.map((peer) => `${peer}.${infraNetwork.name}`).join(","),
          "cluster.initial_cluster_manager_nodes": names.join(","),
          "transport.host": host,
          "http.host": httpHosts.join(","),
          "http.publish_host": host,
          "bootstrap.memory_lock": String(raiseUlimits),
          OPENSEARCH_JAVA_OPTS: `-Xms${heapMiB}m -Xmx${heapMiB}m`,
          DISABLE_INSTALL_DEMO_CONFIG: "true",
          DISABLE_SECURITY_PLUGIN: "true",
        },
        healthCheck: { command: joinedCommand(count) },
      });
    });
  }
}

/** Healthy is when all nodes have joined and every primary shard is assigned. */
function joinedCommand(nodes: number): string[] {
  const query = `wait_for_nodes=${encodeURIComponent(`>=${nodes}`)}&wait_for_status=yellow&timeout=1s`;
  const url = `http://127.0.0.1:${OPENSEARCH_HTTP_PORT}/_cluster/health?${query}`;
  // The body tells whoever waits how many have joined.
  return ["curl", "--fail-with-body", "--silent", "--show-error", "--max-time", "4", url];
}
