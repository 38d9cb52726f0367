import type { Json } from "../synthesis/tree";
import { type Patience, poll } from "../terminal/poll";
import { counted, firstOf, listed } from "../terminal/terminal";
import type { PlannedMoves } from "./cluster";
import { describeFullDisks } from "./open-search-disks";
import {
  type Member,
  movesOf,
  nameOf,
  type OpenSearchRequests,
  type ShardCopy,
} from "./open-search-requests";
import { homelessCopies, reasonsIn } from "./open-search-simulation";

/** Findings of a kind that are listed. */
const MOST_FINDINGS = 10;

const ENABLE = "routing.allocation.enable";

/** Values with which shards move. Replicas that an upgrade holds (`primaries`) are released before nodes leave. */
const MOVING = [undefined, "all", "primaries"];

/** Whether a node is eligible as cluster manager. */
export function votes({ roles }: Member): boolean {
  return roles.includes("cluster_manager") || roles.includes("master");
}

/** Finds out what happens when nodes leave. Changes nothing. */
export class OpenSearchDeparture {
  constructor(
    private readonly requests: OpenSearchRequests,
    /** The declared nodes, without those on excluded machines. */
    private readonly nodes: readonly string[],
    /** For copies that are being made. */
    private readonly patience: Patience<unknown>,
  ) {}

  async describe(node: string, leaving: readonly string[]): Promise<PlannedMoves> {
    const [members, shards, indices, { persistent, transient }] = await Promise.all([
      this.requests.members(node),
      poll(
        () => this.requests.shards(node),
        (copies) => copies.every(({ state }) => state !== "INITIALIZING"),
        this.patience,
      ),
      this.indices(node),
      this.requests.settings(node),
    ]);
    const staying = members.filter(({ name }) => !leaving.includes(name));
    const holders = staying
      .filter(({ roles }) => roles.includes("data"))
      .map(({ name }) => name)
      .sort();
    const enable = [transient, persistent].map((level) => level[`cluster.${ENABLE}`]).find(Boolean);
    const refusals = [
      ...this.missing(leaving, staying),
      ...(await this.lostMajority(node, leaving, members)),
      ...unsafe(shards, leaving, members),
      ...tooManyCopies(indices, leaving, holders.length),
      ...forbidden(enable, indices),
    ];
    const copies = shards.filter((copy) => isToMove(copy, leaving, indices, holders.length));
    if (refusals.length === 0) {
      const needed = copies.filter((copy) => !isSpare(copy, shards, leaving, indices));
      const homeless = await homelessCopies(this.requests, node, needed, holders);
      refusals.push(
        ...(homeless.length > 0
          ? homeless
          : await describeFullDisks(this.requests, node, needed, holders)),
      );
    }
    return { refusals, ...movesOf(copies) };
  }

  /** Returns why a copy that should leave its node stays there, in OpenSearch's words. */
  async reasonToStay(node: string, { index, shard, isPrimary, node: at }: ShardCopy) {
    const explanation: Json = await this.requests.ask(
      node,
      "tell why a shard stays",
      {
        ...{ method: "POST", path: "/_cluster/allocation/explain" },
        body: { index, shard, primary: isPrimary, current_node: at },
      },
      (answer) => typeof answer?.current_state === "string",
    );
    const { can_move_to_other_node, move_explanation, node_allocation_decisions } = explanation;
    const nodes = (node_allocation_decisions ?? []).map(
      ({ node_name, deciders = [] }: Json) => `${node_name} (${reasonsIn(deciders)})`,
    );
    return [move_explanation ?? `can_move_to_other_node is ${can_move_to_other_node}`, ...nodes]
      .filter(Boolean)
      .join("; ");
  }

  private missing(leaving: readonly string[], staying: readonly Member[]): string[] {
    const missing = this.nodes.filter((name) => !staying.some((member) => member.name === name));
    return missing.length === 0
      ? []
      : [
          `${listed(missing)} ${missing.length === 1 ? "is" : "are"} not in the OpenSearch cluster, and ${listed(leaving)} can leave only if every other node is: declare as many nodes as before and run npm run up first`,
        ];
  }

  /** Nodes that vote and do not answer still count, until others replace them. */
  private async lostMajority(
    node: string,
    leaving: readonly string[],
    members: readonly Member[],
  ): Promise<string[]> {
    const path =
      "/_cluster/state/metadata?filter_path=metadata.cluster_coordination.last_committed_config";
    const { metadata } = await this.requests.ask(
      node,
      "tell which nodes vote",
      { path },
      (answer) => Array.isArray(answer?.metadata?.cluster_coordination?.last_committed_config),
    );
    const ids: string[] = metadata.cluster_coordination.last_committed_config;
    const dead = ids.filter((id) => !members.some((member) => member.id === id)).length;
    const eligible = members.filter(votes).map(({ name }) => name);
    const left = eligible.filter((name) => !leaving.includes(name));
    const gone = eligible.length - left.length;
    if (gone === 0 || left.length > dead) {
      return [];
    }
    return [
      left.length === 0
        ? `${listed(leaving)} cannot leave, since no other node is eligible as cluster manager`
        : `${listed(leaving)} cannot leave, since only ${listed(left)} would vote for a cluster manager, and ${counted(dead, "voting node")} ${dead === 1 ? "does" : "do"} not answer: declare as many nodes as before and run npm run up first`,
    ];
  }

