import { OpenSearchMembers } from "../../operations/platform/open-search-members";
import type { Send } from "../../operations/platform/shard-allocation";
import type { Json } from "./platform";

export const EXCLUDED = "cluster.routing.allocation.exclude._name";
export const LEAVING = "cluster.metadata.groundwork.leaving";

type Request = Parameters<Send>[1];

/** A copy in the answer of `_cat/shards`: `p orders 0 opensearch-1`, with the state and node of an unassigned one left out. */
export function copy(text: string, more: Json = {}): Json {
  const [prirep, index, shard, node = null] = text.split(" ");
  const state = node === null ? "UNASSIGNED" : "STARTED";
  return { index, shard, prirep, state, store: node === null ? null : "1000", node, ...more };
}

/** A cluster of OpenSearch that moves shards away from excluded nodes, one whenever it is asked for its shards. */
export class ShardsServer {
  nodes: Record<string, string> = {};
  shards: Json[] = [];
  indices: Record<string, Json> = {};
  persistent: Json = {};
  transient: Json = {};
  /** Settings of the nodes and defaults, all as text. */
  defaults: Json = {
    "cluster.routing.allocation.disk.threshold_enabled": "true",
    "cluster.routing.allocation.disk.watermark.low": "85%",
  };
  /** Available and total bytes of every node's disk; null if OpenSearch does not know them. */
  disk: readonly [available: number | null, total: number | null] = [1e12, 1e12];
  votingExclusions: string[] = [];
  voters = ["opensearch-1", "opensearch-2", "opensearch-3"];
  /** The decisions of a simulated move to a node, by default none against it. */
  decisions: (index: string, node: string) => Json[] = () => [];
  moves = true;
  /** Answers in place of the server's, by a part of `METHOD path`, each once unless it stays. */
  faults: { part: string; answer: Json | string; exitCode?: number; stays?: boolean }[] = [];
  readonly requests: Request[] = [];

  constructor(count: number) {
    for (let i = 1; i <= count; i++) {
      const eligible = i <= 3 ? "cluster_manager," : "";
      this.nodes[`opensearch-${i}`] = `${eligible}data,ingest,remote_cluster_client`;
    }
  }

  readonly send: Send = async (_, request) => {
    this.requests.push(request);
    const { method = "GET", path } = request;
    const fault = this.faults.find(({ part }) => `${method} ${path}`.includes(part));
    if (fault) {
      this.faults = this.faults.filter((other) => other !== fault || fault.stays);
      const { answer, exitCode = 0 } = fault;
      return { exitCode, output: typeof answer === "string" ? answer : JSON.stringify(answer) };
    }
    const answer = this.answer(method, path, request.body);
    return { exitCode: 0, output: answer === undefined ? "" : JSON.stringify(answer) };
  };

  /** Returns the requests that change something, as `METHOD path body`. */
  get changes(): string[] {
    return this.requests
      .filter(({ method, path }) => method && !/dry_run|explain/.test(path))
      .map(({ method, path, body }) =>
        [method, path, ...(body ? [JSON.stringify(body)] : [])].join(" "),
      );
  }

  members(nodes: readonly string[], patience: Json = {}): OpenSearchMembers {
    return new OpenSearchMembers(this.send, nodes, {
      ...{
        intervalMs: 1,
        initializingMs: 20,
        stalledMs: 20,
        muteMs: 20,
        leavingMs: 20,
        ...patience,
      },
    });
  }

  private answer(method: string, path: string, body: Json): Json {
    switch (`${method} ${path.split("?")[0]}`) {
      case "GET /_cat/nodes":
        return Object.entries(this.nodes).map(([name, roles]) => ({
          ...{ id: `id-${name}`, name, "node.roles": roles },
        }));
      case "GET /_cat/shards":
        return this.moveOne();
      case "GET /_all/_settings":
        return this.indices;
      case "GET /_cluster/settings":
        return {
          ...{ persistent: this.persistent, transient: this.transient },
          ...(path.includes("include_defaults") && { defaults: this.defaults }),
        };
      case "GET /_cat/allocation": {
        const [available, total] = this.disk.map((bytes) => bytes && String(bytes));
        return [...Object.keys(this.nodes), "UNASSIGNED"].map((node) => ({
          ...{ node, "disk.avail": node === "UNASSIGNED" ? null : available },
          "disk.total": node === "UNASSIGNED" ? null : total,
        }));
      }
      case "PUT /_cluster/settings":
        this.persistent = changed(this.persistent, body.persistent);
        this.transient = changed(this.transient, body.transient);
        return { acknowledged: true };
      case "GET /_cluster/state/metadata":
        return {
          metadata: {
            cluster_coordination: {
              last_committed_config: this.voters.map((name) => `id-${name}`),
              voting_config_exclusions: this.votingExclusions.map((node_name) => ({ node_name })),
            },
          },
        };
      case "POST /_cluster/voting_config_exclusions": {
        const names = new URL(path, "http://x").searchParams.get("node_names") as string;
        this.votingExclusions.push(...names.split(","));
        return undefined;
      }
      case "DELETE /_cluster/voting_config_exclusions":
        this.votingExclusions = [];
        return undefined;
      case "POST /_cluster/reroute":
        return {
          explanations: body.commands.map(({ move }: Json) => ({
            decisions: [
              { decider: "filter", decision: "YES", explanation: "fine" },
              ...this.decisions(move.index, move.to_node),
            ],
          })),
        };
      default:
        throw new Error(`no answer to ${method} ${path}`);
    }
  }

  private moveOne(): Json[] {
    const answer = structuredClone(this.shards);
    const excluded = (this.persistent[EXCLUDED] ?? "").split(",");
    const leaving = this.shards.find(({ node }) => excluded.includes(node));
    if (leaving && this.moves) {
      leaving.node = "opensearch-1";
    }
    return answer;
  }
}

function changed(settings: Json, changes: Json = {}): Json {
  const all = Object.entries({ ...settings, ...changes });
  return Object.fromEntries(all.filter(([, value]) => value !== null));
}
