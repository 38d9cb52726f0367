import type { DeclaredResource } from "../../constructs/opensearch/declared-resource";
import { type Environment, retentionIn } from "../../environments";
import type { Catalog } from "../../stacks/platform";
import type { LiveResource } from "../platform/open-search-resources";
import type { Json } from "../synthesis/tree";
import { counted } from "../terminal/terminal";
import { type Item, removalOf, type State } from "./item";

/** Returns the templates, pipelines, retention policies and data streams of OpenSearch. */
export function templateItems(
  live: readonly LiveResource[],
  environment: Environment,
  { componentTemplates, ingestPipelines, indexTemplates, retentionPolicies }: Catalog,
): Item[] {
  const declared: readonly Pick<DeclaredResource, "kind" | "name">[] = [
    ...[...componentTemplates, ...ingestPipelines, ...indexTemplates],
    ...retentionIn(environment, retentionPolicies),
  ];
  const isDeclared = ({ kind, name }: Pick<LiveResource, "kind" | "name">) =>
    declared.some((other) => other.kind === kind && other.name === name);
  const stateOf = (resource: LiveResource): State => {
    if (resource.kind === "data-stream") {
      return stateOfStream(resource);
    }
    if (isDeclared(resource)) {
      return "declared";
    }
    return isMarked(resource) ? "left-over" : isSystem(resource) ? "system" : "unmanaged";
  };
  const stateOfStream = (stream: LiveResource): State => {
    const template = live.find(
      ({ kind, name }) => kind === "index-template" && name === stream.body.template,
    );
    return isSystem(stream) ? "system" : template ? stateOf(template) : "unmanaged";
  };
  return [
    ...live.map((resource) => {
      const { kind, name } = resource;
      const state = stateOf(resource);
      return {
        ...{ cluster: "OpenSearch" as const, kind, name, state, exists: true },
        details: DETAILS[kind](resource),
        ...(state === "left-over" && { removal: removalOf(resource) }),
      };
    }),
    ...declared
      .filter(({ kind, name }) => !live.some((one) => one.kind === kind && one.name === name))
      .map(({ kind, name }) => ({
        ...{ cluster: "OpenSearch" as const, kind, name, state: "declared" as const },
        ...{ exists: false, details: "does not exist: npm run up creates it" },
      })),
  ];
}

const DETAILS: Readonly<Record<LiveResource["kind"], (resource: LiveResource) => string>> = {
  "component-template": () => "",
  "data-stream": ({ body: { indices, template } }) =>
    `${indices.length === 1 ? "1 index" : `${indices.length} indices`}, index template ${template}`,
  "index-template": ({ body }) => `for ${body.index_patterns.join(", ")}`,
  "ingest-pipeline": ({ body }) => counted(body.processors?.length ?? 0, "processor"),
  "legacy-template": ({ body }) => `for ${body.index_patterns.join(", ")}`,
  "retention-policy": ({ body: { ism_template } }) =>
    (ism_template ?? []).length === 0
      ? "for no new indices"
      : `for ${[ism_template]
          .flat()
          .flatMap(({ index_patterns }: Json) => index_patterns)
          .join(", ")}`,
};

/** Whether os-init applied it: it has the fingerprint of what was applied. OpenSearch accepts no `_meta` in a pipeline or a policy. */
export function isMarked({ kind, body }: LiveResource): boolean {
  return kind === "ingest-pipeline" || kind === "retention-policy"
    ? /\[fingerprint [0-9a-f]{64}( [0-9a-f]{64})?\]$/.test(body.description ?? "")
    : /^[0-9a-f]{64}$/.test(body._meta?.fingerprint ?? "");
}

/** Whether OpenSearch or a plugin made it for itself: hidden names start with a dot. */
function isSystem({ name, body }: LiveResource): boolean {
  return name.startsWith(".") || body.hidden === true;
}
