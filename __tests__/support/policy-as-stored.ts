import type { Json } from "./platform";

/** JSON that `?pretty` does not format. */
export class OneLine {
  constructor(private readonly json: Json) {}

  toJSON(): Json {
    return this.json;
  }
}

/** How the index management plugin reads and writes a value. */
const KINDS = {
  /** Of any case, with spaces and zeros, in the unit that it was written in. */
  size(value: Json): string {
    const [, number, unit] =
      /^(\d+)\s*([kmgtp]?)b?$/.exec(String(value).toLowerCase().trim()) ?? [];
    return `${Number(number)}${unit}b`;
  },
  /** As a size, with spaces only before the unit. */
  time(value: Json): string {
    const [, number, unit] = /^(\d+)\s*([a-z]+)$/.exec(String(value).toLowerCase()) ?? [];
    return `${Number(number)}${unit}`;
  },
  number: (value: Json) => Number(value),
  flag: (value: Json) => String(value) === "true",
  text: (value: Json) => String(value),
  texts: (value: Json) =>
    Object.fromEntries(Object.entries(value).map(([key, each]) => [key, String(each)])),
  /** A list of aliases. */
  aliases: (value: Json) =>
    value.map((alias: Json) =>
      Object.fromEntries(
        Object.entries<Json>(alias).map(([name, { filter, is_write_index = null }]) => [
          name,
          { ...(filter && { filter: new OneLine(filter) }), is_write_index },
        ]),
      ),
    ),
} satisfies Record<string, (value: Json) => Json>;

type Fields = Readonly<Record<string, keyof typeof KINDS>>;

/** What the parser of each action reads. */
const ACTIONS: Readonly<Record<string, Fields>> = {
  rollover: {
    ...{ min_size: "size", min_primary_shard_size: "size", min_index_age: "time" },
    ...{ min_doc_count: "number", copy_alias: "flag", prevent_empty_rollover: "flag" },
  },
  force_merge: { max_num_segments: "number" },
  replica_count: { number_of_replicas: "number" },
  index_priority: { priority: "number" },
  shrink: {
    ...{ num_new_shards: "number", max_shard_size: "size", percentage_of_source_shards: "number" },
    ...{ switch_aliases: "flag", force_unsafe: "flag", aliases: "aliases" },
  },
  allocation: { require: "texts", include: "texts", exclude: "texts", wait_for: "flag" },
  snapshot: { repository: "text", snapshot: "text" },
  ...{ read_only: {}, read_write: {}, open: {}, close: {}, delete: {} },
};

/** What an action has that does not say so. */
const DEFAULTS: Readonly<Record<string, Json>> = {
  rollover: { copy_alias: false },
  shrink: { switch_aliases: false },
  allocation: { require: {}, include: {}, exclude: {}, wait_for: false },
};

const CONDITIONS: Fields = {
  ...{ min_index_age: "time", min_rollover_age: "time", min_state_age: "time" },
  ...{ min_size: "size", min_doc_count: "number", no_alias: "flag" },
};

const RETRY: Fields = { count: "number", backoff: "text", delay: "time" };

/** Returns why the plugin does not read a policy. */
export function invalidIn({ states }: Json): string | undefined {
  const types = states.flatMap(({ actions = [] }: Json) => actions.flatMap(Object.keys));
  const known = [...Object.keys(ACTIONS), "retry", "timeout"];
  const unknown = types.find((type: string) => !known.includes(type));
  return unknown && `Invalid field: [${unknown}] found in Actions.`;
}

export function stateAsStored({ name, actions = [], transitions = [] }: Json): Json {
  return {
    name,
    actions: actions.map(actionAsStored),
    transitions: transitions.map(({ state_name, conditions }: Json) => ({
      state_name,
      ...(conditions && { conditions: asStored(CONDITIONS, conditions) }),
    })),
  };
}

function actionAsStored({ retry, timeout, ...action }: Json): Json {
  const [[type, body]] = Object.entries<Json>(action);
  const { prevent_empty_rollover, ...stored } = {
    ...DEFAULTS[type],
    ...asStored(ACTIONS[type], body),
  };
  const { backoff, ...times } = {
    ...{ count: 3, backoff: "exponential", delay: "1m" },
    ...asStored(RETRY, retry ?? {}),
  };
  return {
    ...(timeout && { timeout: KINDS.time(timeout) }),
    retry: { ...times, backoff: backoff.toLowerCase() },
    [type]: { ...stored, ...(prevent_empty_rollover && { prevent_empty_rollover }) },
  };
}

function asStored(fields: Fields, body: Json): Json {
  return Object.fromEntries(
    Object.entries<Json>(body).map(([key, value]) => [key, KINDS[fields[key]](value)]),
  );
}

export const templateAsStored = ({ index_patterns, priority = 0 }: Json): Json => ({
  ...{ index_patterns, priority: Number(priority) },
});
