import { unknownName } from "../../constructs/container/declaration";
import type {
  Existing,
  IndexAlias,
  OpenSearchBackups,
  RestoreProgress,
  StoredBackup,
} from "../platform/open-search-backups";
import { poll } from "../terminal/poll";
import { CommandError, counted, firstOf, refuse, renderSize } from "../terminal/terminal";
import { type RestorePlan, startRestore } from "./start-restore";

/** Stands for the newest good backup of os-backup. Another program's may have only some indices. */
const LATEST = "latest";

/** Refusals and names that are shown. */
const MOST = 10;

const INTERVAL_MS = 1000;

/** How long OpenSearch may not answer while it restores. */
const SILENCE_MS = 5 * 60_000;

export interface RestoreOptions {
  /** Names of indices and data streams, or patterns with `*`. @default - all except hidden indices */
  readonly index?: readonly string[];
  /** Names of existing indices and data streams that are replaced. */
  readonly overwrite?: readonly string[];
  /** Prefix of the restored names. @default - restored under their own names */
  readonly prefix?: string;
}

/** Plans a restore. Throws if the backup is not good, or if it would touch an existing index that `overwrite` does not name. */
export async function planRestore(
  backups: OpenSearchBackups,
  name: string,
  options: RestoreOptions,
): Promise<RestorePlan> {
  const stored = await backups.list();
  return planOf(chosen(stored, name), await backups.existing(), options);
}

/** Returns the backup of this name. Throws if it does not exist or is not good. */
function chosen(stored: readonly StoredBackup[], name: string): StoredBackup {
  const good = stored.filter(({ state }) => state === "SUCCESS");
  const own = good.filter(({ isOwn }) => isOwn);
  const found = name === LATEST ? own.at(-1) : stored.find((one) => one.name === name);
  if (found === undefined) {
    if (name === LATEST && good.length > 0) {
      const names = firstOf(good.map((one) => one.name).reverse(), MOST).join(", ");
      throw new CommandError(
        `no changes made: os-backup took no good backup yet: name one of another program: ${names}`,
      );
    }
    const names = [LATEST, ...good.map((one) => one.name).reverse()];
    throw new CommandError(
      good.length === 0
        ? "there is no good backup: npm run backup takes one"
        : unknownName(name, names.slice(0, MOST), "no changes made: there is no backup"),
    );
  }
  if (found.state !== "SUCCESS") {
    throw new CommandError(
      `no changes made: backup ${found.name} is ${found.state}, so it lacks data: ${own.length > 0 ? `restore another one, such as ${own.at(-1)?.name}` : "there is no good one, npm run backup takes one"}`,
    );
  }
  return found;
}

/** @internal */
export function planOf(
  backup: StoredBackup,
  existing: Existing,
  { index = [], overwrite = [], prefix }: RestoreOptions,
): RestorePlan {
  const streamOf = (name: string) =>
    backup.dataStreams.find((stream) => new RegExp(`^\\.ds-${escaped(stream)}-\\d+$`).test(name));
  const plain = backup.indices.filter(
    (name) => streamOf(name) === undefined && !isOfSecurity(name),
  );
  const all = [...plain, ...backup.dataStreams].sort();
  const names = selected(all, index);
  const target = (name: string) => `${prefix ?? ""}${name}`;
  const isThere = (name: string) =>
    existing.indices.has(name) || existing.dataStreams.includes(name);
  const conflicts = names.map(target).filter(isThere);
  refuse([
    ...invalid(index, all, backup.indices.filter(isOfSecurity)),
    ...(prefix !== undefined && !/^[a-z0-9][a-z0-9._-]*$/.test(prefix)
      ? [
          `--prefix is "${prefix}": use lowercase letters, digits, ".", "_" and "-", starting with a letter or digit`,
        ]
      : []),
    ...overwrite
      .filter((name) => !conflicts.includes(name))
      .map((name) =>
        name.includes("*")
          ? `--overwrite has the pattern "${name}": name each index, since its data is replaced`
          : `--overwrite names ${name}, which ${isThere(name) ? "this restore does not touch" : "does not exist"}: remove it from --overwrite`,
      ),
    ...firstOf(
      conflicts
        .filter((name) => !overwrite.includes(name))
        .map(
          (name) =>
            `${name} exists${existing.indices.get(name) === false ? " and is closed" : ""}: replace its data with --overwrite ${name}, or restore beside it with ${prefix === undefined ? "--prefix restored-" : "another --prefix"}`,
        ),
      MOST,
    ),
  ]);
  if (names.length === 0) {
    throw new CommandError(
      `backup ${backup.name} has no indices to restore: npm run restore lists all backups, also those of an earlier cluster`,
    );
  }
  const streams = names.filter((name) => backup.dataStreams.includes(name));
  const indices = [
    ...names.filter((name) => !streams.includes(name)).map(target),
    ...backup.indices
      .filter((name) => streams.includes(streamOf(name) ?? ""))
      // OpenSearch renames what follows ".ds-".
      .map((name) => name.replace(/^\.ds-/, `.ds-${prefix ?? ""}`)),
  ];
  return {
    ...{ backup, names, prefix, indices },
    // With a prefix, no alias is restored.
    keptAliases: prefix === undefined ? keptAliasesOf(existing, indices) : [],
    closed: conflicts.filter((name) => existing.indices.get(name) === true),
    deleted: conflicts.filter((name) => existing.dataStreams.includes(name)),
    replaced: conflicts,
  };
}

