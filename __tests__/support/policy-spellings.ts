import fc from "fast-check";
import type { Json } from "./platform";

const TIMES = ["1d", "30D", "0036h", "90M", "7 d", "500ms"];
const SIZES = ["10gb", "10GB", " 5 GB ", "500 mb", "1t", "2048b", "9K"];
const COUNTS = [1, 5, "7", "010"];
const FLAGS = [true, false, "true", "false"];

/** The value that a key has in one of its spellings, or that is absent. */
const some = (values: Readonly<Record<string, readonly unknown[]>>, required: string[] = []) =>
  fc.record(
    Object.fromEntries(
      Object.entries(values).map(([key, spelled]) => [key, fc.constantFrom(...spelled)]),
    ),
    { requiredKeys: required },
  );

/** The actions of index state management that change no other index, each with all that its parser reads. */
const ACTIONS: Readonly<Record<string, fc.Arbitrary<Json>>> = {
  rollover: some({
    ...{ min_size: SIZES, min_primary_shard_size: SIZES, min_index_age: TIMES },
    ...{ min_doc_count: COUNTS, copy_alias: FLAGS, prevent_empty_rollover: FLAGS },
  }),
  force_merge: some({ max_num_segments: COUNTS }, ["max_num_segments"]),
  replica_count: some({ number_of_replicas: [0, ...COUNTS] }, ["number_of_replicas"]),
  index_priority: some({ priority: [0, ...COUNTS] }, ["priority"]),
  shrink: fc.oneof(
    some({ num_new_shards: COUNTS, switch_aliases: FLAGS, force_unsafe: FLAGS }, [
      "num_new_shards",
    ]),
    some({ max_shard_size: SIZES, switch_aliases: FLAGS }, ["max_shard_size"]),
    some(
      {
        num_new_shards: COUNTS,
        aliases: [
          [{ "a-b": {} }, { c: { filter: { term: { "x.y": "z" } }, is_write_index: false } }],
        ],
      },
      ["num_new_shards", "aliases"],
    ),
    some({ percentage_of_source_shards: [0.5, "0.25", 1e-7] }, ["percentage_of_source_shards"]),
  ),
  allocation: some(
    {
      ...{ require: [{ zone: "a" }, { "box.type": "x=y", temp: 1 }], exclude: [{ _ip: "*" }, {}] },
      wait_for: FLAGS,
    },
    ["require"],
  ),
  snapshot: fc.constant({ repository: "backups", snapshot: 'a "b" é \\ ]' }),
  ...Object.fromEntries(
    ["read_only", "read_write", "open", "close"].map((type) => [type, fc.constant({})]),
  ),
};

const actions = fc
  .tuple(
    fc
      .constantFrom(...Object.keys(ACTIONS))
      .chain((type) => ACTIONS[type].map((body) => ({ [type]: body }))),
    fc.record(
      {
        retry: some(
          { count: [0, 3, "3"], backoff: ["exponential", "Linear", "CONSTANT"], delay: TIMES },
          ["count"],
        ),
        timeout: fc.constantFrom(...TIMES),
      },
      { requiredKeys: [] },
    ),
    fc.boolean(),
  )
  // The order of keys is free.
  .map(([action, more, isFirst]) => (isFirst ? { ...action, ...more } : { ...more, ...action }));

/** At most one condition, as the plugin has it. */
const conditions = fc.oneof(
  fc.constant({}),
  ...Object.entries({
    ...{ min_index_age: TIMES, min_rollover_age: TIMES, min_state_age: TIMES },
    ...{ min_size: SIZES, min_doc_count: COUNTS, no_alias: FLAGS },
  }).map(([key, spelled]) => some({ [key]: spelled }, [key])),
);

const transitions = fc.record(
  { state_name: fc.constant("end"), conditions },
  { requiredKeys: ["state_name"] },
);

/** Any policy without index patterns, in any spelling that the index management plugin accepts. */
export const policies: fc.Arbitrary<Json> = fc.record(
  {
    description: fc.constantFrom("", " ", "a ", "x [fingerprint y]", "@FINGERPRINT@", 'a "b"\\ é'),
    error_notification: fc.constant(null),
    default_state: fc.constantFrom("open", "end"),
    states: fc
      .tuple(
        fc.record(
          {
            name: fc.constant("open"),
            actions: fc.array(actions, { maxLength: 3 }),
            transitions: fc.array(transitions, { maxLength: 2 }),
          },
          { requiredKeys: ["name"] },
        ),
        fc.record(
          {
            name: fc.constant("end"),
            actions: fc.constantFrom([], [{ delete: {} }]),
            transitions: fc.constant([]),
          },
          { requiredKeys: ["name"] },
        ),
      )
      .map((states) => [...states]),
  },
  { requiredKeys: ["default_state", "states"] },
);

/** The templates of a policy for indices whose names start with a text: a list, or one in place of it. */
export const ismTemplates = (name: string): fc.Arbitrary<Json> => {
  const template = (start: string, priorities: readonly unknown[]): fc.Arbitrary<Json> =>
    fc.record({
      index_patterns: fc.constantFrom(
        [`${start}-*`],
        [`${start}-*`, `-${start}-audit-*`],
        [`-${start}-x`, `${start}-*`, `${start}.é`],
      ),
      priority: fc.constantFrom(...priorities),
    });
  const implicit = template(name, [0]).map(({ index_patterns }) => ({ index_patterns }));
  return fc.oneof(
    implicit,
    template(name, [0, "0", 5, "07"]),
    implicit.map((one) => [one]),
    fc.tuple(template(name, [0, 5]), template(`${name}-b`, [8, "9"])).map((two) => [...two]),
  );
};
