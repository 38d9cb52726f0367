import type { Json } from "../synthesis/tree";
import { CommandError } from "../terminal/terminal";
import type { Moves } from "./cluster";
import { jsonIn } from "./open-search-answer";
import type { Send } from "./shard-allocation";

/** A node in the state of the cluster. */
export interface Member {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
}

type Settings = Readonly<Record<string, string | undefined>>;

/** A shard's copy: primary or replica. */
export interface ShardCopy {
  readonly index: string;
  readonly shard: number;
  readonly isPrimary: boolean;
  readonly state: string;
  readonly bytes: number;
  /** The node that has it, or that it moves away from. Unset if it is unassigned. */
  readonly node?: string;
}

/** A request, by default of the administrator. */
type Asked = Omit<Parameters<Send>[1], "as"> & Partial<Parameters<Send>[1]>;

/** Requests about nodes and shards. Each throws unless the answer is whole. */
export class OpenSearchRequests {
  constructor(private readonly send: Send) {}

  /** Returns the JSON that answers a request. Throws if it is an error, or `isWhole` misses something in it. */
  async ask(
    node: string,
    what: string,
    request: Asked,
    isWhole: (answer: Json) => boolean,
  ): Promise<Json> {
    const { exitCode, output } = await this.send(node, { as: "administrator", ...request });
    const answer = jsonIn(output);
    if (exitCode !== 0 || !isWhole(answer)) {
      throw new CommandError(`OpenSearch does not ${what}: ${output || "no answer"}`);
    }
    return answer;
  }

  /** Sends a request whose answer is empty. Throws if it is an error. */
  async tell(node: string, what: string, request: Asked): Promise<void> {
    const { exitCode, output } = await this.send(node, { as: "administrator", ...request });
    if (exitCode !== 0) {
      throw new CommandError(
        `OpenSearch does not ${what}: ${output || "no answer"}. Run the same command again`,
      );
    }
  }

  /** Returns the nodes of the cluster. Unlike `/_nodes`, it lists those too that do not answer right now. */
  async members(node: string): Promise<Member[]> {
    const path = "/_cat/nodes?format=json&full_id=true&h=id,name,node.roles";
    const nodes: Json[] = await this.ask(
      node,
      "tell its nodes",
      { path },
      (answer) =>
        isListOf(answer, ["id", "name", "node.roles"]) &&
        answer.some(({ name }: Json) => name === node),
    );
    return nodes.map(({ id, name, "node.roles": roles }) => ({
      id,
      name,
      roles: roles.split(","),
    }));
  }

  /** Returns every copy of every shard, also of closed and hidden indices. */
  async shards(node: string): Promise<ShardCopy[]> {
    const path = "/_cat/shards?format=json&bytes=b&h=index,shard,prirep,state,store,node";
    const shards: Json[] = await this.ask(node, "tell its shards", { path }, (answer) =>
      isListOf(answer, ["index", "shard", "prirep", "state"]),
    );
    return shards.map(({ index, shard, prirep, state, store, node: at }) => ({
      ...{ index, shard: Number(shard), isPrimary: prirep === "p", state },
      bytes: Number(store ?? 0),
      // Of one that moves: "opensearch-4 -> 172.18.0.2 <id> opensearch-1".
      node: at?.split(" ")[0],
    }));
  }

  /** Returns the settings of the cluster, flat. */
  settings(node: string): Promise<{ persistent: Settings; transient: Settings }> {
    const path = "/_cluster/settings?flat_settings=true";
    return this.ask(
      node,
      "tell its settings",
      // Every deploy asks for them, without the administrator's key.
      { as: "checks", path },
      (answer) => answer?.persistent !== undefined && answer?.transient !== undefined,
    );
  }
}

/** Names a copy: `primary orders[0]`. */
export function nameOf({ index, shard, isPrimary }: ShardCopy): string {
  return `${isPrimary ? "primary" : "replica"} ${index}[${shard}]`;
}

/** Sums up copies. */
export function movesOf(copies: readonly ShardCopy[]): Moves {
  return {
    replicas: copies.length,
    bytes: copies.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

function isListOf(answer: Json, columns: readonly string[]): boolean {
  return (
    Array.isArray(answer) &&
    answer.every((row) => columns.every((column) => typeof row?.[column] === "string"))
  );
}
