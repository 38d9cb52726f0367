import type { Environment } from "./environment";
import { laptop } from "./laptop";

/** The laptop on the hermetic engine of `npm run lab`: it may refuse to raise limits, and it has no image of some services. */
export const lab: Environment = {
  ...laptop,
  name: "lab",
  openSearch: { ...laptop.openSearch, raiseUlimits: false },
  excludedServices: ["alloy", "grafana", "loki"],
};
