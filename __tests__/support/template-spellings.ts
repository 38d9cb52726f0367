import fc from "fast-check";
import type { Json } from "./platform";

/** Settings by their names below `index`, each with some of its spellings. */
const SETTINGS: Readonly<Record<string, readonly unknown[]>> = {
  number_of_shards: [1, "2", 1.0],
  number_of_replicas: [0, "1"],
  refresh_interval: ["5s", "5000ms", "-1", -1, null],
  codec: ["default", "best_compression"],
  hidden: [true, "false"],
  max_result_window: [10_000, "20000"],
  "mapping.total_fields.limit": [1000, "2000"],
  "translog.durability": ["async", "request"],
  "translog.sync_interval": ["5s", "10s"],
  "query.default_field": ["a", ["a", "b"], []],
  "routing.allocation.total_shards_per_node": [-1, "3"],
};

/** Parameters of fields by type, including defaults. */
const FIELDS: Readonly<Record<string, Readonly<Record<string, readonly unknown[]>>>> = {
  keyword: { index: [true, "false"], ignore_above: [256, "10"], doc_values: [true, false] },
  text: { norms: [true, false], index: ["true"], fields: [{ raw: { type: "keyword" } }] },
  long: { coerce: [true, "false"], null_value: [1, "2"], store: [false, true] },
  float: { ignore_malformed: [true, false] },
  scaled_float: { scaling_factor: [100, 0.5, "10"] },
  date: { format: ["epoch_millis", "yyyy-MM-dd||epoch_second"], ignore_malformed: [false] },
  boolean: { null_value: [true] },
  ip: { store: [true] },
  geo_point: { ignore_malformed: [true] },
  object: { enabled: [true, false], dynamic: ["strict", true, "false"] },
  nested: { dynamic: [false], include_in_parent: [true] },
};

/** Picks some of the entries, each with one of its values. */
const someOf = (
  all: Readonly<Record<string, readonly unknown[]>>,
  needed: readonly string[] = [],
) =>
  fc
    .subarray(Object.entries(all))
    .map((some) => [...some, ...Object.entries(all).filter(([name]) => needed.includes(name))])
    .chain((some) =>
      fc.record(
        Object.fromEntries(some.map(([name, values]) => [name, fc.constantFrom(...values)])),
      ),
    );

/** Returns the same settings with or without `index`, as a path or as objects. */
const settings = fc
  .tuple(someOf(SETTINGS), fc.constantFrom("path", "inside", "bare"))
  .map(([some, spelling]): Json => {
    if (spelling === "inside") {
      return { index: some };
    }
    const prefix = spelling === "path" ? "index." : "";
    return Object.fromEntries(
      Object.entries(some).map(([name, value]) => [`${prefix}${name}`, value]),
    );
  });

const fields = fc.dictionary(
  fc.constantFrom("a", "b", "a_b", "c.d", "c.e", "@timestamp", "with space", "g.h.i"),
  fc
    .constantFrom(...Object.keys(FIELDS))
    .chain((type) =>
      someOf(FIELDS[type], ["scaling_factor"]).map((parameters) => ({ type, ...parameters })),
    ),
);

/** Any settings, mappings and aliases, in any spelling. */
export const templateBodies = fc.record(
  {
    settings,
    mappings: fc.record(
      { properties: fields, dynamic: fc.constantFrom(true, "strict", "false") },
      { requiredKeys: [] },
    ),
    aliases: fc.constantFrom({}, { all: {} }, { some: { filter: { term: { a: "x" } } } }),
  },
  { requiredKeys: [] },
);
