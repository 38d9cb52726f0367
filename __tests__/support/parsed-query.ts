import type { Json } from "./platform";

/** The clauses of queries that have others in them, and those of the other types. */
const CLAUSES: Readonly<Record<string, readonly string[]>> = {
  bool: ["must", "filter", "should", "must_not"],
  constant_score: ["filter"],
  nested: ["query"],
  ...Object.fromEntries(
    ["exists", "ids", "match", "match_all", "match_none", "prefix", "range", "term", "terms"].map(
      (type) => [type, []],
    ),
  ),
};

/** Returns what OpenSearch's parser says of a query, or undefined if it parses it. It needs no index for that. */
export function parseErrorOf(query: Json): string | undefined {
  const types = Object.keys(query);
  const [type] = types;
  if (type === undefined) {
    return "query malformed, empty clause found";
  }
  const clauses = Object.hasOwn(CLAUSES, type) ? CLAUSES[type] : undefined;
  if (clauses === undefined) {
    return `unknown query [${type}]`;
  }
  if (types.length > 1) {
    return `[${type}] malformed query, expected [END_OBJECT] but found [FIELD_NAME]`;
  }
  return clauses
    .flatMap((clause) => query[type][clause] ?? [])
    .map(parseErrorOf)
    .find((error) => error !== undefined);
}
