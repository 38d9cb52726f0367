import { Construct } from "constructs";
import { type ClusterNodeProps, countNodes, resolveNodes } from "../container/cluster-node";
import { jvmHeapMiB, type Memory, memoryOf } from "../container/memory";
import { defaultVoters } from "../container/node-name";
import { ServiceContainer, type Ulimit } from "../container/service-container";
import { ServiceImage } from "../container/service-image";
import { validate } from "../container/validation";
import { type INetwork, Network } from "../network/network";
import { NodeCertificates } from "../security/node-certificates";
import { httpScheme, type Security } from "../security/security";
import type { IDataVolume } from "../storage/data-volume";
import { REPOSITORY_DIR } from "./backup";
import { CERTIFICATES_DIR, CURL_AS_NODE, nodeCertificateSources, nodeOverTls } from "./tls";

/** The default image of nodes, and of the sidecars that need its curl. */
export const OPENSEARCH_IMAGE = "opensearchproject/opensearch:3.8.0";

export const OPENSEARCH_HTTP_PORT = 9200;

/** The default of OpenSearch, for the traffic between nodes. */
export const OPENSEARCH_TRANSPORT_PORT = 9300;

const CLUSTER = "opensearch";

/** Returns the base URL of HTTP on a host. The default host resolves to any running node on the project network. */
export function openSearchUrl(secured: boolean, host = CLUSTER): string {
  return `${httpScheme(secured)}://${host}:${OPENSEARCH_HTTP_PORT}`;
}

export interface OpenSearchClusterProps {
  /**
   * The number of nodes with equal settings: 1, or at least 3.
   *
   * @default - the number of `nodes`, or 3
   */
  readonly nodeCount?: number;

  /**
   * The nodes, if they have settings of their own.
   *
   * @default - `nodeCount` nodes with the defaults of `ClusterNodeProps`
   */
  readonly nodes?: readonly ClusterNodeProps[];

  /**
   * The network for traffic between nodes and for the init sidecar.
   *
   * @default - the cluster's own network `<containerName>-infra`
   */
  readonly infraNetwork?: INetwork;

  /**
   * The network on which applications reach HTTP. The transport port is never on it.
   *
   * @default - none: applications cannot reach the cluster
   */
  readonly projectNetwork?: INetwork;

  /**
   * Whether nodes raise their ulimits: 65536 open files, and memory locked against swapping. `false` inherits the Docker engine's
   * ulimits, for a machine that refuses to raise them.
   *
   * @default true
   */
  readonly raiseUlimits?: boolean;

  /**
   * The image of nodes and sidecars. With `security`, it must have the security plugin.
   *
   * @default OPENSEARCH_IMAGE
   */
  readonly image?: string;

  /**
   * The prefix of the nodes' container names: `<containerName>-1` and so on. On every network it is also a host name that resolves to
   * all nodes.
   *
   * @default "opensearch"
   */
  readonly containerName?: string;

  /**
   * The memory of each node. Half of the limit is the JVM's heap.
   *
   * @default - the tier `search` of `MEMORY_TIERS`, at the scale of the environment
   */
  readonly memory?: Memory;

  /**
   * Where the nodes keep backups: a volume that they share, or a path on the host of each that leads to the same storage.
   *
   * @default - nowhere: the cluster has no repository of files
   */
  readonly backupStorage?: IDataVolume | { readonly hostPath: string };

  /**
   * The certificates of the nodes and their clients. HTTP and transport are encrypted, and unauthenticated clients are refused.
   *
   * @default - plaintext, without authentication
   */
  readonly security?: Security;
}

/** https://docs.opensearch.org/latest/install-and-configure/install-opensearch/docker/#sample-docker-compose-file-for-development */
const ULIMITS: readonly Ulimit[] = [
  { name: "memlock", soft: -1, hard: -1 },
  { name: "nofile", soft: 65536, hard: 65536 },
];

/** The roles of a node that is not eligible as cluster manager: all others that it has by default. */
const DATA_ROLES = "data,ingest,remote_cluster_client";

/**
 * An OpenSearch cluster. With `security`, it uses the security plugin. Containers `opensearch-1` to `opensearch-n`. The first three are
 * eligible as cluster manager.
 */
export class OpenSearchCluster extends Construct {
  readonly nodes: readonly ServiceContainer[];

  /** The number of nodes that sidecars and checks wait for: all that are not excluded. */
  readonly expectedNodes: number;

  /** The prefix of the nodes' container names. */
  readonly containerName: string;

  /** The network for traffic between nodes. */
  readonly infraNetwork: INetwork;

  /** The image of the nodes. */
  readonly image: ServiceImage;

