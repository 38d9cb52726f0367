import type { Variable } from "../../constructs/grafana/dashboard-model";
import { resolveDataSource } from "../../constructs/grafana/data-source-reference";
import { syntaxErrorOf } from "../../constructs/grafana/query";
import type { Json } from "../synthesis/tree";

/** A data source that the platform has, or why there is none. */
export type MappedDataSource =
  | { readonly reference: Json; readonly uid?: string; readonly was?: string }
  | { readonly problem: string };

/** Types and names of data sources that answer the same queries. */
const COMPATIBLE: Readonly<Record<string, RegExp>> = {
  prometheus: /prom|mimir|cortex|thanos|victoria/i,
  loki: /loki/i,
};

/** Maps the data sources of another Grafana to those of the platform. */
export class DataSources {
  constructor(
    /** The data sources that an export asks for, by placeholder. */
    private readonly inputs: ReadonlyMap<string, string>,
    private readonly variables: readonly Variable[],
  ) {}

  /** Maps a reference. If neither its type nor its name says what it is, `query` does. */
  map(reference: Json, query?: unknown): MappedDataSource {
    const resolved = resolveDataSource(reference, this.variables);
    if (!("problem" in resolved)) {
      return { reference, uid: resolved.uid };
    }
    const name = String(reference?.uid ?? reference ?? "");
    const placeholder = name.replace(/^\$\{?|\}$/g, "");
    const type = reference?.type ?? this.inputs.get(placeholder);
    if (type === "__expr__") {
      return { reference: { type, uid: type } };
    }
    const uid =
      type === undefined ? (compatible(placeholder) ?? guess(query)) : compatible(String(type));
    return uid === undefined
      ? { problem: `uses ${resolved.problem.replace(", as npm run import does", "")}` }
      : { reference: { type: uid, uid }, uid, was: name };
  }
}

function compatible(text: string): string | undefined {
  return Object.keys(COMPATIBLE).find((uid) => COMPATIBLE[uid].test(text));
}

/** Returns the data source whose language a query is in. */
function guess(query: unknown): string | undefined {
  if (typeof query !== "string" || query.trim() === "") {
    return undefined;
  }
  return /^\s*(label_values|label_names|metrics|query_result)\(/.test(query) ||
    syntaxErrorOf("PromQL", query) === undefined
    ? "prometheus"
    : syntaxErrorOf("LogQL", query) === undefined
      ? "loki"
      : undefined;
}
