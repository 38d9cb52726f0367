import { KAFKA_IMAGE, OPENSEARCH_IMAGE } from "../../constructs";
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
