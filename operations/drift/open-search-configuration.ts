import { basename } from "node:path";
import { renderConfiguration } from "../../constructs/opensearch/configuration";
import type { OpenSearchResources } from "../platform/open-search-resources";
import type { Json } from "../synthesis/tree";
import { type Difference, differingFields, missing } from "./difference";

/** Ends the name of a file with the declared value of a part. */
const PART = ".part.json";

/**
 * Compares the declared parts of the security plugin's configuration with OpenSearch, such as the audit trail. The server shows more fields
 * than are declared. Throws if OpenSearch does not answer.
 */
export async function findOpenSearchConfigurationDrift(
  openSearch: OpenSearchResources,
): Promise<Difference[]> {
  const parts = renderConfiguration("opensearch")
    .filter(({ path }) => path.endsWith(PART))
    .map(({ path, content = "" }) => ({
      name: basename(path, PART),
      declared: JSON.parse(content) as Json,
    }));
  const objects = [...new Set(parts.map(({ name }) => name.split(".")[0]))];
  const live = new Map<string, Json>();
  for (const object of objects) {
    live.set(object, await openSearch.readSecurityConfiguration(object));
  }
  return parts.flatMap(({ name, declared }) => {
    const [object, ...path] = name.split(".");
    const actual = path.reduce((value, key) => value?.[key], live.get(object));
    // As os-security calls it in its log.
    const resource = `security/${name}`;
    return actual === undefined
      ? [missing(resource)]
      : differingFields(resource, declared, declaredFields(declared, actual));
  });
}

/** Returns the fields of a value that are declared. The server shows an empty list as null. */
function declaredFields(declared: Json, actual: Json): Json {
  if (actual === null) {
    return undefined;
  }
  if (typeof declared !== "object" || Array.isArray(declared)) {
    return actual;
  }
  return Object.fromEntries(
    Object.entries(declared).map(([key, value]) => [key, declaredFields(value, actual[key])]),
  );
}
