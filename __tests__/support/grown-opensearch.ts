import { randomBytes } from "node:crypto";
import { eventually } from "./eventually";
import { docker, expectDone, type Finished, freshLab, killOnceItSays, openSearch } from "./lab";
import type { Json } from "./platform";
import { type ProjectCopy, projectCopy } from "./project-copy";

const DECLARED = "openSearch: { ...laptop.openSearch, raiseUlimits: false";
const WATERMARK = "cluster.routing.allocation.disk.watermark";
const NODES_OF_BOTH = ["--filter", "label=groundwork.cluster", "--format", "{{.Names}}"];

/** Sends a request to a node of OpenSearch. */
export type Ask = (method: string, path: string, body?: unknown) => Json;

/** Sets the low watermark. By default, one that the disk of this machine is below: it may be fuller than OpenSearch allows. */
export function setWatermark(low = "300mb", ask: Ask = openSearch): void {
  const settings = { low, high: "200mb", flood_stage: "100mb" };
  const persistent = Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [`${WATERMARK}.${name}`, value]),
  );
  expect(ask("PUT", "/_cluster/settings", { persistent }).acknowledged).toBe(true);
}

/** Waits until OpenSearch is green with so many nodes, and moves nothing any more. */
export function settled(nodes: number, ask: Ask): Promise<void> {
  return eventually(() => {
    const health = ask("GET", "/_cluster/health");
    const { status, number_of_nodes, relocating_shards } = health;
    return status === "green" && number_of_nodes === nodes && relocating_shards === 0
      ? []
      : [health];
  });
}

/** Returns every setting and voting exclusion that a removal sets. */
export function exclusions(ask: Ask = openSearch): Json[] {
  const { persistent, transient } = ask("GET", "/_cluster/settings?flat_settings=true");
  const path = "/_cluster/state/metadata?filter_path=metadata.cluster_coordination";
  const { metadata } = ask("GET", path);
  return [
    ...Object.entries({ ...persistent, ...transient }).filter(([name]) =>
      /exclude|groundwork/.test(name),
    ),
    ...metadata.cluster_coordination.voting_config_exclusions,
  ];
}

/** Returns the nodes that have a copy of each shard, by `index[shard]`. */
export function holdersOfShards(ask: Ask = openSearch): Record<string, string[]> {
  const shards: Json[] = ask("GET", "/_cat/shards?format=json&h=index,shard,node");
  const holders: Record<string, string[]> = {};
  for (const { index, shard, node } of shards) {
    // A shard that moves has two: `opensearch-1 -> 10.0.1.5 x0b opensearch-4`.
    holders[`${index}[${shard}]`] = [
      ...(holders[`${index}[${shard}]`] ?? []),
      String(node).split(" ")[0],
    ];
  }
  return holders;
}

/** A lab whose number of OpenSearch nodes changes. Every node has shards, with and without a second copy. */
export class GrownLab {
  private nodes = 3;

  constructor(readonly copy: ProjectCopy) {}

  async prepare(): Promise<void> {
    await freshLab();
    this.copy.edit("lab/environments.ts", DECLARED, `${DECLARED}, nodes: ${this.nodes}`);
    expectDone(this.copy.command("up"));
    this.setWatermark();
    for (const index of ["logs-grown", "logs-shrunk", "bulky"]) {
      openSearch("PUT", `/${index}`, { settings: { number_of_shards: 6, number_of_replicas: 1 } });
    }
    openSearch("PUT", "/single", { settings: { number_of_shards: 4, number_of_replicas: 0 } });
    openSearch("PUT", "/everywhere", { settings: { auto_expand_replicas: "0-all" } });
    const lines = Array.from(
      { length: 1000 },
      () => `{"index":{}}\n{"text":"${randomBytes(3000).toString("base64")}"}\n`,
    );
    for (const index of ["bulky", "single"]) {
      const { errors } = openSearch("POST", `/${index}/_bulk?refresh=true`, lines.join(""));
      expect(errors).toBe(false);
    }
  }

  /** Declares a number of nodes. */
  setNodes(count: number): void {
    const declared = (nodes: number) => `${DECLARED}, nodes: ${nodes}`;
    this.copy.edit("lab/environments.ts", declared(this.nodes), declared(count));
    this.nodes = count;
  }

  up(count: number): Finished {
    this.setNodes(count);
    return this.copy.command("up");
  }

  /**
   * Starts a deploy with a number of nodes. After it printed a text and `isTime` has returned, kills it and its child processes. Returns
   * whether it still ran.
   */
  killedUp(count: number, text: RegExp, isTime: () => unknown): Promise<boolean> {
    this.setNodes(count);
    const up = ["commands/groundwork.mjs", "up"];
    return killOnceItSays(text, isTime, "node", up, this.copy.folder);
  }

  setWatermark(low?: string): void {
    setWatermark(low);
  }

  /** Returns when each node's container was started. */
  startTimes(): Record<string, string> {
    return Object.fromEntries(
      docker("ps", "--all", ...NODES_OF_BOTH)
        .split("\n")
        .map((name) => [name, docker("inspect", "--format", "{{.State.StartedAt}}", name)]),
    );
  }

  /** Returns the shards that a node has. */
  copies(node: string): string[] {
    const shards: Json[] = openSearch("GET", "/_cat/shards?format=json&h=index,shard,prirep,node");
    return shards
      .filter((shard) => shard.node?.split(" ")[0] === node)
      .map(({ index, shard, prirep }) => `${index}[${shard}] ${prirep}`)
      .sort();
  }

  /** Waits until OpenSearch has given shards to a fourth node and nothing moves any more. */
  filled(): Promise<void> {
    return eventually(() => {
      const { status, relocating_shards } = openSearch("GET", "/_cluster/health");
      const isFilled = this.copies("opensearch-4").length > 4;
      return status === "green" && relocating_shards === 0 && isFilled
        ? []
        : [{ status, relocating_shards, isFilled }];
    });
  }

  exclusions(): Json[] {
    return exclusions();
  }

  /** Asserts that the fourth node has left, with nothing of it but its volume. */
  async expectGone(): Promise<void> {
    expect(docker("ps", "--all", "--quiet", "--filter", "name=opensearch-4")).toBe("");
    expect(docker("volume", "ls", "--quiet", "--filter", "name=opensearch-4-data")).toBe(
      "opensearch-4-data",
    );
    expect(this.exclusions()).toEqual([]);
    await this.expectGreen(3);
  }

  /** Waits until every shard is on one of so many nodes. An index that expands to all nodes may just get its replicas. */
  expectGreen(nodes: number): Promise<void> {
    return eventually(() => {
      const { status, number_of_nodes } = openSearch("GET", "/_cluster/health");
      return status === "green" && number_of_nodes === nodes ? [] : [{ status, number_of_nodes }];
    });
  }

  /** Asserts that no document of the prepared indices is lost. */
  expectDocuments(): void {
    expect(openSearch("GET", "/bulky/_count").count).toBe(1000);
    expect(openSearch("GET", "/single/_count").count).toBe(1000);
  }
}

/** Deploys the lab with three nodes before the tests of a file. */
export function grownLab(): GrownLab {
  const lab = new GrownLab(projectCopy());
  beforeAll(() => lab.prepare());
  return lab;
}
