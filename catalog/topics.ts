import type { Topic } from "../constructs";

/** The topics of the platform: one line each. */
export const topics: readonly Topic[] = [
  {
    name: "infra-events",
    partitions: 3,
    replicationFactor: 3,
    configs: { "min.insync.replicas": 2 },
  },
  {
    name: "application-logs",
    partitions: 6,
    replicationFactor: 3,
    configs: { "min.insync.replicas": 2 },
  },
];
