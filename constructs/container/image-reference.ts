import * as v from "valibot";

/** Returns the tag of an image; undefined if it has none, or one that pins no version. */
export function pinnedTag(reference: string): string | undefined {
  const tag = reference.split("/").pop()?.split(":")[1];
  return tag === "latest" || tag === "" ? undefined : tag;
}

/** An image of a service in an environment. */
export const imageSchema: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.check(
    (reference) => pinnedTag(reference) !== undefined,
    'an image with a pinned version as its tag, such as "apache/kafka:4.3.1"',
  ),
);
