import type { Environment } from "./environment";
import { lab } from "./lab";

/** The lab, secured. The newest OpenSearch whose security plugin is on Maven Central. */
export const labSecured = {
  ...lab,
  name: "lab-secured",
  security: "tls",
  openSearch: { ...lab.openSearch, image: "opensearchproject/opensearch:3.4.0" },
} as const satisfies Environment;
