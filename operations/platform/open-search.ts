import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openSearchUrl } from "../../constructs";
import {
  CURL_AS_APPLICATION,
  CURL_AS_CHECKS,
  CURL_NODE,
  CURL_NODE_AS_CHECKS,
} from "../../constructs/opensearch/tls";
import type { Outcome } from "../engine/docker";
import { CommandError } from "../terminal/terminal";
import type { Cluster, Exec, ExecWithInput, Follow } from "./cluster";
import { jsonIn } from "./open-search-answer";
import { OpenSearchBackups } from "./open-search-backups";
import { OpenSearchMembers } from "./open-search-members";
import { OpenSearchResources } from "./open-search-resources";
import { type Send, ShardAllocation } from "./shard-allocation";

const OPTIONS = ["--silent", "--show-error"];
const CURL = ["curl", ...OPTIONS, "--max-time", "10"];

/** For requests of the administrator: a flush writes to the disk. */
const ADMINISTRATOR_SECONDS = "60";

const WITH_KEY_PAIR = readFileSync(join(__dirname, "with-key-pair.sh"), "utf8");

/** What a client logs in with. */
export type OpenSearchLogin =
  | { readonly user: string; readonly password: string }
  | { readonly key: string; readonly certificate: string };

export interface OpenSearchProps {
  /** The nodes' containers, without those on excluded machines. */
  readonly nodes: readonly string[];
  readonly secured: boolean;
  readonly exec: Exec;
  readonly execWithInput: ExecWithInput;
  readonly follow: Follow;
  /** Returns the key pair of the administrator of a secured cluster, PEM. It stays on this machine. */
  readonly administrator: () => string;
}

/** Queries the running nodes with the curl of their image. */
export class OpenSearch implements Cluster {
  readonly members: OpenSearchMembers;

  readonly backups: OpenSearchBackups;

  readonly replicas = new ShardAllocation((...args) => this.send(...args));

  constructor(private readonly props: OpenSearchProps) {
    this.members = new OpenSearchMembers((...args) => this.send(...args), props.nodes);
    this.backups = new OpenSearchBackups(
      (...args) => this.send(...args),
      ...([props.nodes[0], props.follow] as const),
    );
  }

  /** What the first node tells of its resources. */
  get resources(): OpenSearchResources {
    return this.resourcesFrom(this.props.nodes[0]);
  }

  resourcesFrom(node: string): OpenSearchResources {
    return new OpenSearchResources((...args) => this.send(...args), node);
  }

  /** Returns the response of the REST API for a path. An HTTP error is a failure. */
  get(path: string, node = this.props.nodes[0]): Promise<Outcome> {
    return this.ask(node, path, "--fail");
  }

  /** Returns the response of any URL on the infra network, requested from a node's container. An HTTP error is a failure. */
  fetch(url: string): Promise<Outcome> {
    return this.curl(this.props.nodes[0], CURL_AS_CHECKS, "--fail", url);
  }

  /** Logs in with a password or a key pair, at the address that applications use. An HTTP error is a failure. */
  login(login: OpenSearchLogin): Promise<Outcome> {
    const [node] = this.props.nodes;
    const request = [...CURL_AS_APPLICATION, "--fail"];
    if ("key" in login) {
      const [, ...options] = CURL;
      return this.props.execWithInput(
        node,
        [
          ...["bash", "-c", WITH_KEY_PAIR, "with-key-pair.sh"],
          ...[...options, ...request, openSearchUrl(true)],
        ],
        login.key + login.certificate,
      );
    }
    const quoted = `${login.user}:${login.password}`.replace(/[\\"]/g, "\\$&");
    return this.props.execWithInput(
      node,
      [...CURL, ...request, "--config", "-", openSearchUrl(true)],
      `user = "${quoted}"\n`,
    );
  }

  async serves(node: string): Promise<boolean> {
    return (await this.ask(node, "/_cluster/health?timeout=1s", "--fail")).exitCode === 0;
  }

  async incomplete(node: string, isUpgrading = false): Promise<string | undefined> {
    const path = "/_cluster/health?wait_for_status=green&timeout=1s";
    const { exitCode, output } = await this.ask(node, path);
    const health = exitCode === 0 ? jsonIn(output) : undefined;
    if (!["green", "yellow", "red"].includes(health?.status)) {
      return output || "no answer";
    }
    const { status, unassigned_shards, initializing_shards, relocating_shards } = health;
    if (status === "green") {
      return undefined;
    }
    const lack = `status ${status}; shards unassigned: ${unassigned_shards}, initializing: ${initializing_shards}, relocating: ${relocating_shards}`;
    if (!isUpgrading || status !== "yellow" || initializing_shards + relocating_shards > 0) {
      return lack;
    }
    const { number_of_nodes } = health;
    const { length } = this.props.nodes;
    if (number_of_nodes < length) {
      return `${lack}; nodes: ${number_of_nodes} of ${length}`;
    }
    const other = await this.replicas.lackBesidesVersion(node);
    return other === undefined ? undefined : `${lack}; ${other}`;
  }

  async coordinator(node: string): Promise<string | undefined> {
    const { exitCode, output } = await this.ask(node, "/_cat/cluster_manager?h=node");
    return exitCode === 0 ? output.trim() : undefined;
  }

  async versions([node]: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const path = "/_nodes?filter_path=nodes.*.name,nodes.*.version";
    const { exitCode, output } = await this.ask(node, path, "--fail-with-body");
    const nodes = exitCode === 0 ? jsonIn(output)?.nodes : undefined;
    if (nodes === undefined) {
      throw new CommandError(`OpenSearch does not tell the versions of its nodes: ${output}`);
    }
    return new Map(
      Object.values<{ name: string; version: string }>(nodes).map(({ name, version }) => [
        name,
        version,
      ]),
    );
  }

  private readonly send: Send = (node, { as, method = "GET", path, body }) => {
    const url = `${openSearchUrl(this.props.secured, "127.0.0.1")}${path}`;
    const json = body && ["--header", "content-type: application/json", "--data"];
    const args = [
      ...(as === "administrator" ? ["--max-time", ADMINISTRATOR_SECONDS] : []),
      ...["--fail-with-body", "--request", method],
      ...(json ? [...json, JSON.stringify(body)] : []),
      url,
    ];
    return as === "administrator" && this.props.secured
      ? this.props.execWithInput(
          node,
          [
            ...["bash", "-c", WITH_KEY_PAIR, "with-key-pair.sh"],
            ...[...OPTIONS, ...CURL_NODE, ...args],
          ],
          this.props.administrator(),
        )
      : this.curl(node, CURL_NODE_AS_CHECKS, ...args);
  };

  private ask(node: string, path: string, ...switches: string[]): Promise<Outcome> {
    const url = `${openSearchUrl(this.props.secured, "127.0.0.1")}${path}`;
    return this.curl(node, CURL_NODE_AS_CHECKS, ...switches, url);
  }

  private curl(node: string, overTls: readonly string[], ...args: string[]): Promise<Outcome> {
    const { secured, exec } = this.props;
    return exec(node, [...CURL, ...(secured ? overTls : []), ...args]);
  }
}
