import type { IndexTemplate } from "../../constructs";
import type { DeclaredResource } from "../../constructs/opensearch/declared-resource";
import type { LiveResource, OpenSearchResources } from "../platform/open-search-resources";
import type { Json } from "../synthesis/tree";
import { type Difference, differingFields, missing } from "./difference";

/** An index pattern that no template needs, to simulate a component template. */
const PROBE = "groundwork-probe";

/**
 * Compares templates and ingest pipelines with what OpenSearch has, which normalizes both sides by simulating them. Skips those with
 * `onDrift: "ignore"`. Throws if OpenSearch does not answer.
 */
export async function findTemplateDrift(
  openSearch: OpenSearchResources,
  live: readonly LiveResource[],
  resources: readonly TemplateOrPipeline[],
): Promise<Difference[]> {
  const differences: Difference[] = [];
  for (const resource of resources.filter(({ onDrift }) => onDrift !== "ignore")) {
    const { kind, name } = resource;
    const found = live.find((one) => one.kind === kind && one.name === name);
    const called = `${kind.replace("-", " ")} ${name}`;
    differences.push(
      ...(found === undefined
        ? [missing(called)]
        : await KINDS[kind](openSearch, called, resource, found.body)),
    );
  }
  return differences;
}

type TemplateOrPipeline = DeclaredResource & { readonly kind: keyof typeof KINDS };

const KINDS = {
  "component-template": compareComponent,
  "ingest-pipeline": comparePipeline,
  "index-template": compareIndexTemplate,
} as const;

async function compareComponent(
  openSearch: OpenSearchResources,
  resource: string,
  { name, body }: DeclaredResource,
  live: Json,
): Promise<Difference[]> {
  const { template = {}, ...rest } = body as Json;
  const probe = { index_patterns: [PROBE] };
  return compareTemplates(resource, [rest, live], {
    declared: await openSearch.simulate({ ...probe, template }),
    actual: await openSearch.simulate({ ...probe, composed_of: [name] }),
  });
}

async function compareIndexTemplate(
  openSearch: OpenSearchResources,
  resource: string,
  { name, body }: DeclaredResource,
  live: Json,
): Promise<Difference[]> {
  const { template: _, ...rest } = body as Json;
  const declared = await openSearch.simulate(body);
  const differences = compareTemplates(resource, [rest, live], {
    declared,
    actual: await openSearch.simulateExisting(name),
  });
  return differences.length > 0
    ? differences
    : findShadow(openSearch, resource, body as IndexTemplate["body"], declared);
}

/** Compares what a new index gets: another template may have a higher priority. */
async function findShadow(
  openSearch: OpenSearchResources,
  resource: string,
  { index_patterns }: IndexTemplate["body"],
  declared: Json,
): Promise<Difference[]> {
  const index = index_patterns[0].replaceAll("*", PROBE);
  const named = (simulated: Json) =>
    JSON.parse(withoutIndex(simulated).replaceAll("{index}", index));
  const actual = await openSearch.simulateIndex(index);
  const shadow = differingFields(resource, named(declared), named(actual));
  return shadow.length === 0
    ? []
    : [
        { resource, actual: `another template applies to its indices, such as ${index}` },
        ...shadow,
      ];
}

async function comparePipeline(
  _: OpenSearchResources,
  resource: string,
  { body }: DeclaredResource,
  live: Json,
): Promise<Difference[]> {
  return differingFields(resource, normalized(body), normalized(live));
}

function compareTemplates(
  resource: string,
  [declaredRest, actualRest]: readonly [Json, Json],
  { declared, actual }: { readonly declared: Json | string; readonly actual: Json | string },
): Difference[] {
  const refusal = [declared, actual].find((side) => typeof side === "string");
  if (refusal !== undefined) {
    return [{ resource, actual: `OpenSearch rejects it: ${refusal}` }];
  }
  const { template: _, ...rest } = actualRest;
  const sideOf = (others: Json, template: Json) => ({
    ...normalized(others),
    template: JSON.parse(withoutIndex(template)),
  });
  return differingFields(resource, sideOf(declaredRest, declared), sideOf(rest, actual));
}

/** Replaces the name that OpenSearch generates for a simulated index, which aliases may contain. */
function withoutIndex(simulated: Json): string {
  return JSON.stringify(simulated).replace(/simulate_template_index_[a-z0-9_-]{22}/g, "{index}");
}

/** Mimics what OpenSearch adds and converts, and removes the fingerprint of os-init. */
function normalized({ _meta, description, data_stream, priority, version, ...rest }: Json): Json {
  const { fingerprint: _, ...meta } = _meta ?? {};
  const text = description?.replace(/ ?\[fingerprint [0-9a-f]*\]$/, "");
  const isStream = data_stream !== undefined && data_stream.timestamp_field === undefined;
  return {
    ...rest,
    _meta: meta,
    ...(text && { description: text }),
    ...(priority !== undefined && { priority: Number(priority) }),
    ...(version !== undefined && { version: Number(version) }),
    data_stream: isStream ? { timestamp_field: { name: "@timestamp" } } : data_stream,
  };
}
