import { KAFKA_IMAGE, OPENSEARCH_IMAGE } from "../../constructs";
import { pinnedTag } from "../../constructs/container/image-reference";
import type { ClusterName, Environment } from "../../environments";

/** The images that Groundwork was tried with, by cluster. */
export const TRIED_IMAGES: Readonly<Record<ClusterName, string>> = {
  kafka: KAFKA_IMAGE,
  opensearch: OPENSEARCH_IMAGE,
};

/** Returns the image of a cluster's nodes. */
export function declaredImage(environment: Environment, cluster: ClusterName): string {
  const { image } = cluster === "kafka" ? environment.kafka : environment.openSearch;
  return image ?? TRIED_IMAGES[cluster];
}

/** Returns the version in the tag of an image, such as 3.8.0; undefined if the tag is none, such as `stable`. */
export function versionOf(image: string): string | undefined {
  return /^v?(\d+\.\d+\.\d+)(?![\d.])/.exec(pinnedTag(image) ?? "")?.[1];
}
