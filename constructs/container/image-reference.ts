import * as v from "valibot";

/** The parts of an image's reference: `registry:5000/apache/kafka:4.3.1@sha256:...`. */
interface ImageReference {
  /** With the registry. */
  readonly repository: string;
  readonly tag?: string;
  /** Such as `sha256:...`. */
  readonly digest?: string;
}

/** Splits an image's reference. A colon before the last slash is that of a registry's port. */
export function imageReference(reference: string): ImageReference {
  const [, repository, tag, digest] = /^(.*?)(?::([^:/@]*))?(?:@([^/@]+))?$/.exec(reference) ?? [];
  return { repository: repository ?? reference, tag: tag || undefined, digest };
}

/** Returns the tag of an image, or its digest if the tag pins no version; undefined if it has neither. */
export function pinnedTag(reference: string): string | undefined {
  const { tag, digest } = imageReference(reference);
  return tag === "latest" || tag === undefined ? digest : tag;
}

/** Returns the version in the tag of an image, such as 3.8.0; undefined if the tag is none, such as `stable`. */
export function imageVersion(reference: string): string | undefined {
  return /^v?(\d+\.\d+\.\d+)(?![\d.])/.exec(imageReference(reference).tag ?? "")?.[1];
}

/** An image of a service in an environment. */
export const imageSchema: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.check(
    (reference) => pinnedTag(reference) !== undefined,
    'an image with a pinned version as its tag, such as "apache/kafka:4.3.1"',
  ),
);

/** An image of a cluster's nodes. Its version decides what a deploy refuses, and how it replaces nodes. */
export const clusterImageSchema: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.check(
    (reference) => imageVersion(reference) !== undefined,
    'an image whose tag starts with the full version of the service, such as "apache/kafka:4.3.1" or "registry.example/kafka:4.3.1-custom", before a digest if there is one. Tag a mirrored image with the version: docker tag registry.example/kafka:stable registry.example/kafka:4.3.1',
  ),
);
