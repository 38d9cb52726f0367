import type { Outcome } from "../engine/docker";
import type { Json } from "../synthesis/tree";
import { CommandError } from "../terminal/terminal";
import type { Replicas } from "./cluster";
import { jsonIn } from "./open-search-answer";

const SETTING = "cluster.routing.allocation.enable";

/** The value while a node is away: https://docs.opensearch.org/latest/migrate-or-upgrade/rolling-upgrade/ */
const HELD = "primaries";

/** Sends a request to a node as one of the platform's principals. An HTTP error is a failure. */
export type Send = (
  node: string,
  request: {
    readonly as: "checks" | "administrator";
    readonly method?: "DELETE" | "POST" | "PUT";
    readonly path: string;
    readonly body?: Json;
  },
) => Promise<Outcome>;

/** Why OpenSearch allocates a replica to no node, in the response of `_cluster/allocation/explain`. */
interface Explanation {
  readonly can_allocate?: string;
  readonly node_allocation_decisions?: readonly {
    readonly node_name: string;
    readonly deciders?: readonly { readonly decider: string }[];
  }[];
}

/** Where OpenSearch puts shards. */
export class ShardAllocation implements Replicas {
  constructor(private readonly send: Send) {}

  async hold(node: string): Promise<void> {
    const other = (await this.values(node)).find((value) => value !== HELD && value !== "all");
    if (other !== undefined) {
      throw new CommandError(
        `OpenSearch has ${SETTING}=${other}, with which the shards of a replaced node stay unassigned. No further nodes were replaced. Set it to null and run the same command again`,
      );
    }
    await this.set(node, { persistent: { [SETTING]: HELD } });
    // Without it, nodes read their transaction logs again when they start.
    const { exitCode, output } = await this.send(node, {
      ...{ as: "administrator", method: "POST", path: "/_flush" },
    });
    if (exitCode !== 0) {
      console.log(`  OpenSearch did not flush, so its shards recover more slowly: ${output}`);
    }
  }

  async release(node: string): Promise<void> {
    // Another value is the user's.
    if (await this.areHeld(node)) {
      const none = { [SETTING]: null };
      await this.set(node, { persistent: none, transient: none });
    }
  }

  async areHeld(node: string): Promise<boolean> {
    return (await this.values(node)).includes(HELD);
  }

  /** Returns why replicas are unassigned, if not only because they need a node of the new version. */
  async lackBesidesVersion(node: string): Promise<string | undefined> {
    const path = "/_cat/shards?format=json&h=index,shard,prirep,state";
    const shards = await this.send(node, { as: "administrator", path });
    const listed = jsonIn(shards.output);
    if (shards.exitCode !== 0 || !Array.isArray(listed)) {
      return shards.output;
    }
    const unassigned = listed.filter(({ state }) => state === "UNASSIGNED");
    if (unassigned.length === 0) {
      return "its shards are changing";
    }
    for (const { index, shard, prirep } of unassigned) {
      const name = `${prirep === "p" ? "primary" : "replica"} ${index}[${shard}]`;
      const lack = prirep === "p" ? "" : await this.lackOfReplica(node, index, Number(shard));
      if (lack !== undefined) {
        return `${name} is unassigned${lack}`;
      }
    }
    return undefined;
  }

  private async lackOfReplica(
    node: string,
    index: string,
    shard: number,
  ): Promise<string | undefined> {
    const { exitCode, output } = await this.send(node, {
      ...{ as: "administrator", method: "POST", path: "/_cluster/allocation/explain" },
      body: { index, shard, primary: false },
    });
    const explanation: Explanation | undefined = jsonIn(output);
    if (exitCode !== 0 || explanation?.can_allocate === undefined) {
      return `: ${output}`;
    }
    return needsNewVersion(explanation) ? undefined : `: ${describe(explanation)}`;
  }

  /** Returns the values of the setting, persistent and transient. */
  private async values(node: string): Promise<string[]> {
    const path = "/_cluster/settings?flat_settings=true";
    const { exitCode, output } = await this.send(node, { as: "checks", path });
    const settings = jsonIn(output);
    if (exitCode !== 0 || settings?.persistent === undefined) {
      throw new CommandError(`OpenSearch does not tell its settings: ${output}`);
    }
    return [settings.persistent, settings.transient].flatMap((level) => level?.[SETTING] ?? []);
  }

  private async set(node: string, settings: Json): Promise<void> {
    const { exitCode, output } = await this.send(node, {
      ...{ as: "administrator", method: "PUT", path: "/_cluster/settings" },
      body: settings,
    });
    if (exitCode !== 0 || jsonIn(output)?.acknowledged !== true) {
      throw new CommandError(
        `OpenSearch does not set ${SETTING}: ${output}. Run the same command again`,
      );
    }
  }
}

/** Whether every node without a copy is too old for the replica, and one of them takes it as soon as it has the new version. */
function needsNewVersion({ can_allocate, node_allocation_decisions = [] }: Explanation): boolean {
  const reasons = node_allocation_decisions.map(({ deciders = [] }) =>
    deciders.map(({ decider }) => decider),
  );
  const allowed = ["node_version", "same_shard", "awareness"];
  return (
    can_allocate === "no" &&
    reasons.every(
      (names) =>
        (names.includes("node_version") || names.includes("same_shard")) &&
        names.every((name) => allowed.includes(name)),
    ) &&
    reasons.some((names) => names.join() === "node_version")
  );
}

function describe({ can_allocate, node_allocation_decisions = [] }: Explanation): string {
  const nodes = node_allocation_decisions.map(
    ({ node_name, deciders = [] }) =>
      `${node_name} (${deciders.map(({ decider }) => decider).join(", ")})`,
  );
  return [`can_allocate is ${can_allocate}`, ...nodes].join(", ");
}
