import * as v from "valibot";

/** Returns the tag of an image; undefined if it has none, or one that pins no version. */
export function pinnedTag(reference: string): string | undefined {
  const tag = reference.split("/").pop()?.split(":")[1];
  return tag === "latest" || tag === "" ? undefined : tag;
}

/** Returns the version in the tag of an image, such as 3.8.0; undefined if the tag is none, such as `stable`. */
export function imageVersion(reference: string): string | undefined {
  return /^v?(\d+\.\d+\.\d+)(?![\d.])/.exec(pinnedTag(reference) ?? "")?.[1];
}

/** An image of a service in an environment. */
export const imageSchema: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.check(
    (reference) => pinnedTag(reference) !== undefined,
    'an image with a pinned version as its tag, such as "apache/kafka:4.3.1"',
  ),
);
