import type { Environment } from "./environment";
import { labSecured } from "./lab-secured";
import { labThree } from "./lab-three";

/** The lab of three machines, secured, with ports published on each. */
export const labThreeSecured = {
  ...labThree,
  name: "lab-three-secured",
  security: labSecured.security,
  openSearch: labSecured.openSearch,
  hostPorts: labSecured.hostPorts,
} as const satisfies Environment;
