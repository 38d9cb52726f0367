import { Construct } from "constructs";
import { type ClusterNodeProps, countNodes, resolveNodes } from "../container/cluster-node";
import { jvmHeapMiB, type Memory, memoryOf } from "../container/memory";
import { ServiceContainer, type Ulimit } from "../container/service-container";
import { ServiceImage } from "../container/service-image";
import { validate } from "../container/validation";
import { type INetwork, Network } from "../network/network";
import { httpScheme, type Security } from "../security/security";
import { CURL_AS_NODE, nodeOverTls } from "./tls";

/** Image of every node, and of the sidecars that need its curl, where no other is asked for. */
export const OPENSEARCH_IMAGE = "opensearchproject/opensearch:3.8.0";

export const OPENSEARCH_HTTP_PORT = 9200;

const CLUSTER = "opensearch";

/** Base URL of HTTP on a host; unless one is named, of whichever node runs, for an application on the project network. */
export function openSearchUrl(secured: boolean, host = CLUSTER): string {
  return `${httpScheme(secured)}://${host}:${OPENSEARCH_HTTP_PORT}`;
}

export interface OpenSearchClusterProps {
  /**
   * Number of nodes that are alike, 1 or at least 3.
   *
   * @default - the number of `nodes`, or 3
   */
  readonly nodeCount?: number;

  /**
   * The nodes, where they differ or something is to be said about them.
   *
   * @default - as many as `nodeCount` says, with the defaults of `ClusterNodeProps`
   */
  readonly nodes?: readonly ClusterNodeProps[];

  /**
   * Network of the nodes' own traffic and of the init sidecar.
   *
   * @default - the cluster's own network `<containerName>-infra`
   */
  readonly infraNetwork?: INetwork;

  /**
   * Network on which applications reach HTTP; the transport port is never on it.
   *
   * @default - applications do not reach the cluster
   */
  readonly projectNetwork?: INetwork;

  /**
   * Whether nodes set their own limits: 65536 open files and memory locked against swapping. `false` inherits the engine's,
   * for a machine that refuses to raise them.
   *
   * @default true
   */
  readonly raiseUlimits?: boolean;

  /**
   * What the nodes run, and the sidecars: an image with the security plugin where there is `security`.
   *
   * @default OPENSEARCH_IMAGE
   */
  readonly image?: string;

  /**
   * What the names of the nodes' containers begin with: `<containerName>-1` and so on. On every network it is a host name of all nodes together.
   *
   * @default "opensearch"
   */
  readonly containerName?: string;

  /**
   * Memory of each node. Half of the limit is the JVM's heap.
   *
   * @default - the tier `search` of `MEMORY_TIERS`, at the scale of the environment
   */
  readonly memory?: Memory;

  /**
   * By what the nodes know each other and their clients: both HTTP and transport are encrypted, and nobody unknown gets an answer.
   *
   * @default - neither encrypted nor authenticated
   */
  readonly security?: Security;
}

/** https://docs.opensearch.org/latest/install-and-configure/install-opensearch/docker/#sample-docker-compose-file-for-development */
const ULIMITS: readonly Ulimit[] = [
  { name: "memlock", soft: -1, hard: -1 },
  { name: "nofile", soft: 65536, hard: 65536 },
];

/** An OpenSearch cluster, with the security plugin where there is `security`. Containers `opensearch-1` to `opensearch-n`. */
export class OpenSearchCluster extends Construct {
  readonly nodes: readonly ServiceContainer[];

  /** How many of them are waited for. */
  readonly expectedNodes: number;

  /** What the names of the nodes' containers begin with. */
  readonly containerName: string;

  /** Network of the nodes' own traffic. */
  readonly infraNetwork: INetwork;

  /** What the nodes run. */
  readonly image: ServiceImage;

  /** By what the nodes know their clients; nothing when they ask nobody. */
  readonly security?: Security;

  /** Base URLs of every node's HTTP on the infra network. */
  readonly internalEndpoints: readonly string[];

  /** Base URL of HTTP on the infra network, of whichever node runs. */
  readonly internalEndpoint: string;

  constructor(scope: Construct, id: string, props: OpenSearchClusterProps = {}) {
    super(scope, id);
    const given = countNodes(this, { nodes: props.nodes, count: props.nodeCount }, "nodeCount");
    const count = given.length;
    validate(
      count === 1 || count >= 3,
      () =>
        `an OpenSearch cluster of ${count} nodes cannot elect a cluster manager after it loses one: declare 1 node, or at least 3`,
      this,
    );
    const { projectNetwork, security, containerName = CLUSTER } = props;
    const infraNetwork =
      props.infraNetwork ?? new Network(this, "infra-network", { name: `${containerName}-infra` });
    this.infraNetwork = infraNetwork;
    this.containerName = containerName;
    const memory = props.memory ?? memoryOf(this, "search");
    const nodes = resolveNodes(this, { containerName, infraNetwork, projectNetwork }, given);
    const names = nodes.map(({ name }) => name);
    this.expectedNodes = nodes.filter(({ excluded }) => !excluded).length;
    const raiseUlimits = props.raiseUlimits ?? true;
    const heapMiB = jvmHeapMiB(memory);
    // Java refuses a TLS client that asks for a host whose name has an underscore, as one on infra_net has.
    const endpoint = (host: string) =>
      security ? openSearchUrl(true, host) : openSearchUrl(false, `${host}.${infraNetwork.name}`);
    this.internalEndpoints = names.map(endpoint);
    this.internalEndpoint = endpoint(containerName);
    this.image = ServiceImage.of(this, props.image ?? OPENSEARCH_IMAGE);
    this.security = security;

    this.nodes = nodes.map(({ name, scope: place, machine, networks, ...node }) => {
      const { hostPort } = node;
      const tls = security && nodeOverTls(name, containerName, networks, security);
      const host = `${name}.${infraNetwork.name}`;
      const httpHosts = ["_local_", ...networks.map((network) => `${name}.${network.name}`)];
      return new ServiceContainer(place, name, {
        name,
        image: ServiceImage.of(place, this.image.reference),
        tier: "search",
        memory,
        cluster: containerName,
        networks,
        isSecured: security !== undefined,
        volumes: { "/usr/share/opensearch/data": node.dataVolume },
        ports: hostPort ? [{ containerPort: OPENSEARCH_HTTP_PORT, hostPort }] : [],
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
          ...(machine && {
            "node.attr.machine": machine,
            "cluster.routing.allocation.awareness.attributes": "machine",
          }),
          ...(tls ? tls.env : { DISABLE_SECURITY_PLUGIN: "true" }),
        },
        files: tls?.files,
        secrets: tls?.secrets,
        healthCheck: { command: joinedCommand(count, security) },
      });
    });
  }
}

/** Healthy is when all nodes have joined and every primary shard is assigned. */
function joinedCommand(nodes: number, security?: Security): string[] {
  const query = `wait_for_nodes=${encodeURIComponent(`>=${nodes}`)}&wait_for_status=yellow&timeout=1s`;
  const url = `${openSearchUrl(security !== undefined, "127.0.0.1")}/_cluster/health?${query}`;
  // The body tells whoever waits how many have joined.
  return [
    "curl",
    "--fail-with-body",
    "--silent",
    "--show-error",
    "--max-time",
    "4",
    ...(security ? CURL_AS_NODE : []),
    url,
  ];
}
