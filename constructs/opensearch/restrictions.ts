import type { Construct } from "constructs";
import { all, validate } from "../container/validation";
import type { Application, RestrictedRead } from "../security/application-schema";
import { patternsOverlap } from "./index-name";

/** Throws if OpenSearch would ignore or reject which documents and fields an application reads. */
export function validateRestrictions(
  scope: Construct | undefined,
  { name, indices = {} }: Application,
): void {
  all(
    ...Object.entries(indices).flatMap(([index, permission]) => {
      const refusal =
        typeof permission === "string"
          ? undefined
          : (refusalOf(permission) ?? refusalOfOverlap(index, permission, Object.keys(indices)));
      return () =>
        validate(
          refusal === undefined,
          () => `application "${name}": indices.${index} has ${refusal}`,
          scope,
        );
    }),
  );
}

function refusalOf({ documents, fields }: RestrictedRead): string | undefined {
  const excluded = fields?.filter((field) => field.startsWith("~")) ?? [];
  const wrong = fields?.find((field) => /^~?$/.test(field));
  const expression = fields?.find((field) => /^~?\/(.*\/)?$/.test(field));
  const legacy = fields?.find((field) => field.startsWith("!"));
  const [first, second] = Object.keys(documents ?? {});
  if (documents && (first === undefined || second !== undefined)) {
    return `documents with ${first === undefined ? "no query" : `the queries "${first}" and "${second}"`}: write one, such as { term: { team: "shop" } }, or combine several with bool`;
  }
  if (first === "query") {
    return `documents with the body of a search: write the query itself, without "query" around it, such as { term: { team: "shop" } }`;
  }
  if (fields?.length === 0) {
    return "no fields, which would allow every field: list at least one, or remove fields";
  }
  if (wrong !== undefined) {
    return `the field "${wrong}": write the name of a field, or a pattern such as "customer.*"`;
  }
  if (expression !== undefined) {
    return `the field "${expression}", a regular expression: OpenSearch ignores all fields if one is invalid. Write names, or patterns with "*", such as "customer.*"`;
  }
  if (legacy !== undefined) {
    return `the field "${legacy}": write "~${legacy.slice(1)}" to exclude it`;
  }
  return excluded.length > 0 && excluded.length < (fields?.length ?? 0)
    ? `fields with and without "~", of which OpenSearch ignores those with it: list either the fields that it reads, or those that it does not`
    : undefined;
}

/** OpenSearch applies a restriction to all access of a user to an index, and combines several with "or". */
function refusalOfOverlap(
  index: string,
  { documents, fields }: RestrictedRead,
  indices: readonly string[],
): string | undefined {
  const other = indices.find((one) => one !== index && patternsOverlap(one, index));
  return other !== undefined && (documents || fields)
    ? `documents or fields, and overlaps with indices.${other}, where OpenSearch would restrict reads too and refuse updates: use patterns that do not overlap, or declare a second application`
    : undefined;
}
