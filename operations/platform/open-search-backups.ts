import { BACKUP_PRINCIPAL, REPOSITORY } from "../../constructs/opensearch/backup";
import { TAKE_BACKUP } from "../../constructs/opensearch/opensearch-backup";
import type { Outcome } from "../engine/docker";
import type { Json } from "../synthesis/tree";
import { CommandError } from "../terminal/terminal";
import type { Follow } from "./cluster";
import { jsonIn, reasonIn } from "./open-search-answer";
import type { Send } from "./shard-allocation";

/** A snapshot in the repository, also of another program. */
export interface StoredBackup {
  readonly name: string;
  /** `SUCCESS`, `PARTIAL`, `FAILED` or `IN_PROGRESS`. */
  readonly state: string;
  /** Whether os-backup took it. */
  readonly isOwn: boolean;
  /** ISO 8601. */
  readonly startedAt: string;
  /** All indices, including those behind data streams. */
  readonly indices: readonly string[];
  readonly dataStreams: readonly string[];
}

/** What a restore is named like in the cluster. */
export interface Existing {
  /** Indices by name, with whether each is open. */
  readonly indices: ReadonlyMap<string, boolean>;
  readonly dataStreams: readonly string[];
  readonly aliases: readonly IndexAlias[];
}

/** An alias of an index. */
export interface IndexAlias {
  readonly index: string;
  readonly alias: string;
  /** Whether the index gets what is written to the alias. */
  readonly isWriteIndex: boolean;
}

/** How far a restore is. */
export interface RestoreProgress {
  /** Indices whose primary shards have all started. */
  readonly restored: number;
  readonly indices: number;
  /** Bytes that are read so far. */
  readonly bytes: number;
  /** Indices that OpenSearch gave up on. */
  readonly failed: readonly string[];
}

export interface RestoreRequest {
  /** Names of indices and data streams in the backup. */
  readonly names: readonly string[];
  /** Prefix of the restored names. @default - restored under their own names */
  readonly prefix?: string;
  /** Aliases that no restored index gets. */
  readonly keptAliases?: readonly string[];
}

/** Starts the names that aliases have until they are removed: no request leaves out some aliases of a backup, or tells which it has. */
const LEFT_OUT = "groundwork-left-out-";

const SNAPSHOTS = `/_snapshot/${REPOSITORY}`;

/** Requests about the backups of OpenSearch. Each throws unless the answer is whole. */
export class OpenSearchBackups {
  constructor(
    private readonly send: Send,
    private readonly node: string,
    private readonly follow: Follow,
  ) {}

  /** Takes a backup in the container os-backup, and hands over each line of its log. Its exit code is that of a sidecar. */
  take(
    onLine: (line: string) => void,
    { takeOver = false }: { readonly takeOver?: boolean } = {},
  ): Promise<Outcome> {
    const env = takeOver ? ["BACKUP_TAKE_OVER=yes"] : [];
    return this.follow(BACKUP_PRINCIPAL, TAKE_BACKUP, { env, input: Buffer.alloc(0), onLine });
  }

  /** Returns all backups, the oldest first. Throws if the repository is not registered. */
  async list(): Promise<StoredBackup[]> {
    const fields = [
      ...["snapshot", "state", "start_time_in_millis", "indices", "data_streams"],
      "metadata.taken_by",
    ];
    const path = `${SNAPSHOTS}/_all?filter_path=${fields.map((field) => `snapshots.${field}`).join(",")}`;
    const { snapshots = [] } = await this.ask("list the backups", { path }).catch((error) => {
      throw error.message.endsWith(`[${REPOSITORY}] missing`)
        ? new CommandError(
            `the repository of the backups is not registered: docker logs ${BACKUP_PRINCIPAL} says why, and npm run up starts ${BACKUP_PRINCIPAL}, which registers it`,
          )
        : error;
    });
    return (snapshots as Json[])
      .map(({ snapshot, state, metadata, start_time_in_millis, indices, data_streams }) => ({
        ...{ name: snapshot, state, isOwn: metadata?.taken_by === "groundwork" },
        ...{ startedAt: new Date(start_time_in_millis).toISOString() },
        ...{ indices: indices ?? [], dataStreams: data_streams ?? [] },
      }))
      .sort((one, other) => one.startedAt.localeCompare(other.startedAt));
  }

  /** Returns what the cluster has. */
  async existing(): Promise<Existing> {
    const path = "/_cat/indices?format=json&expand_wildcards=all&h=index,status";
    const indices: Json[] = await this.ask("list its indices", { path });
    const { data_streams = [] } = await this.ask("list its data streams", {
      path: "/_data_stream?filter_path=data_streams.name",
    });
    return {
      indices: new Map(indices.map(({ index, status }) => [index, status === "open"])),
      dataStreams: data_streams.map(({ name }: Json) => name),
      aliases: await this.aliases("/_alias"),
    };
  }

