import type { Environment, Environments } from "../environments";
import { laptop } from "../environments/laptop";

/**
 * The laptop environment for the lab, whose engine may refuse to raise limits and has no images of Alloy, Grafana and Loki. Its OpenSearch
 * has no index management plugin, which no package registry has.
 */
export const lab: Environment = {
  ...laptop,
  name: "lab",
  openSearch: { ...laptop.openSearch, raiseUlimits: false, indexManagement: false },
  excludedServices: ["alloy", "grafana", "loki"],
};

/** The lab with TLS, with the newest OpenSearch whose security plugin is on Maven Central. */
export const labSecured = {
  ...lab,
  name: "lab-secured",
  security: "tls",
  openSearch: { ...lab.openSearch, image: "opensearchproject/opensearch:3.4.0" },
} as const satisfies Environment;

/** The lab on three simulated machines, each with its own engine and network namespace. */
export const labThree = {
  ...lab,
  name: "lab-three",
  machines: ["a", "b", "c"].map((name, i) => ({
    name,
    engine: `unix:///run/groundwork-lab/${name}.sock`,
    address: `10.231.86.${11 + i}`,
  })),
  hostPorts: undefined,
} as const satisfies Environment;

/** The lab on three machines with TLS, with ports published on each. */
export const labThreeSecured = {
  ...labThree,
  name: "lab-three-secured",
  security: labSecured.security,
  openSearch: labSecured.openSearch,
  hostPorts: labSecured.hostPorts,
} as const satisfies Environment;

/** All environments of the lab, by name. */
export const environments: Environments = {
  lab,
  "lab-secured": labSecured,
  "lab-three": labThree,
  "lab-three-secured": labThreeSecured,
};