  private indices(node: string): Promise<Indices> {
    const path = "/_all/_settings?flat_settings=true&expand_wildcards=all";
    return this.requests.ask(
      node,
      "tell the settings of its indices",
      { path },
      (answer) =>
        typeof answer === "object" &&
        answer !== null &&
        Object.values<Json>(answer).every(
          (index) => typeof index?.settings?.["index.number_of_replicas"] === "string",
        ),
    );
  }
}

/** The settings of an index, flat. */
type IndexSettings = Readonly<Record<string, string | undefined>>;

type Indices = Readonly<Record<string, { readonly settings: IndexSettings }>>;

/** Returns the shards that have no copy besides those of the leaving nodes, or whose copies are not all started. */
function unsafe(
  shards: readonly ShardCopy[],
  leaving: readonly string[],
  members: readonly Member[],
): string[] {
  // Copies of a dead node that leaves are allocated to other nodes in time.
  const isDead = leaving.some((name) => !members.some((member) => member.name === name));
  const isSafe = ({ index, shard }: ShardCopy) =>
    shards.some(
      (other) =>
        other.index === index &&
        other.shard === shard &&
        ["STARTED", "RELOCATING"].includes(other.state) &&
        !leaving.includes(other.node ?? ""),
    );
  const findings = shards
    .filter(({ state }) => state === "UNASSIGNED" || state === "INITIALIZING")
    .filter((copy) => copy.isPrimary || !isDead || !isSafe(copy))
    .map(
      (copy) =>
        `${nameOf(copy)} is ${copy.state.toLowerCase()}: ${listed(leaving)} can leave once the OpenSearch cluster is green. GET /_cluster/allocation/explain says what it waits for`,
    );
  return firstOf(findings, MOST_FINDINGS);
}

function tooManyCopies(indices: Indices, leaving: readonly string[], nodes: number): string[] {
  const findings = Object.entries(indices).flatMap(([name, { settings }]) => {
    const expanded = rangeOf(settings);
    const most = nodes === 1 ? "0" : `${nodes - 1} or less`;
    const [setting, value, highest] = expanded
      ? ["auto_expand_replicas", expanded, `a range from ${most}`]
      : ["number_of_replicas", settings["index.number_of_replicas"], most];
    const copies = Number.parseInt(value ?? "", 10) + 1;
    return copies <= nodes
      ? []
      : [
          `index ${name} has ${setting} ${value}, so ${copies} copies of each shard, but only ${counted(nodes, "node")} ${nodes === 1 ? "stays" : "stay"} without ${listed(leaving)}: set its ${setting} to ${highest}`,
        ];
  });
  return firstOf(findings, MOST_FINDINGS);
}

/** Returns the range of replicas of an index that has as many as there are nodes: `0-all`. */
function rangeOf(settings: IndexSettings): string | undefined {
  const range = settings["index.auto_expand_replicas"];
  return range === "false" ? undefined : range;
}

function forbidden(enable: string | undefined, indices: Indices): string[] {
  const ofIndices = Object.entries(indices).flatMap(([name, { settings }]) => {
    const value = settings[`index.${ENABLE}`];
    return MOVING.slice(0, 2).includes(value)
      ? []
      : [
          `index ${name} has index.${ENABLE}=${value}, with which its shards do not move: set it to null`,
        ];
  });
  return [
    ...(MOVING.includes(enable)
      ? []
      : [`OpenSearch has cluster.${ENABLE}=${enable}, with which no shard moves: set it to null`]),
    ...firstOf(ofIndices, MOST_FINDINGS),
  ];
}

/** Whether OpenSearch drops a copy that no other node takes: of an index with `auto_expand_replicas`, whose other nodes have enough. */
function isSpare(
  { index, shard }: ShardCopy,
  shards: readonly ShardCopy[],
  leaving: readonly string[],
  indices: Indices,
): boolean {
  const range = rangeOf(indices[index]?.settings ?? {});
  const others = shards.filter(
    (other) =>
      other.index === index &&
      other.shard === shard &&
      other.state === "STARTED" &&
      !leaving.includes(other.node ?? ""),
  );
  return range !== undefined && others.length > Number.parseInt(range, 10);
}

/** Whether a copy has to move: the number of copies of an index with `auto_expand_replicas` follows the number of nodes. */
function isToMove(
  { index, node }: ShardCopy,
  leaving: readonly string[],
  indices: Indices,
  nodes: number,
): boolean {
  const settings = indices[index]?.settings ?? {};
  const copies = Number(settings["index.number_of_replicas"]) + 1;
  return node !== undefined && leaving.includes(node) && !(rangeOf(settings) && copies > nodes);
}
