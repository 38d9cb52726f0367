import { expectDone, kafka } from "./lab";
import type { ProjectCopy } from "./project-copy";

/** Images of the last minor versions. OpenSearch: the newest before the declared one whose modules are all on Maven Central. */
export const OLD_IMAGES = {
  openSearch: "opensearchproject/opensearch:3.4.0",
  kafka: "apache/kafka:4.2.1",
};

/** Returns the row of a service in the output of `npm run versions`. */
export function shownVersions(copy: ProjectCopy, service: string): string[] {
  const finished = copy.command("versions");
  expectDone(finished);
  const row = finished.output.split("\n").find((line) => line.startsWith(service));
  return row?.split(/ {2,}/) ?? [];
}

/** Returns the finalized level of a feature of Kafka. */
export function finalizedLevel(feature: string): string | undefined {
  const features = kafka("kafka-features", ["describe"]);
  return new RegExp(`^Feature: ${feature}\\s.*FinalizedVersionLevel: (\\S+)`, "m").exec(
    features,
  )?.[1];
}
