/** Images of the last minor versions. OpenSearch: the newest before the declared one whose modules are all on Maven Central. */
export const OLD_IMAGES = {
  openSearch: "opensearchproject/opensearch:3.4.0",
  kafka: "apache/kafka:4.2.1",
};
