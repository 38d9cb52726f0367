import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Json } from "./platform";

/** A snapshot in the repository. */
export interface Snapshot {
  readonly name: string;
  readonly state: string;
  readonly startMs: number;
  readonly metadata?: Json;
}

export const CLUSTER = "this-cluster";

/** The part of OpenSearch's REST API that os-backup uses. */
export class FakeSnapshots {
  /** The body of the registered repository. */
  repository?: Json;
  snapshots: Snapshot[] = [];
  /** The state of new snapshots when they end. With GONE, the server drops them, as it does if it cannot write their last file. */
  ends = "SUCCESS";
  /** How often a new snapshot is asked for before it ends. */
  looks = 2;
  /** Whether the storage is another one than when the repository was registered, of which OpenSearch refuses to list backups. */
  isStorageChanged = false;
  /** The error of the repository's verification. */
  broken?: Json;
  /** The plugins of each node. */
  plugins: readonly string[] = [];
  /** Called with each request before it is answered. May return another answer. */
  meanwhile: (request: string) => [number, Json] | undefined = () => undefined;
  /** Requests, without those that only read. */
  readonly changes: string[] = [];
  private readonly left = new Map<string, number>();
  private readonly server: Server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => {
      text += chunk;
    });
    request.on("end", () => {
      const { pathname } = new URL(request.url as string, "http://x");
      const method = request.method as string;
      if (method !== "GET") {
        this.changes.push(`${method} ${pathname}`);
      }
      const [status, body] =
        this.meanwhile(`${method} ${pathname}`) ?? this.answer(method, pathname, text);
      response.writeHead(status);
      // OpenSearch has spaces on both sides of a colon.
      response.end(`${JSON.stringify(body, null, 2).replace(/^( *"[^"]*"):/gm, "$1 :")}\n`);
    });
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  add(name: string, state = "SUCCESS", cluster = CLUSTER): void {
    const metadata = { taken_by: "groundwork", environment: "lab", cluster };
    this.snapshots.push({ name, state, startMs: 1000 * (this.snapshots.length + 1), metadata });
  }

  private answer(method: string, path: string, text: string): [number, Json] {
    if (path === "/") {
      return [200, { cluster_uuid: CLUSTER }];
    }
    if (path === "/_cluster/health") {
      return [200, { number_of_nodes: 3 }];
    }
    if (path === "/_nodes/plugins") {
      const node = (name: string) => ({
        name,
        plugins: this.plugins.map((one) => ({ name: one })),
      });
      return [200, { nodes: { a: node("opensearch-1"), b: node("opensearch-2") } }];
    }
    if (
      path === "/_snapshot/backups/_verify" ||
      (path === "/_snapshot/backups" && method === "PUT")
    ) {
      if (this.broken) {
        return [500, { error: this.broken, status: 500 }];
      }
      if (method === "PUT") {
        // The same registration changes nothing.
        this.isStorageChanged &&=
          JSON.stringify(JSON.parse(text)) === JSON.stringify(this.repository);
        this.repository = JSON.parse(text);
      }
      return [200, { acknowledged: true }];
    }
    if (path === "/_snapshot/backups") {
      return this.repository
        ? [200, { backups: this.repository }]
        : [404, { error: { type: "repository_missing_exception", reason: "missing" } }];
    }
    if (path === "/_snapshot/backups/_all" && this.isStorageChanged) {
      const reason =
        "[backups] Could not read repository data because the contents of the repository do not match its expected state.";
      return [500, { error: { type: "repository_exception", reason }, status: 500 }];
    }
    if (path === "/_snapshot/backups/_all") {
      return [200, { snapshots: this.snapshots.map((one) => this.described(one)) }];
    }
    const [, name, status] = /^\/_snapshot\/backups\/([^/]+)(\/_status)?$/.exec(path) ?? [];
    if (method === "PUT") {
      const { metadata } = JSON.parse(text);
      this.snapshots.push({ name, state: "IN_PROGRESS", startMs: Date.now(), metadata });
      this.left.set(name, this.looks);
      return [200, { accepted: true }];
    }
    const found = this.snapshots.find((one) => one.name === name);
    if (method === "DELETE") {
      this.snapshots = this.snapshots.filter((one) => one !== found);
      return [200, { acknowledged: true }];
    }
    if (this.ends === "GONE" && this.left.get(name) === 1) {
      this.snapshots = this.snapshots.filter((one) => one !== found);
      const reason = `[backups:${name}] is missing`;
      return [404, { error: { type: "snapshot_missing_exception", reason }, status: 404 }];
    }
    return [200, { snapshots: [status ? this.statusOf(name) : this.described(this.look(name))] }];
  }

  private look(name: string): Snapshot {
    const i = this.snapshots.findIndex((one) => one.name === name);
    const left = (this.left.get(name) ?? 1) - 1;
    this.left.set(name, left);
    if (left === 0) {
      this.snapshots[i] = { ...this.snapshots[i], state: this.ends };
    }
    return this.snapshots[i];
  }

  private described({ name, state, startMs, metadata }: Snapshot): Json {
    const failed = state === "PARTIAL" ? 1 : 0;
    return {
      ...{ snapshot: name, state, start_time_in_millis: startMs, metadata },
      ...{ shards: { total: 3, failed, successful: 3 - failed } },
      failures: failed ? [{ index: "orders", reason: "primary shard is not allocated" }] : [],
    };
  }

  private statusOf(name: string): Json {
    const done = (this.left.get(name) ?? 0) > 0 ? 1 : 3;
    return {
      state: "SUCCESS",
      shards_stats: { done, failed: 0, total: 3 },
      stats: { incremental: { size_in_bytes: 2048 } },
    };
  }
}
