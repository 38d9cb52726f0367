import type { Json } from "../synthesis/tree";
import { firstOf, listed } from "../terminal/terminal";
import { nameOf, type OpenSearchRequests, type ShardCopy } from "./open-search-requests";

/** Findings that are listed. */
const MOST_FINDINGS = 10;

/** Copies that a finding names. */
const MOST_NAMES = 3;

/** Copies whose moves OpenSearch simulates in one request. Its answer takes 4 KB for each copy and node. */
const MOST_SIMULATED = 50;

/** What to do about a decider of OpenSearch that keeps shards from every other node. */
const REMEDIES: Readonly<Record<string, string>> = {
  disk_threshold: "free or add disk space on the nodes that stay",
  filter: "change the allocation filters of the index or cluster",
  shards_limit: "raise total_shards_per_node",
  awareness: "keep as many machines with nodes as the index needs",
};

/** A decision about a shard on a node: of the simulation, or of `_cluster/allocation/explain`. */
interface Decision {
  readonly decider: string;
  readonly decision: string;
  readonly explanation: string;
}

/** A copy that no node takes, and why. */
interface Homeless {
  readonly copy: ShardCopy;
  readonly reasons: readonly {
    readonly reason: string;
    readonly decider: string;
    readonly nodes: readonly string[];
  }[];
}

/** Simulates that the copies move, and returns what no other node takes. The largest first, as they are the hardest to place. */
export async function homelessCopies(
  requests: OpenSearchRequests,
  node: string,
  copies: readonly ShardCopy[],
  holders: readonly string[],
): Promise<string[]> {
  const started = copies
    .filter(({ state }) => state === "STARTED")
    .sort((one, other) => other.bytes - one.bytes);
  const groups = new Map<string, Homeless[]>();
  for (let first = 0; first < started.length; first += MOST_SIMULATED) {
    const some = started.slice(first, first + MOST_SIMULATED);
    for (const found of await simulated(requests, node, some, holders)) {
      const key = found.reasons.map(({ reason }) => reason).join();
      groups.set(key, [...(groups.get(key) ?? []), found]);
    }
  }
  return firstOf([...groups.values()].map(describeHomeless), MOST_FINDINGS);
}

async function simulated(
  requests: OpenSearchRequests,
  node: string,
  copies: readonly ShardCopy[],
  holders: readonly string[],
): Promise<Homeless[]> {
  const moves = copies.flatMap(({ index, shard, node: from_node }) =>
    holders.map((to_node) => ({ index, shard, from_node, to_node })),
  );
  const { explanations } = await requests.ask(
    node,
    "tell where shards could move",
    {
      method: "POST",
      path: "/_cluster/reroute?dry_run=true&explain=true&filter_path=explanations.decisions",
      body: { commands: moves.map((move) => ({ move })) },
    },
    (answer) =>
      answer?.explanations?.length === moves.length &&
      answer.explanations.every(({ decisions }: Json) => Array.isArray(decisions)),
  );
  return copies.flatMap((copy, i) => {
    const refusals = holders.map((name, j) => ({
      name,
      decisions: (explanations[i * holders.length + j].decisions as Decision[]).filter(isAgainst),
    }));
    return refusals.some(({ decisions }) => decisions.length === 0)
      ? []
      : [{ copy, reasons: reasonsOf(refusals) }];
  });
}

/** Groups by reason. That a node has another copy of the shard is one only if there is no other. */
function reasonsOf(
  refusals: readonly { readonly name: string; readonly decisions: readonly Decision[] }[],
): Homeless["reasons"] {
  const all = refusals.flatMap(({ name, decisions }) =>
    decisions.map((decision) => ({ ...decision, name })),
  );
  const others = all.filter(({ decider }) => decider !== "same_shard");
  const decisive = others.length > 0 ? others : all;
  return [...new Set(decisive.map(({ explanation }) => explanation))].sort().map((explanation) => {
    const same = decisive.filter((one) => one.explanation === explanation);
    const [{ decider }] = same;
    return {
      reason: `${decider}: ${explanation}`,
      decider,
      nodes: same.map(({ name }) => name),
    };
  });
}

/** Describes copies that stay for the same reasons. */
function describeHomeless(group: readonly Homeless[]): string {
  const names = group.map(({ copy }) => nameOf(copy));
  const more = names.length - MOST_NAMES;
  const named = more > 1 ? [...names.slice(0, MOST_NAMES), `${more} more`] : names;
  const from = [...new Set(group.map(({ copy }) => copy.node as string))];
  const [{ reasons }] = group;
  const remedies = new Set(reasons.flatMap(({ decider }) => REMEDIES[decider] ?? []));
  const given = reasons.map(({ reason }) => {
    const nodes = group.flatMap((one) =>
      one.reasons.flatMap((other) => (other.reason === reason ? other.nodes : [])),
    );
    return `${listed([...new Set(nodes)].sort())} (${reason})`;
  });
  return `no other node takes ${listed(named)} from ${listed(from)}: ${given.join("; ")}. ${upperFirst([...remedies, `declare ${listed(from)} again`].join(", or "))}`;
}

/** Whether a decision forbids a move. The command itself fails only for a shard that has started to move since it was listed. */
function isAgainst({ decider, decision }: Decision): boolean {
  return decision === "NO" && decider !== "move_allocation_command";
}

/** Lists the decisions against a move: `decider: explanation`. */
export function reasonsIn(decisions: readonly Decision[]): string {
  return decisions
    .filter(isAgainst)
    .map(({ decider, explanation }) => `${decider}: ${explanation}`)
    .join(", ");
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
