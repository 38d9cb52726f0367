// biome-ignore lint/suspicious/noExplicitAny: a template of any earlier version
type Json = any;

/** What a mapping has at its top. Any other key that is alone is a mapping type of earlier versions, such as `_doc`. */
const OF_MAPPINGS = [
  ...["properties", "dynamic", "dynamic_templates", "date_detection", "numeric_detection"],
  ...["dynamic_date_formats", "_source", "_routing", "_meta", "_size", "_field_names"],
];

/** Whether it is the body of a legacy index template, which `PUT _template` takes. */
export function isLegacyTemplate(body: Json): boolean {
  return (
    typeof body.template === "string" ||
    ["settings", "mappings", "aliases", "order"].some((key) => Object.hasOwn(body, key))
  );
}

/**
 * Converts a legacy index template to a composable one. Without an `order` the priority is 0, as it is for both kinds. The `template` of
 * versions before 6 is a pattern.
 */
export function toComposable(body: Json): Json {
  const { settings, mappings, aliases, order, template, index_patterns, ...rest } = body;
  const isPattern = typeof template === "string";
  const inner = {
    ...(isPattern ? {} : template),
    ...(settings && { settings }),
    ...(mappings && { mappings: withoutType(mappings) }),
    ...(aliases && { aliases }),
  };
  return {
    index_patterns: [index_patterns ?? (isPattern ? template : [])].flat(),
    ...(order !== undefined && rest.priority === undefined && { priority: Number(order) }),
    ...rest,
    template: inner,
  };
}

/** Removes the mapping type, which OpenSearch does not have. */
function withoutType(mappings: Json): Json {
  const types = Object.keys(mappings).filter((key) => !OF_MAPPINGS.includes(key));
  const named = types.filter((type) => type !== "_default_");
  if (types.length === 0 || types.length < Object.keys(mappings).length || named.length > 1) {
    return mappings;
  }
  return { ...mappings._default_, ...mappings[named[0]] };
}
