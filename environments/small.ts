import type { Environment } from "./environment";
import { laptop } from "./laptop";

/** The environment `laptop` with one node of each cluster. It fits in 4 GiB of memory, and nothing survives the loss of a node. */
export const small: Environment = {
  ...laptop,
  name: "small",
  memoryBudgetMiB: 4096,
  openSearch: { ...laptop.openSearch, nodes: 1 },
  kafka: { brokers: 1 },
};
