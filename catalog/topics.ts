import type { Topic } from "../constructs";

/** The topics of the platform, one line each. */
export const topics: readonly Topic[] = [
  { name: "infra-events", partitions: 3 },
  { name: "application-logs", partitions: 6 },
];