  /** The certificates of a secured cluster; undefined for a plaintext one. */
  readonly security?: Security;

  /** The base URLs of every node's HTTP on the infra network. */
  readonly internalEndpoints: readonly string[];

  /** The base URL of HTTP on the infra network. It resolves to any running node. */
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
    const { backupStorage, projectNetwork, security, containerName = CLUSTER } = props;
    const infraNetwork =
      props.infraNetwork ?? new Network(this, "infra-network", { name: `${containerName}-infra` });
    this.infraNetwork = infraNetwork;
    this.containerName = containerName;
    const memory = props.memory ?? memoryOf(this, "search");
    const nodes = resolveNodes(this, { containerName, infraNetwork, projectNetwork }, given);
    const names = nodes.map(({ name }) => name);
    const eligible = names.slice(0, defaultVoters(count));
    this.expectedNodes = nodes.filter(({ excluded }) => !excluded).length;
    const raiseUlimits = props.raiseUlimits ?? true;
    const heapMiB = jvmHeapMiB(memory);
    // Java refuses a TLS client whose host name has an underscore, such as one on infra_net.
    const endpoint = (host: string) =>
      security ? openSearchUrl(true, host) : openSearchUrl(false, `${host}.${infraNetwork.name}`);
    this.internalEndpoints = names.map(endpoint);
    this.internalEndpoint = endpoint(containerName);
    this.image = ServiceImage.of(this, props.image ?? OPENSEARCH_IMAGE);
    this.security = security;

    this.nodes = nodes.map(({ name, scope: place, machine, networks, ...node }) => {
      const { hostPort } = node;
      const image = ServiceImage.of(place, this.image.reference);
      const tls = security && nodeOverTls(containerName);
      const certificates =
        security &&
        new NodeCertificates(place, `${name}-certificates`, {
          node: name,
          image,
          files: nodeCertificateSources(name, containerName, networks, security),
        });
      const host = `${name}.${infraNetwork.name}`;
      const httpHosts = ["_local_", ...networks.map((network) => `${name}.${network.name}`)];
      return new ServiceContainer(place, name, {
        name,
        image,
        tier: "search",
        memory,
        cluster: containerName,
        networks,
        isSecured: security !== undefined,
        volumes: {
          "/usr/share/opensearch/data": node.dataVolume,
          ...(certificates && { [CERTIFICATES_DIR]: certificates }),
          ...(backupStorage && "name" in backupStorage && { [REPOSITORY_DIR]: backupStorage }),
        },
        writableHostPaths:
          backupStorage && "hostPath" in backupStorage
            ? { [REPOSITORY_DIR]: backupStorage.hostPath }
            : undefined,
        ports: hostPort ? [{ containerPort: OPENSEARCH_HTTP_PORT, hostPort }] : [],
        ulimits: raiseUlimits ? ULIMITS : undefined,
        env: {
          "cluster.name": "groundwork",
          "node.name": name,
          // As the health check: they do not depend on the number of nodes, or adding one replaces them all.
          "discovery.seed_hosts": eligible.map((peer) => `${peer}.${infraNetwork.name}`).join(","),
          // Of one node alone, or two new ones could found a second cluster while the only old one restarts.
          ...(name === eligible[0] && {
            "cluster.initial_cluster_manager_nodes": eligible.join(","),
          }),
          ...(!eligible.includes(name) && { "node.roles": DATA_ROLES }),
          "transport.host": host,
          "http.host": httpHosts.join(","),
          "http.publish_host": host,
          "bootstrap.memory_lock": String(raiseUlimits),
          OPENSEARCH_JAVA_OPTS: `-Xms${heapMiB}m -Xmx${heapMiB}m`,
          DISABLE_INSTALL_DEMO_CONFIG: "true",
          ...(backupStorage && { "path.repo": REPOSITORY_DIR }),
          ...(machine && {
            "node.attr.machine": machine,
            "cluster.routing.allocation.awareness.attributes": "machine",
          }),
          ...(tls ? tls.env : { DISABLE_SECURITY_PLUGIN: "true" }),
        },
        files: tls?.files,
        healthCheck: { command: joinedCommand(eligible.length, security) },
      });
    });
  }
}

/** The health check: the node has joined as many nodes as are eligible as cluster manager, and every primary shard is assigned. */
function joinedCommand(nodes: number, security?: Security): string[] {
  const query = `wait_for_nodes=${encodeURIComponent(`>=${nodes}`)}&wait_for_status=yellow&timeout=1s`;
  const url = `${openSearchUrl(security !== undefined, "127.0.0.1")}/_cluster/health?${query}`;
  // The response says how many nodes have joined, which the progress display shows.
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
