import type { Environment } from "./environment";

export const production: Environment = {
  name: "production",
  security: "tls",
  memoryScale: 2,
  memoryBudgetMiB: 32_768,
  networks: { infra: { name: "infra_net" }, project: { name: "project_net" } },
  openSearch: { nodes: 3, onProjectNetwork: false, raiseUlimits: true },
  kafka: { brokers: 3 },
  grafana: { adminPassword: "variable" },
};
