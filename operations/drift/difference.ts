import type { Json } from "../synthesis/tree";

/** What a resource has, and its declaration does not. */
export interface Difference {
  /** Such as `topic orders`. */
  readonly resource: string;
  /** The field that differs. Unset if the resource as a whole does, such as one that does not exist. */
  readonly field?: string;
  readonly declared?: string;
  /** The value of the field, or what is the matter with the resource. */
  readonly actual: string;
}

/** Describes a difference in the words of the sidecars. */
export function describeDifference({ resource, field, declared, actual }: Difference): string {
  return field === undefined
    ? `${resource}: ${actual}`
    : `${resource}: ${field} is ${actual}, declared ${declared}`;
}

export const missing = (resource: string): Difference => ({ resource, actual: "does not exist" });

/** Compares JSON by its fields. Empty objects and lists are the same as unset ones. */
export function differingFields(resource: string, declared: Json, actual: Json): Difference[] {
  const [wanted, found] = [fieldsOf(declared), fieldsOf(actual)];
  return [...new Set([...wanted.keys(), ...found.keys()])]
    .filter((field) => wanted.get(field) !== found.get(field))
    .sort()
    .map((field) => ({
      resource,
      field,
      declared: wanted.get(field) ?? "absent",
      actual: found.get(field) ?? "absent",
    }));
}

function fieldsOf(value: Json, path = ""): Map<string, string> {
  if (typeof value !== "object" || value === null) {
    return new Map(value === undefined ? [] : [[path, JSON.stringify(value)]]);
  }
  return new Map(
    Object.entries<Json>(value).flatMap(([key, item]) => {
      const at = Array.isArray(value) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
      return [...fieldsOf(item, at)];
    }),
  );
}
