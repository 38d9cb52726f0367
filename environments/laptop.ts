import type { Environment } from "./environment";

/** The default environment. It fits in 8 GiB of memory. */
export const laptop: Environment = {
  name: "laptop",
  memoryScale: 0.5,
  memoryBudgetMiB: 8192,
  networks: { infra: { name: "infra_net" }, project: { name: "project_net" } },
  openSearch: { nodes: 3, onProjectNetwork: true, raiseUlimits: true },
  kafka: { brokers: 3 },
  grafana: { adminPassword: "generated" },
  hostPorts: { openSearch: 9200, kafka: 9092, grafana: 3000 },
};