  private async aliases(path: string): Promise<IndexAlias[]> {
    const indices: Json = await this.ask("list its aliases", { path });
    return Object.entries<Json>(indices).flatMap(([index, { aliases = {} }]) =>
      Object.entries<Json>(aliases).map(([alias, { is_write_index = false }]) => ({
        ...{ index, alias, isWriteIndex: is_write_index },
      })),
    );
  }

  /** Throws unless the backup is there and good, and every node can use the repository. */
  async requireReadable(backup: string): Promise<void> {
    const path = `${SNAPSHOTS}/${encodeURIComponent(backup)}?filter_path=snapshots.state`;
    const { snapshots = [] } = await this.ask(`read backup ${backup}`, { path });
    const [{ state }] = [...(snapshots as Json[]), { state: "gone" }];
    if (state !== "SUCCESS") {
      throw new CommandError(`backup ${backup} is ${state}: restore another one`);
    }
    await this.ask("read the repository on every node", {
      method: "POST",
      path: `${SNAPSHOTS}/_verify`,
    });
  }

  /** Closes an index, so that a restore replaces it. */
  async close(index: string): Promise<void> {
    await this.ask(`close index ${index}`, {
      method: "POST",
      path: `/${encodeURIComponent(index)}/_close`,
    });
  }

  /** Opens an index. */
  async open(index: string): Promise<void> {
    await this.ask(`open index ${index}`, {
      method: "POST",
      path: `/${encodeURIComponent(index)}/_open`,
    });
  }

  /** Deletes a data stream with its indices. */
  async deleteDataStream(name: string): Promise<void> {
    await this.ask(`delete data stream ${name}`, {
      method: "DELETE",
      path: `/_data_stream/${encodeURIComponent(name)}`,
    });
  }

  /** Starts a restore. Neither the global state nor users are restored, and aliases only of indices that keep their names. */
  async restore(
    backup: string,
    { names, prefix, keptAliases = [] }: RestoreRequest,
  ): Promise<void> {
    await this.ask(`restore backup ${backup}`, {
      method: "POST",
      path: `${SNAPSHOTS}/${encodeURIComponent(backup)}/_restore`,
      body: {
        ...{ indices: names.join(","), include_global_state: false, partial: false },
        include_aliases: prefix === undefined,
        ...(prefix !== undefined && {
          ...{ rename_pattern: "^(.+)$", rename_replacement: `${prefix}$1` },
        }),
        ...(keptAliases.length > 0 && {
          rename_alias_pattern: `^(${keptAliases.map((alias) => `\\Q${alias}\\E`).join("|")})$`,
          rename_alias_replacement: `${LEFT_OUT}$1`,
        }),
      },
    });
  }

  /** Removes the aliases that a restore left out, and returns them. */
  async removeLeftOut(): Promise<IndexAlias[]> {
    const found = await this.aliases(`/_alias/${LEFT_OUT}*`);
    if (found.length > 0) {
      await this.ask(`remove the aliases ${LEFT_OUT}*, which the restore leaves out`, {
        ...{ method: "POST", path: "/_aliases" },
        body: { actions: found.map(({ index, alias }) => ({ remove: { index, alias } })) },
      });
    }
    return found.map((one) => ({ ...one, alias: one.alias.slice(LEFT_OUT.length) }));
  }

  /** Returns how far the restore of these indices is. */
  async progress(indices: readonly string[]): Promise<RestoreProgress> {
    // Asked first: what has not started after its end never will.
    const hasEnded = await this.hasEnded();
    const [health, recoveries] = await Promise.all([
      this.ask("tell the health of its indices", {
        path: "/_cluster/health?level=shards&filter_path=indices.*.shards.*.primary_active",
      }),
      this.ask("tell how far the restore is", {
        path: "/_cat/recovery?format=json&bytes=b&h=index,type,bytes_recovered",
      }),
    ]);
    const isWanted = new Set(indices);
    const isStarted = (index: string) => {
      const shards: Json[] = Object.values(health.indices?.[index]?.shards ?? {});
      return shards.length > 0 && shards.every(({ primary_active }) => primary_active);
    };
    const restored = indices.filter(isStarted);
    return {
      restored: restored.length,
      indices: indices.length,
      bytes: (recoveries as Json[])
        .filter(({ index, type }) => isWanted.has(index) && type === "snapshot")
        .reduce((sum, { bytes_recovered }) => sum + Number(bytes_recovered ?? 0), 0),
      failed: hasEnded ? indices.filter((index) => !restored.includes(index)) : [],
    };
  }

  /** Whether no restore is going on. */
  private async hasEnded(): Promise<boolean> {
    const path = "/_cluster/state/customs?filter_path=restore";
    const { restore } = await this.ask("tell whether it restores", { path });
    return (restore?.snapshots ?? []).length === 0;
  }

  private async ask(what: string, request: Omit<Parameters<Send>[1], "as">): Promise<Json> {
    const { exitCode, output } = await this.send(this.node, { as: "administrator", ...request });
    const answer = jsonIn(output);
    if (exitCode !== 0 || answer === undefined) {
      throw new CommandError(`OpenSearch does not ${what}: ${reasonIn(output)}`);
    }
    return answer;
  }
}
