import type { Application, Topic } from "../../constructs";

/** What a run of hello writes to and reads from, and as which applications. */
export interface Target {
  /** Name of the topic or index. */
  readonly name: string;
  /** Application that writes. Undefined without authentication. */
  readonly writer?: string;
  /** Application that reads. Undefined without authentication. */
  readonly reader?: string;
  /** Why nothing reads, with the remedy. */
  readonly unread?: string;
}

/** A target, or why there is none, with the remedy. */
export type Choice = Target | { readonly skipped: string };

export interface Chooser {
  /** Applications that may be chosen to write, in order of preference. Undefined without authentication. */
  readonly writers?: readonly Application[];
  /** Applications that may be chosen to read. */
  readonly readers: readonly Application[];
}

/** Read access to some documents or fields is in neither: it may not include what hello writes. */
const WRITE: readonly unknown[] = ["append", "write", "readwrite", "manage"];
const READ: readonly unknown[] = ["read", "readwrite", "manage"];

/** Chooses the first topic that a writer may write. Topics that are compacted refuse a record without a key. */
export function chooseTopic({ writers, readers }: Chooser, topics: readonly Topic[]): Choice {
  const names = topics
    .filter(({ configs }) => !configs?.["cleanup.policy"]?.includes("compact"))
    .map(({ name }) => name);
  const [first] = names;
  if (first === undefined) {
    return { skipped: "no topic without compaction is declared: add one to catalog/topics.ts" };
  }
  if (!writers) {
    return { name: first };
  }
  const permits = ({ topics: declared = {} }: Application, topic: string, access: typeof WRITE) =>
    Object.entries(declared).some(
      ([pattern, given]) => matchesTopic(pattern, topic) && access.includes(given),
    );
  for (const writer of writers) {
    const name = names.find((topic) => permits(writer, topic, WRITE));
    if (name !== undefined) {
      return withReader(name, writer, readers, {
        may: (application) => permits(application, name, READ),
        declaration: `topics: { "${name}": "read" }`,
      });
    }
  }
  return { skipped: unwritten(writers, "a topic", `topics: { "${first}": "readwrite" }`) };
}

/** Index of an environment without authentication. The template of `logs-*` applies to it. */
const INDEX = "logs-hello";

/** Chooses the first index that a writer may write. In a pattern, `*` becomes "hello". */
export function chooseIndex({ writers, readers }: Chooser): Choice {
  if (!writers) {
    return { name: INDEX };
  }
  for (const writer of writers) {
    const [pattern] =
      Object.entries(writer.indices ?? {}).find(([, access]) => WRITE.includes(access)) ?? [];
    if (pattern !== undefined) {
      const name = pattern.replaceAll("*", "hello").replaceAll("?", "x");
      return withReader(name, writer, readers, {
        may: ({ indices = {} }) =>
          Object.entries(indices).some(
            ([one, access]) => matchesIndex(one, name) && READ.includes(access),
          ),
        declaration: `indices: { "${pattern}": "read" }`,
      });
    }
  }
  return { skipped: unwritten(writers, "an index", `indices: { "${INDEX}": "readwrite" }`) };
}

function withReader(
  name: string,
  writer: Application,
  readers: readonly Application[],
  { may, declaration }: { may: (application: Application) => boolean; declaration: string },
): Target {
  const reader = [writer, ...readers].find(may)?.name;
  return {
    name,
    writer: writer.name,
    reader,
    unread:
      reader === undefined
        ? `no application may read ${name}: add one to catalog/applications.ts with ${declaration}, and run npm run up`
        : undefined,
  };
}

function unwritten(
  writers: readonly Application[],
  kind: "a topic" | "an index",
  declaration: string,
): string {
  const [who, where] =
    writers.length === 1
      ? [`application ${writers[0].name} may not`, "to it"]
      : ["no application may", "to an application"];
  return `${who} write ${kind}: add ${declaration} ${where} in catalog/applications.ts, and run npm run up`;
}

function matchesTopic(pattern: string, topic: string): boolean {
  return pattern.endsWith("*") ? topic.startsWith(pattern.slice(0, -1)) : pattern === topic;
}

function matchesIndex(pattern: string, index: string): boolean {
  const source = pattern
    .replace(/[^*?]/g, (character) => character.replace(/[\\^$.|+()[\]{}]/, "\\$&"))
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`).test(index);
}
