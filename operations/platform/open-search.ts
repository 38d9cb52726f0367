import { openSearchUrl } from "../../constructs";
import {
  CURL_AS_APPLICATION,
  CURL_AS_CHECKS,
  CURL_NODE_AS_CHECKS,
} from "../../constructs/opensearch/tls";
import type { Outcome } from "../engine/docker";
import type { Cluster, Exec, ExecWithInput } from "./cluster";

const CURL = ["curl", "--silent", "--show-error", "--max-time", "10"];

export interface OpenSearchProps {
  /** The nodes' containers, without those on excluded machines. */
  readonly nodes: readonly string[];
  readonly secured: boolean;
  readonly exec: Exec;
  readonly execWithInput: ExecWithInput;
}

/** Queries the running nodes with the curl of their image. */
export class OpenSearch implements Cluster {
  constructor(private readonly props: OpenSearchProps) {}

  /** Returns the response of the REST API for a path. An HTTP error is a failure. */
  get(path: string): Promise<Outcome> {
    return this.ask(this.props.nodes[0], path, "--fail");
  }

  /** Returns the response of any URL on the infra network, requested from a node's container. An HTTP error is a failure. */
  fetch(url: string): Promise<Outcome> {
    return this.curl(this.props.nodes[0], CURL_AS_CHECKS, "--fail", url);
  }

  /** Logs in with a password, at the address that applications use. An HTTP error is a failure. */
  login(user: string, password: string): Promise<Outcome> {
    const quoted = `${user}:${password}`.replace(/[\\"]/g, "\\$&");
    return this.props.execWithInput(
      this.props.nodes[0],
      [...CURL, ...CURL_AS_APPLICATION, "--fail", "--config", "-", openSearchUrl(true)],
      `user = "${quoted}"\n`,
    );
  }

  async serves(node: string): Promise<boolean> {
    return (await this.ask(node, "/_cluster/health?timeout=1s", "--fail")).exitCode === 0;
  }

  async incomplete(node: string): Promise<string | undefined> {
    const path = "/_cluster/health?wait_for_status=green&timeout=1s";
    const { exitCode, output } = await this.ask(node, path);
    if (exitCode !== 0) {
      return output;
    }
    const { status, unassigned_shards, initializing_shards, relocating_shards } =
      JSON.parse(output);
    return status === "green"
      ? undefined
      : `status ${status}; shards unassigned: ${unassigned_shards}, initializing: ${initializing_shards}, relocating: ${relocating_shards}`;
  }

  async coordinator(node: string): Promise<string | undefined> {
    const { exitCode, output } = await this.ask(node, "/_cat/cluster_manager?h=node");
    return exitCode === 0 ? output.trim() : undefined;
  }

  private ask(node: string, path: string, ...switches: string[]): Promise<Outcome> {
    const url = `${openSearchUrl(this.props.secured, "127.0.0.1")}${path}`;
    return this.curl(node, CURL_NODE_AS_CHECKS, ...switches, url);
  }

  private curl(node: string, overTls: readonly string[], ...args: string[]): Promise<Outcome> {
    const { secured, exec } = this.props;
    return exec(node, [...CURL, ...(secured ? overTls : []), ...args]);
  }
}
