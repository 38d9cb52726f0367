import { setTimeout } from "node:timers/promises";
import { poll } from "../terminal/poll";
import { CommandError, listed } from "../terminal/terminal";
import type { Members, OnMove, PlannedMoves } from "./cluster";
import { OpenSearchDeparture, votes } from "./open-search-departure";
import { OpenSearchExclusions } from "./open-search-exclusions";
import { movesOf, nameOf, OpenSearchRequests, type ShardCopy } from "./open-search-requests";
import type { Send } from "./shard-allocation";

/** How long the steps of a removal wait, in milliseconds. */
export interface MembersPatience {
  readonly intervalMs: number;
  /** For copies that are being made, before a removal is refused. */
  readonly initializingMs: number;
  /** While nothing moves, although shards are left. */
  readonly stalledMs: number;
  /** While OpenSearch does not answer. */
  readonly muteMs: number;
  /** For a stopped node to leave. OpenSearch removes one that it cannot reach after 90 s at the latest. */
  readonly leavingMs: number;
}

const PATIENCE: MembersPatience = {
  intervalMs: 1000,
  initializingMs: 30_000,
  stalledMs: 120_000,
  muteMs: 120_000,
  leavingMs: 180_000,
};

/** Nodes that join get shards from OpenSearch by itself. */
export class OpenSearchMembers implements Members {
  private readonly requests: OpenSearchRequests;
  private readonly exclusions: OpenSearchExclusions;
  private readonly departure: OpenSearchDeparture;

  constructor(
    send: Send,
    /** The declared nodes, without those on excluded machines. */
    nodes: readonly string[],
    private readonly patience = PATIENCE,
  ) {
    this.requests = new OpenSearchRequests(send);
    this.exclusions = new OpenSearchExclusions(this.requests);
    this.departure = new OpenSearchDeparture(this.requests, nodes, {
      intervalMs: patience.intervalMs,
      patienceMs: patience.initializingMs,
    });
  }

  describeDeparture(node: string, leaving: readonly string[]): Promise<PlannedMoves> {
    return this.departure.describe(node, leaving);
  }

  async drain(node: string, leaving: readonly string[], onMove: OnMove): Promise<void> {
    await this.exclusions.exclude(node, leaving);
    const members = await this.requests.members(node);
    const voters = members.filter((member) => leaving.includes(member.name) && votes(member));
    await this.exclusions.excludeVoters(
      node,
      voters.map(({ name }) => name),
    );
    await this.untilEmpty(node, leaving, onMove);
  }

  async forget(node: string, leaving: readonly string[]): Promise<void> {
    const left = await poll(
      async () => (await this.requests.members(node)).filter(({ name }) => leaving.includes(name)),
      ({ length }) => length === 0,
      { intervalMs: this.patience.intervalMs, patienceMs: this.patience.leavingMs },
    );
    if (left.length > 0) {
      const names = listed(left.map(({ name }) => name));
      throw new CommandError(
        `${names} did not leave the OpenSearch cluster after the container was stopped. Run the same command again`,
      );
    }
    await this.exclusions.takeBack(node, leaving);
  }

  async describeArrival(): Promise<PlannedMoves> {
    return { replicas: 0, bytes: 0, refusals: [] };
  }

  async fill(): Promise<void> {}

  async keep(node: string, staying: readonly string[]): Promise<readonly string[]> {
    const excluded = await this.exclusions.leaving(node);
    if (excluded.length === 0) {
      return [];
    }
    const members = (await this.requests.members(node)).map(({ name }) => name);
    // Those of other nodes in the cluster are about to leave.
    const kept = excluded.filter((name) => staying.includes(name) || !members.includes(name));
    if (kept.length === 0) {
      return [];
    }
    await this.exclusions.takeBack(node, kept);
    return kept.map((name) => `the exclusion of ${name} is taken back`);
  }

  /** Waits until no shard is left on the leaving nodes. Throws if they stop moving. */
  private async untilEmpty(
    node: string,
    leaving: readonly string[],
    onMove: OnMove,
  ): Promise<void> {
    let last = "";
    let changed = Date.now();
    let muteSince: number | undefined;
    for (;;) {
      let left: ShardCopy[] | undefined;
      try {
        left = (await this.requests.shards(node)).filter((copy) => isOn(copy, leaving));
        muteSince = undefined;
      } catch (error) {
        muteSince ??= Date.now();
        if (Date.now() - muteSince > this.patience.muteMs) {
          throw error;
        }
      }
      if (left?.length === 0) {
        return;
      }
      if (left !== undefined) {
        onMove(movesOf(left));
        const seen = JSON.stringify(left.map(({ bytes: _, ...copy }) => copy));
        if (seen !== last || left.some(({ state }) => state !== "STARTED")) {
          last = seen;
          changed = Date.now();
        } else if (Date.now() - changed > this.patience.stalledMs) {
          throw await this.stalled(node, left[0]);
        }
      }
      await setTimeout(this.patience.intervalMs);
    }
  }

  private async stalled(node: string, copy: ShardCopy): Promise<CommandError> {
    const reason = await this.departure.reasonToStay(node, copy);
    return new CommandError(
      `${nameOf(copy)} does not move away from ${copy.node}: ${reason}. Nothing was removed. Change what forbids it and run the same command again, or declare as many nodes as before and run npm run up, which lets ${copy.node} have shards again`,
    );
  }
}

function isOn({ node }: ShardCopy, nodes: readonly string[]): boolean {
  return node !== undefined && nodes.includes(node);
}
