import type { DeclaredResource } from "../../constructs/opensearch/declared-resource";
import { toComposable } from "../../constructs/opensearch/legacy-template";
import { referencesOf } from "../../constructs/opensearch/references";
import type { LiveResource } from "../platform/open-search-resources";
import { calledItem } from "./item";

type Named = Pick<LiveResource, "kind" | "name">;

const isSame = (one: Named, other: Named) => one.kind === other.kind && one.name === other.name;

/** Names what uses a resource of OpenSearch: other resources, and indices whose documents go through a pipeline. */
export function usersOf(
  resource: Named,
  live: readonly LiveResource[],
  indicesOfPipelines: ReadonlyMap<string, readonly string[]>,
): string[] {
  const indices =
    resource.kind === "ingest-pipeline" ? (indicesOfPipelines.get(resource.name) ?? []) : [];
  return [
    ...live
      .filter((other) => referencesIn(other).some((used) => isSame(used, resource)))
      .map(calledItem),
    ...indices.map((index) => `index ${index}`),
  ];
}

function referencesIn({ kind, body }: LiveResource): Named[] {
  switch (kind) {
    case "data-stream":
      return [{ kind: "index-template", name: body.template }];
    case "legacy-template":
      return referencesOf({ kind: "index-template", body: toComposable(body) });
    default:
      return referencesOf({ kind, body } as Pick<DeclaredResource, "kind" | "body">);
  }
}
