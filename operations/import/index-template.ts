import { patternsOverlap, refusalOfIndexPattern } from "../../constructs/opensearch/index-name";
import { isLegacyTemplate, toComposable } from "../../constructs/opensearch/legacy-template";
import type { Json } from "../synthesis/tree";
import { CommandError } from "../terminal/terminal";

/** A composable template that the platform accepts. */
export interface ConvertedTemplate {
  /** Its name in a response of OpenSearch, if it is one. */
  readonly name?: string;
  readonly body: Json;
  readonly changes: readonly string[];
  readonly lost: readonly string[];
}

/** Another template of the catalog. */
export interface ExistingTemplate {
  readonly name: string;
  readonly body: Json;
}

const KEYS = [
  ...["index_patterns", "priority", "version", "data_stream", "_meta", "template"],
  "composed_of",
];
const TEMPLATE_KEYS = ["settings", "mappings", "aliases"];

/** Settings of Elasticsearch that OpenSearch refuses, without "index.". */
const ELASTICSEARCH_ONLY = /^(lifecycle|routing\.allocation\.include\._tier_preference|xpack)\b/;

/** Returns the body in a JSON object and its name, also from responses of OpenSearch, or undefined if it is no template. */
export function templateIn(body: Json): { name?: string; body: Json } | undefined {
  const [first, ...others] = Array.isArray(body.index_templates) ? body.index_templates : [];
  if (first?.index_template && others.length === 0) {
    return { name: String(first.name), body: first.index_template };
  }
  if (body.index_patterns !== undefined || typeof body.template === "string") {
    return { body };
  }
  const named = Object.entries<Json>(body);
  const [[name, inner] = []] = named;
  return named.length === 1 && inner?.index_patterns !== undefined
    ? { name, body: inner }
    : undefined;
}

/** Converts a template of another cluster to a composable one. Of its component templates, it keeps those that are declared. */
export function convertTemplate(
  given: Json,
  name: string,
  others: readonly ExistingTemplate[],
  componentTemplates: readonly string[] = [],
): ConvertedTemplate {
  const changes: string[] = [];
  const lost: string[] = [];
  if (isLegacyTemplate(given)) {
    changes.push("legacy template -> composable template");
  }
  const { index_patterns: patterns, template = {}, ...rest } = toComposable(given);
  const components = [rest.composed_of ?? []].flat().map(String);
  const declared = components.filter((one) => componentTemplates.includes(one));
  for (const component of components.filter((one) => !declared.includes(one))) {
    lost.push(
      `composed_of "${component}": add that component template to catalog/component-templates/ and import this one again, or copy its settings and mappings into template`,
    );
  }
  delete rest.composed_of;
  if (declared.length > 0) {
    rest.composed_of = declared;
  }
  const kept = (from: Json, known: readonly string[], where: string) =>
    Object.fromEntries(
      Object.entries(from).filter(([key]) => {
        if (!known.includes(key)) {
          lost.push(`${where}${key}, which OpenSearch does not have`);
        }
        return known.includes(key);
      }),
    );
  const body: Json = {
    index_patterns: patterns.map(String).filter((pattern: string) => {
      const refusal = refusalOfIndexPattern(pattern, "*");
      if (refusal) {
        lost.push(`index pattern "${pattern}": ${refusal}`);
      }
      return refusal === undefined;
    }),
    ...kept(rest, KEYS, ""),
    template: kept(template, TEMPLATE_KEYS, "template."),
  };
  if (body.index_patterns.length === 0) {
    throw new CommandError(
      `${name} has no index pattern that OpenSearch accepts: ${lost.join("; ")}`,
    );
  }
  if (body.version !== undefined && !/^\d+$/.test(String(body.version))) {
    lost.push(`version ${JSON.stringify(body.version)}, which is no whole number`);
    delete body.version;
  }
  if (body.template.settings) {
    body.template.settings = withoutForeign(body.template.settings, "", lost);
  }
  raisePriority(body, others, changes);
  return { body, changes, lost };
}

/** Removes settings that only Elasticsearch has, in dotted and nested form. */
function withoutForeign(settings: Json, prefix: string, lost: string[]): Json {
  return Object.fromEntries(
    Object.entries<Json>(settings).flatMap(([key, value]) => {
      const path = `${prefix}${key}`;
      if (ELASTICSEARCH_ONLY.test(path.replace(/^index\./, ""))) {
        lost.push(`setting ${path}, which only Elasticsearch has`);
        return [];
      }
      const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
      return [[key, isObject ? withoutForeign(value, `${path}.`, lost) : value]];
    }),
  );
}

/** OpenSearch rejects overlapping templates of one priority. */
function raisePriority(body: Json, others: readonly ExistingTemplate[], changes: string[]): void {
  const priorityOf = (of: Json) => Number(of.priority ?? 0);
  const overlapping = others.filter((other) =>
    [other.body.index_patterns]
      .flat()
      .some((theirs: string) =>
        body.index_patterns.some((mine: string) => patternsOverlap(mine, theirs)),
      ),
  );
  const taken = new Map(overlapping.map((other) => [priorityOf(other.body), other.name]));
  let priority = priorityOf(body);
  const rival = taken.get(priority);
  while (taken.has(priority)) {
    priority += 1;
  }
  if (rival !== undefined) {
    changes.push(`priority ${priorityOf(body)} -> ${priority}, since ${rival} has the same`);
    body.priority = priority;
  }
}
