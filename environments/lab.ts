import type { Environment } from "./environment";
import { laptop } from "./laptop";

/** The laptop on the hermetic engine of `npm run lab`, which may be one that refuses to raise limits. */
export const lab: Environment = {
  ...laptop,
  name: "lab",
  openSearch: { ...laptop.openSearch, raiseUlimits: false },
};
