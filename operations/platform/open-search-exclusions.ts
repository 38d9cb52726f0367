import type { Json } from "../synthesis/tree";
import { CommandError } from "../terminal/terminal";
import type { OpenSearchRequests } from "./open-search-requests";

const EXCLUDED = "cluster.routing.allocation.exclude._name";

/**
 * The nodes that `npm run up` removes; other names in `EXCLUDED` are an operator's. OpenSearch stores any setting with the prefix
 * `cluster.metadata`, and changes both settings at once.
 */
const LEAVING = "cluster.metadata.groundwork.leaving";

const VOTING_EXCLUSIONS = "/_cluster/voting_config_exclusions";

/** For OpenSearch to choose other voters, below the longest request of the administrator. */
const VOTING_TIMEOUT = "50s";

/** Which nodes OpenSearch gives no shards and no votes, since they leave. Leaves the names that an operator excludes. */
export class OpenSearchExclusions {
  constructor(private readonly requests: OpenSearchRequests) {}

  /** Returns the nodes that are excluded since they leave. */
  async leaving(node: string): Promise<string[]> {
    return namesIn((await this.requests.settings(node)).persistent[LEAVING]);
  }

  /** Excludes nodes from shards. */
  async exclude(node: string, leaving: readonly string[]): Promise<void> {
    await this.change(node, (names) => [...new Set([...names, ...leaving])]);
  }

  /** Excludes nodes from voting, and returns once OpenSearch has chosen other voters. */
  async excludeVoters(node: string, voters: readonly string[]): Promise<void> {
    if (voters.length === 0) {
      return;
    }
    const query = `node_names=${voters.map(encodeURIComponent).join(",")}&timeout=${VOTING_TIMEOUT}`;
    await this.requests.tell(node, `exclude ${voters.join(" and ")} from voting`, {
      ...{ method: "POST", path: `${VOTING_EXCLUSIONS}?${query}` },
    });
  }

  /** Takes back everything that excludes these nodes, and verifies it. */
  async takeBack(node: string, names: readonly string[]): Promise<void> {
    await this.takeBackVoting(node, names);
    // Last, since LEAVING names what is left to do.
    await this.change(node, (listed) => without(listed, names));
    const { persistent, transient } = await this.requests.settings(node);
    const left = [persistent[EXCLUDED], transient[EXCLUDED], persistent[LEAVING]]
      .flatMap(namesIn)
      .concat((await this.votingExclusions(node)) as string[])
      .filter((name) => names.includes(name));
    if (left.length > 0) {
      throw new CommandError(
        `OpenSearch still excludes ${[...new Set(left)].join(" and ")}. Run the same command again`,
      );
    }
  }

  private async takeBackVoting(node: string, names: readonly string[]): Promise<void> {
    const excluded = await this.votingExclusions(node);
    if (!excluded.some((name) => names.includes(name))) {
      return;
    }
    // OpenSearch can only remove all of them.
    await this.requests.tell(node, "take back the exclusions from voting", {
      ...{ method: "DELETE", path: `${VOTING_EXCLUSIONS}?wait_for_removal=false` },
    });
    await this.excludeVoters(node, without(excluded, names));
  }

  private async votingExclusions(node: string): Promise<string[]> {
    const path =
      "/_cluster/state/metadata?filter_path=metadata.cluster_coordination.voting_config_exclusions";
    const { metadata } = await this.requests.ask(
      node,
      "tell which nodes are excluded from voting",
      { path },
      (answer) => Array.isArray(answer?.metadata?.cluster_coordination?.voting_config_exclusions),
    );
    return metadata.cluster_coordination.voting_config_exclusions.map(
      ({ node_name }: Json) => node_name,
    );
  }

  /** Changes the lists of names, in both kinds of setting if an operator has set a transient one, which hides the persistent one. */
  private async change(
    node: string,
    changed: (names: readonly string[]) => readonly string[],
  ): Promise<void> {
    const { persistent, transient } = await this.requests.settings(node);
    const body = {
      persistent: {
        [EXCLUDED]: joined(changed(namesIn(persistent[EXCLUDED]))),
        [LEAVING]: joined(changed(namesIn(persistent[LEAVING]))),
      },
      ...(typeof transient[EXCLUDED] === "string" && {
        transient: { [EXCLUDED]: joined(changed(namesIn(transient[EXCLUDED]))) },
      }),
    };
    await this.requests.ask(
      node,
      `set ${EXCLUDED}`,
      { method: "PUT", path: "/_cluster/settings", body },
      (answer) => answer?.acknowledged === true,
    );
  }
}

/** Returns the names in a setting. Others wrote it too, with spaces or as `","`. */
function namesIn(value: string | undefined): string[] {
  return (value ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

/** Null removes the setting. */
function joined(names: readonly string[]): string | null {
  return names.length > 0 ? names.join(",") : null;
}

function without(names: readonly string[], others: readonly string[]): string[] {
  return names.filter((name) => !others.includes(name));
}