/** Whether an index has users and permissions. Snapshots of other programs may have one. */
const isOfSecurity = (name: string) => name.startsWith(".opendistro_security");

/** Returns the aliases that only indices have which this restore does not touch, or whose write index is one of those. */
function keptAliasesOf({ aliases }: Existing, restored: readonly string[]): string[] {
  const isRestored = ({ index }: IndexAlias) => restored.includes(index);
  return [...new Set(aliases.map(({ alias }) => alias))].filter((name) => {
    const own = aliases.filter(({ alias }) => alias === name);
    return !own.some(isRestored) || own.some((one) => one.isWriteIndex && !isRestored(one));
  });
}

const escaped = (text: string) => text.replace(/[^a-z0-9]/g, "\\$&");

/** Returns the names that a pattern matches; without patterns, all except hidden ones, which plugins create themselves. */
function selected(all: readonly string[], patterns: readonly string[]): string[] {
  const isWanted = (name: string) =>
    patterns.length === 0
      ? !name.startsWith(".")
      : patterns.some((pattern) => matcherOf(pattern).test(name));
  return all.filter(isWanted);
}

const matcherOf = (pattern: string) =>
  new RegExp(`^${pattern.split("*").map(escaped).join(".*")}$`);

function invalid(
  patterns: readonly string[],
  all: readonly string[],
  ofSecurity: readonly string[],
): string[] {
  const matches = (pattern: string, names: readonly string[]) =>
    names.some((name) => matcherOf(pattern).test(name));
  return patterns
    .filter((pattern) => !matches(pattern, all))
    .map((pattern) => {
      if (matches(pattern, ofSecurity)) {
        return `--index "${pattern}" is an index of the security plugin, which is never restored: npm run up provisions users and permissions from the declaration`;
      }
      return pattern.includes("*")
        ? `--index "${pattern}" matches nothing in the backup, which has ${firstOf(all, MOST).join(", ") || "no indices"}`
        : unknownName(pattern, firstOf(all, MOST), "--index: the backup does not have");
    });
}

/** Describes what is replaced, a line for each; undefined if nothing is. */
export function describeReplaced({ replaced, deleted }: RestorePlan): string | undefined {
  return replaced.length === 0
    ? undefined
    : replaced
        .map((name) => `- ${deleted.includes(name) ? "data stream" : "index"} ${name}`)
        .join("\n");
}

/**
 * Returns the progress as last seen while OpenSearch does not answer: a restore takes hours, and goes on while a node restarts. Throws once
 * it has not answered for long.
 */
function patiently(
  look: () => Promise<RestoreProgress>,
  indices: number,
): () => Promise<RestoreProgress> {
  let seen: RestoreProgress = { restored: 0, indices, bytes: 0, failed: [] };
  let answeredMs = Date.now();
  return async () => {
    try {
      seen = await look();
      answeredMs = Date.now();
    } catch (error) {
      if (Date.now() - answeredMs > SILENCE_MS) {
        throw new CommandError(
          `${(error as Error).message}. The restore was started, and OpenSearch may still run it: see GET /_cat/recovery?active_only=true before you restore again`,
        );
      }
    }
    return seen;
  };
}

/**
 * Removes aliases of existing indices from the restored ones, also those of a restore that was interrupted, and says how to add each. With a
 * prefix, no alias is restored.
 */
async function removeLeftOut(
  backups: OpenSearchBackups,
  { prefix }: RestorePlan,
): Promise<string[]> {
  const leftOut = prefix === undefined ? await backups.removeLeftOut() : [];
  return firstOf(
    leftOut.map(
      ({ index, alias }) =>
        `  alias ${alias} is left out of ${index}, since other indices have it: to add it, send POST /_aliases with ${JSON.stringify({ actions: [{ add: { index, alias } }] })}`,
    ),
    MOST,
  );
}

/** Restores, prints how far it is, and returns when every primary shard serves. Throws if one does not. */
export async function restore(
  backups: OpenSearchBackups,
  plan: RestorePlan,
  print: (line: string) => void,
): Promise<void> {
  const { backup, indices } = plan;
  const leaveAliasesOut = async () => {
    for (const line of await removeLeftOut(backups, plan)) {
      print(line);
    }
  };
  await leaveAliasesOut();
  try {
    await startRestore(backups, plan);
  } catch (error) {
    // A part of it may have started.
    await leaveAliasesOut().catch(() => undefined);
    throw error;
  }
  await leaveAliasesOut();
  let said = "";
  const say = (seen: RestoreProgress) => {
    const line = `  ${seen.restored} of ${counted(seen.indices, "index", "indices")} restored, ${renderSize(seen.bytes)} read`;
    if (line !== said) {
      print(line);
      said = line;
    }
  };
  // OpenSearch ends it, however long it takes.
  const last = await poll(
    patiently(() => backups.progress(indices), indices.length),
    ({ restored, failed }) => restored === indices.length || failed.length > 0,
    { intervalMs: INTERVAL_MS, patienceMs: Number.POSITIVE_INFINITY, onWait: say },
  );
  say(last);
  if (last.failed.length > 0) {
    throw new CommandError(
      [
        `${counted(last.failed.length, "index", "indices")} of backup ${backup.name} could not be restored:`,
        ...firstOf(last.failed, MOST).map((name) => `- ${name}`),
        "The log of the nodes says why (docker logs opensearch-1). Delete them, or restore again with --overwrite",
      ].join("\n"),
    );
  }
}
